// What is drawn is asked while one draws.

import { Bars, percent } from './bars.js';
import { Board } from './board.js';
import { latest } from './latest.js';
import { fromStrokes, side } from './mnist.js';
import { show } from './pictures.js';
import { infer } from './server.js';

const doubt = 0.1; // a second class this probable is told, too

/** Asks a classifier what an image shows. */
export async function classify(model, image) {
  const shape = [1, ...model.input.shape.slice(1)];
  const answer = await infer(model, [{ name: model.input.name, shape, datatype: 'FP32', data: Array.from(image, value => Number(value.toFixed(4))) }], [model.output.name]);
  return answer.get(model.output.name);
}

/** "7 (98.0 %)", and the second class if there is doubt. */
export function inWords(model, shares) {
  const [first, second] = shares.map((share, i) => ({ share, name: model.classes[i] })).sort((a, b) => b.share - a.share);
  return `${first.name} (${percent(first.share)})${second.share < doubt ? '' : `, or ${second.name} (${percent(second.share)})`}`;
}

export class Recognition {
  #section = document.getElementById('recognize');
  #seen = document.getElementById('seen');
  #result = document.getElementById('result');
  #said = document.getElementById('said');
  #board;
  #bars;
  #model = null;
  #image = null;
  #report;
  #isDue = false;
  #ask = latest(image => this.#recognize(image));

  /** @param {(error: Error | null) => void} report Takes what goes wrong; null when it is well again. */
  constructor(report) {
    this.#report = report;
    const pen = document.getElementById('pen');
    this.#board = new Board(document.getElementById('board'), () => this.#changeSoon(), text => { pen.textContent = text; });
    document.getElementById('undo').addEventListener('click', () => this.#board.undo());
    document.getElementById('clear').addEventListener('click', () => this.#board.clear());
    document.addEventListener('keydown', event => {
      const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'z';
      if (!isUndo || this.#section.hidden || event.target.matches?.('input'))
        return;
      this.#board.undo();
      event.preventDefault();
    });
    this.#change();
  }

  get model() {
    return this.#model;
  }

  /** Asks another model. */
  use(model) {
    this.#model = model;
    this.#bars = new Bars(document.getElementById('bars'), model.classes);
    this.#change();
  }

  /** A pen reports more places than the screen shows pictures. */
  #changeSoon() {
    if (!this.#isDue)
      requestAnimationFrame(() => this.#change());
    this.#isDue = true;
  }

  #change() {
    this.#isDue = false;
    this.#image = fromStrokes(this.#board.strokes);
    show(this.#seen, this.#image, this.#image === null ? 'What the network sees: nothing yet' : `What the network sees: your drawing in ${side} by ${side} pixels`);
    if (this.#image === null)
      this.#empty();
    else if (this.#model !== null)
      this.#ask(this.#image);
  }

  #empty() {
    this.#bars?.show(null);
    if (this.#said.textContent !== '')
      this.#said.textContent = 'Nothing is drawn.';
    this.#result.textContent = '–';
  }

  async #recognize(image) {
    const model = this.#model;
    try {
      const shares = await classify(model, image);
      this.#report(null);
      if (this.#image !== null && model === this.#model)
        this.#tell(image, shares);
    } catch (error) {
      this.#report(error);
      if (error.status === 429)
        setTimeout(() => this.#image === image && this.#ask(image), 1000);
    }
  }

  #tell(image, shares) {
    const text = inWords(this.#model, shares);
    this.#bars.show(shares);
    this.#result.textContent = text;
    // A screen reader is told when the pen is lifted, not at each answer.
    if (this.#image === image && this.#board.isPenUp)
      this.#said.textContent = `It looks like ${text}.`;
  }
}
