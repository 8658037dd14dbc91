// The drawing area: strokes by mouse, touch, pen and keyboard.

const step = 0.04; // of the side, for a press of an arrow key
const smallStep = 0.01;
const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Board {
  /** Ways of the pen; x and y go from 0 to 1. */
  strokes = [];

  #canvas;
  #changed;
  #said;
  #pointer = null;
  #stroke = null;
  #cursor = { x: 0.5, y: 0.2 };
  #pressed = new Set();

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => void} changed Is told of each change.
   * @param {(text: string) => void} said Takes what the keyboard's pen does.
   */
  constructor(canvas, changed, said) {
    [this.#canvas, this.#changed, this.#said] = [canvas, changed, said];
    canvas.addEventListener('pointerdown', event => this.#touch(event));
    canvas.addEventListener('pointermove', event => this.#move(event));
    for (const type of ['pointerup', 'pointercancel', 'lostpointercapture'])
      canvas.addEventListener(type, event => event.pointerId === this.#pointer && this.#lift());
    canvas.addEventListener('keydown', event => this.#press(event));
    canvas.addEventListener('keyup', event => this.#pressed.delete(event.key));
    canvas.addEventListener('blur', () => this.#leave());
    canvas.addEventListener('focus', () => this.draw());
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  get isPenUp() {
    return this.#stroke === null;
  }

  /** Takes back the last stroke. */
  undo() {
    this.#end();
    this.strokes.pop();
    this.#update();
  }

  clear() {
    this.#end();
    this.strokes = [];
    this.#update();
  }

  draw() {
    const canvas = this.#canvas, style = getComputedStyle(canvas);
    const size = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
    if (canvas.width !== size)
      canvas.width = canvas.height = size;
    const context = canvas.getContext('2d');
    context.clearRect(0, 0, size, size);
    context.strokeStyle = style.color;
    context.lineWidth = size * 0.07;
    context.lineCap = context.lineJoin = 'round';
    for (const stroke of this.strokes) {
      context.beginPath();
      context.moveTo(stroke[0].x * size, stroke[0].y * size);
      stroke.forEach(point => context.lineTo(point.x * size, point.y * size));
      context.stroke();
    }
    if (canvas.matches(':focus-visible'))
      this.#drawCursor(context, size, style);
  }

  #drawCursor(context, size, style) {
    const { x, y } = this.#cursor, arm = size * 0.04;
    context.strokeStyle = style.getPropertyValue('--accent');
    context.lineWidth = size * (this.#isKeyboardDown ? 0.015 : 0.007);
    context.beginPath();
    context.moveTo(x * size - arm, y * size);
    context.lineTo(x * size + arm, y * size);
    context.moveTo(x * size, y * size - arm);
    context.lineTo(x * size, y * size + arm);
    context.stroke();
  }

  get #isKeyboardDown() {
    return this.#stroke !== null && this.#pointer === null;
  }

  #touch(event) {
    if (!event.isPrimary || event.button !== 0 || this.#pointer !== null)
      return;
    this.#end();
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#begin(this.#place(event));
  }

  #move(event) {
    if (event.pointerId !== this.#pointer)
      return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length > 0 ? events : [event])
      this.#stroke.push(this.#place(each));
    this.#update();
  }

  #lift() {
    this.#end();
    this.#update();
  }

  #place(event) {
    const bounds = this.#canvas.getBoundingClientRect();
    const within = value => Math.min(1, Math.max(0, value));
    return { x: within((event.clientX - bounds.left) / bounds.width), y: within((event.clientY - bounds.top) / bounds.height) };
  }

  #press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey)
      return;
    if (event.key in arrows)
      this.#steer(event);
    else if (event.key === ' ' || event.key === 'Enter')
      event.repeat || this.#togglePen();
    else if (event.key === 'Delete' || event.key === 'Backspace')
      this.clear();
    else
      return;
    event.preventDefault();
  }

  #steer(event) {
    this.#pressed.add(event.key);
    const length = event.shiftKey ? smallStep : step;
    const within = value => Math.min(0.98, Math.max(0.02, value));
    let [dx, dy] = [0, 0];
    for (const key of this.#pressed)
      [dx, dy] = [dx + arrows[key][0], dy + arrows[key][1]];
    this.#cursor = { x: within(this.#cursor.x + dx * length), y: within(this.#cursor.y + dy * length) };
    if (this.#isKeyboardDown)
      this.#stroke.push(this.#cursor);
    this.#update();
  }

  #togglePen() {
    if (this.#pointer !== null)
      return;
    const wasDown = this.#isKeyboardDown;
    if (wasDown)
      this.#end();
    else
      this.#begin(this.#cursor);
    this.#said(`Pen ${wasDown ? 'up' : 'down'}, ${Math.round(this.#cursor.x * 100)} % from the left, ${Math.round(this.#cursor.y * 100)} % from the top.`);
    this.#update();
  }

  #leave() {
    this.#pressed.clear();
    if (this.#isKeyboardDown)
      this.#end();
    this.#said('');
    this.#update();
  }

  #begin(point) {
    this.#stroke = [point];
    this.strokes.push(this.#stroke);
    this.#update();
  }

  #end() {
    this.#stroke = this.#pointer = null;
  }

  #update() {
    this.draw();
    this.#changed();
  }
}
