// Noise for generators, and what is between two of them.

/**
 * Normal noise that belongs to a seed.
 * @param {number} seed A whole number.
 * @param {number} count The number of values.
 */
export function draw(seed, count) {
  const next = random(seed);
  return Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())); // Box and Muller, 1958
}

/**
 * Noise on the arc between two: on a line it would be shorter, as noise never is (White, 2016).
 * @param {number} share 0 for the first, 1 for the second.
 */
export function between(first, second, share) {
  const product = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const lengths = Math.sqrt(product(first, first) * product(second, second));
  const angle = lengths > 0 ? Math.acos(Math.min(1, Math.max(-1, product(first, second) / lengths))) : 0;
  const [a, b] = Math.sin(angle) < 1e-6 ? [1 - share, share] : [Math.sin((1 - share) * angle) / Math.sin(angle), Math.sin(share * angle) / Math.sin(angle)];
  return first.map((value, i) => a * value + b * second[i]);
}

/** Mulberry32: numbers from 0 to 1, the same for the same seed everywhere. */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6D2B79F5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
