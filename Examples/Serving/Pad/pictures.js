// Shows images as MNIST shows them: white ink on black paper.

import { side } from './mnist.js';

/**
 * @param {HTMLCanvasElement} canvas Of 28 x 28 pixels.
 * @param {ArrayLike<number> | null} image Values from 0 (paper) to 1 (ink); null for none.
 * @param {string} text What it shows, for those who do not see it.
 */
export function show(canvas, image, text) {
  const context = canvas.getContext('2d');
  context.fillRect(0, 0, side, side);
  if (image !== null) {
    const data = context.createImageData(side, side);
    for (let i = 0; i < side * side; i++) {
      const gray = Math.round(255 * Math.min(1, Math.max(0, image[i])));
      data.data.set([gray, gray, gray, 255], 4 * i);
    }
    context.putImageData(data, 0, 0);
  }
  canvas.setAttribute('aria-label', text);
}
