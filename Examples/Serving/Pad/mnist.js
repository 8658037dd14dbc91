// Makes images as those of MNIST (LeCun et al., 1998) were made: the ink fills a box of 20 x 20 pixels, its shape is kept, edges are smooth,
// and the center of its mass is in the middle of 28 x 28 pixels.

export const side = 28;

const box = 20;
const detail = 8; // dots per pixel of the box in which strokes are drawn first
const pen = 2.4; // width of the pen in pixels of the box; a digit of MNIST is as thick

/**
 * An image of strokes.
 * @param {{x: number, y: number}[][]} strokes Each is the way of the pen, in any unit.
 * @returns {Float32Array | null} 28 x 28 values, row by row, from 0 (paper) to 1 (ink); null without strokes.
 */
export function fromStrokes(strokes) {
  const points = strokes.flat();
  if (points.length === 0)
    return null;
  const left = Math.min(...points.map(point => point.x)), top = Math.min(...points.map(point => point.y));
  const extent = Math.max(...points.map(point => point.x - left), ...points.map(point => point.y - top));
  const size = box * detail, radius = pen * detail / 2;
  const scale = extent > 0 ? (size - 2 * radius) / extent : 0;
  const dots = new Float32Array(size * size);
  for (const stroke of strokes) {
    const way = stroke.map(point => ({ x: (point.x - left) * scale + radius, y: (point.y - top) * scale + radius }));
    way.forEach((point, i) => drawLine(dots, size, way[Math.max(0, i - 1)], point, radius));
  }
  return normalize(dots, size, size);
}

/**
 * Brings ink to MNIST's size and place.
 * @param {ArrayLike<number>} dots Values from 0 (paper) to 1 (ink), row by row.
 * @returns {Float32Array | null} 28 x 28 values; null without ink.
 */
export function normalize(dots, width, height) {
  const bounds = boundsOf(dots, width, height);
  if (!bounds)
    return null;
  const longest = Math.max(bounds.width, bounds.height);
  const columns = Math.max(1, Math.round(bounds.width * box / longest)), rows = Math.max(1, Math.round(bounds.height * box / longest));
  const shrunk = shrink(dots, width, bounds, columns, rows);
  const center = centerOf(shrunk, columns, rows);
  const left = placeOf(center.x, columns), top = placeOf(center.y, rows);
  const image = new Float32Array(side * side);
  for (let y = 0; y < rows; y++)
    image.set(shrunk.subarray(y * columns, (y + 1) * columns), (top + y) * side + left);
  return image;
}

/** Where the box starts, so that the center of mass is in the pixel behind the middle, as in MNIST, and the box in the image. */
function placeOf(center, length) {
  return Math.min(side - length, Math.max(0, Math.round((side + 1) / 2 - center)));
}

function boundsOf(dots, width, height) {
  let left = width, right = -1, top = height, bottom = -1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (dots[y * width + x] > 0) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = y;
      }
    }
  }
  return bottom < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Each new pixel is the mean of what it covers, parts of dots included. */
function shrink(dots, stride, bounds, columns, rows) {
  const across = cover(bounds.width, columns), down = cover(bounds.height, rows);
  const wide = new Float32Array(columns * bounds.height);
  for (let y = 0; y < bounds.height; y++) {
    const start = (bounds.top + y) * stride + bounds.left;
    for (let column = 0; column < columns; column++)
      wide[y * columns + column] = across[column].reduce((sum, { at, share }) => sum + dots[start + at] * share, 0);
  }
  const shrunk = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      shrunk[row * columns + column] = down[row].reduce((sum, { at, share }) => sum + wide[at * columns + column] * share, 0);
  }
  return shrunk;
}

/** For each of `count` equal parts of `length` dots, which dots it covers, and their shares. */
function cover(length, count) {
  const step = length / count;
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = [i * step, (i + 1) * step];
    const covered = [];
    for (let at = Math.floor(from); at < Math.min(length, Math.ceil(to - 1e-9)); at++)
      covered.push({ at, share: (Math.min(to, at + 1) - Math.max(from, at)) / step });
    return covered;
  });
}

/** The center of mass, in pixels from the left and upper edges. */
function centerOf(pixels, columns, rows) {
  let sum = 0, x = 0, y = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = pixels[row * columns + column];
      sum += value;
      x += value * (column + 0.5);
      y += value * (row + 0.5);
    }
  }
  return { x: x / sum, y: y / sum };
}

/** Draws with a round pen whose edge is one dot wide. */
function drawLine(dots, size, from, to, radius) {
  const clamp = value => Math.min(size - 1, Math.max(0, Math.round(value)));
  const [dx, dy] = [to.x - from.x, to.y - from.y], square = dx * dx + dy * dy;
  for (let y = clamp(Math.min(from.y, to.y) - radius - 1); y <= clamp(Math.max(from.y, to.y) + radius); y++) {
    for (let x = clamp(Math.min(from.x, to.x) - radius - 1); x <= clamp(Math.max(from.x, to.x) + radius); x++) {
      const [px, py] = [x + 0.5 - from.x, y + 0.5 - from.y];
      const along = square > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy) / square)) : 0;
      const distance = Math.hypot(px - along * dx, py - along * dy);
      dots[y * size + x] = Math.max(dots[y * size + x], Math.min(1, Math.max(0, radius + 0.5 - distance)));
    }
  }
}
