// Digits that a network makes, and what is between two of them.

import { latest } from './latest.js';
import { side } from './mnist.js';
import { between, draw } from './noise.js';
import { show } from './pictures.js';
import { classify, inWords } from './recognize.js';
import { infer } from './server.js';

const mostSeed = 999_999_999;
const silence = 400; // milliseconds without a change before a screen reader is told

const field = id => document.getElementById(id);

export class Generation {
  #model = null;
  #report;
  #classifier;
  #pictures = [];
  #chosen = 0;
  #telling = 0;
  #ask = latest(() => this.#generate());

  /**
   * @param {(error: Error | null) => void} report Takes what goes wrong; null when it is well again.
   * @param {() => object | null} classifier The model that says what it sees in a made image.
   */
  constructor(report, classifier) {
    [this.#report, this.#classifier] = [report, classifier];
    for (const id of ['first-seed', 'second-seed', 'mix'])
      field(id).addEventListener('input', () => this.#ask());
    for (const name of ['first', 'second'])
      field(`${name}-other`).addEventListener('click', () => {
        field(`${name}-seed`).value = Math.floor(Math.random() * mostSeed);
        this.#ask();
      });
  }

  /** Asks another model. */
  use(model) {
    this.#model = model;
    this.#chosen = Math.min(this.#chosen, model.classes.length - 1);
    this.#pictures = [];
    field('classes').querySelector('div').replaceChildren(...model.classes.map((name, i) => this.#choice(name, i)));
    this.#ask();
  }

  #choice(name, i) {
    const [label, input, canvas, text] = ['label', 'input', 'canvas', 'span'].map(tag => document.createElement(tag));
    Object.assign(input, { type: 'radio', name: 'class', checked: i === this.#chosen });
    input.addEventListener('change', () => {
      this.#chosen = i;
      this.#ask();
    });
    Object.assign(canvas, { width: side, height: side, className: 'picture', ariaHidden: 'true' });
    text.textContent = name;
    label.append(input, canvas, text);
    this.#pictures.push(canvas);
    return label;
  }

  async #generate() {
    const { classes, noise, label, output, name } = this.#model;
    const chosen = this.#chosen, share = field('mix').value / 100;
    const seeds = ['first-seed', 'second-seed'].map(id => Math.min(mostSeed, Math.max(0, Math.floor(Number(field(id).value) || 0))));
    const [first, second] = seeds.map(seed => draw(seed, noise.shape[1]));
    const mixed = between(first, second, share);
    field('mix').setAttribute('aria-valuetext', `${field('mix').value} % of the way to the second sample`);
    // All classes of the mixed noise, then both ends of the chosen one.
    const rows = [...classes.map((_, i) => [mixed, i]), [first, chosen], [second, chosen]];
    try {
      const answer = await infer({ name }, [
        { name: noise.name, shape: [rows.length, noise.shape[1]], datatype: 'FP32', data: rows.flatMap(([values]) => values.map(value => Number(value.toFixed(5)))) },
        { name: label.name, shape: [rows.length], datatype: label.datatype, data: rows.map(([, place]) => valueOf(label, classes[place])) },
      ], [output.name]);
      const values = answer.get(output.name), images = rows.map((_, i) => values.slice(i * side * side, (i + 1) * side * side));
      this.#pictures.forEach((canvas, i) => show(canvas, images[i], ''));
      const kind = `A generated ${classes[chosen]}`, place = `${field('mix').value} % of the way from sample ${seeds[0]} to sample ${seeds[1]}`;
      show(field('mixed'), images[chosen], `${kind}, ${place}`);
      show(field('first'), images.at(-2), `${kind}, sample ${seeds[0]}`);
      show(field('second'), images.at(-1), `${kind}, sample ${seeds[1]}`);
      await this.#tell(`${kind}, ${place}.`, images[chosen]);
      this.#report(null);
    } catch (error) {
      this.#report(error);
      if (error.status === 429)
        setTimeout(() => this.#ask(), 1000);
    }
  }

  async #tell(text, image) {
    const judge = this.#classifier();
    const judgment = judge === null ? '' : ` The model ${judge.name} sees ${inWords(judge, await classify(judge, image))}.`;
    clearTimeout(this.#telling);
    this.#telling = setTimeout(() => { field('made').textContent = text + judgment; }, silence);
  }
}

/** Keys that stand for numbers are numbers in the protocol. */
const valueOf = (column, name) => column.datatype === 'BYTES' ? name : Number(name);
