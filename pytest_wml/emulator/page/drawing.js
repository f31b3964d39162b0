// From strokes to an image as MNIST has them, and back to something to look at.

export const SIDE = 28;
const BOX = 20; // MNIST's digits fill a box of 20 by 20 pixels, centred by mass in 28 by 28
const PEN = 2.6; // the width of its strokes in pixels, whatever the size that somebody drew
const FINE = 10; // parts of a pixel, for smooth edges
const UNITS = SIDE * FINE; // the pad is as many units wide
const STEP = FINE;

/** Draw shades, 784 bytes, as ink: transparent where there is none, in the colour of the page's ink. */
export function showShades(canvas, shades) {
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  shades.forEach((shade, place) => { image.data[4 * place + 3] = shade; });
  context.putImageData(image, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--ink");
  context.fillRect(0, 0, SIDE, SIDE);
}

/** Bytes of base64. */
export function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Strokes, lists of [x, y], as 784 shades from 0 to 255 in the form of MNIST; null where there are none. */
export function asMnist(strokes) {
  const points = strokes.flat();
  if (!points.length) return null;
  const [left, right] = range(points.map(([x]) => x));
  const [top, bottom] = range(points.map(([, y]) => y));
  const scale = ((BOX - PEN) * FINE) / Math.max(right - left, bottom - top, 2 * STEP);
  const middle = [(left + right) / 2, (top + bottom) / 2];
  const rough = inked(strokes, scale, middle);
  const mass = centreOf(rough);
  const shift = mass.map((place) => (place - UNITS / 2) / scale);
  return averaged(inked(strokes, scale, [middle[0] + shift[0], middle[1] + shift[1]]));
}

function range(values) {
  return values.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
}

function inked(strokes, scale, [x, y]) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = UNITS;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.setTransform(scale, 0, 0, scale, UNITS / 2 - x * scale, UNITS / 2 - y * scale);
  trace(context, strokes, (PEN * FINE) / scale);
  return context.getImageData(0, 0, UNITS, UNITS).data;
}

function trace(context, strokes, width) {
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  for (const [first, ...rest] of strokes) {
    context.moveTo(...first);
    if (!rest.length) context.lineTo(...first);
    for (const point of rest) context.lineTo(...point);
  }
  context.stroke();
}

function centreOf(data) {
  let mass = 0, across = 0, down = 0;
  for (let place = 0; place < UNITS * UNITS; place += 1) {
    const shade = data[4 * place + 3];
    mass += shade;
    across += shade * ((place % UNITS) + 0.5);
    down += shade * (Math.floor(place / UNITS) + 0.5);
  }
  return mass ? [across / mass, down / mass] : [UNITS / 2, UNITS / 2];
}

function averaged(data) {
  const sums = new Float64Array(SIDE * SIDE);
  for (let place = 0; place < UNITS * UNITS; place += 1) {
    const row = Math.floor(Math.floor(place / UNITS) / FINE);
    sums[row * SIDE + Math.floor((place % UNITS) / FINE)] += data[4 * place + 3];
  }
  return Uint8Array.from(sums, (sum) => Math.round(sum / (FINE * FINE)));
}

/** The drawing area: by pointer, by keyboard, or a digit that was put there. */
export class Pad {
  #canvas; #changed; #say; #strokes = []; #sample = null; #pointer = null; #cursor = [UNITS / 2, UNITS / 4]; #penDown = false; #keyed = false; #awaited = 0;

  constructor(canvas, { changed, say }) {
    this.#canvas = canvas;
    this.#changed = changed;
    this.#say = say;
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#drag(event));
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => this.#lift(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => { this.#keyed = this.#penDown = false; this.show(); });
  }

  /** 784 shades from 0 to 255, or null where nothing is drawn. */
  get shades() { return this.#sample ?? asMnist(this.#strokes); }

  put(shades) { this.#strokes = []; this.#sample = shades; this.#penDown = false; this.#update(); }

  clear() { this.put(null); }

  #update() {
    cancelAnimationFrame(this.#awaited);
    this.#awaited = 0;
    this.show();
    this.#changed();
  }

  show() {
    const context = this.#canvas.getContext("2d");
    const size = this.#canvas.width;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, size, size);
    if (this.#sample) {
      const small = document.createElement("canvas");
      showShades(small, this.#sample);
      context.imageSmoothingEnabled = false;
      context.drawImage(small, 0, 0, size, size);
    }
    const style = getComputedStyle(document.documentElement);
    context.setTransform(size / UNITS, 0, 0, size / UNITS, 0, 0);
    context.strokeStyle = style.getPropertyValue("--ink");
    trace(context, this.#strokes, 1.9 * FINE);
    if (!this.#keyed) return;
    const [x, y] = this.#cursor;
    context.strokeStyle = style.getPropertyValue("--accent");
    context.lineWidth = this.#penDown ? 5 : 2.5;
    context.beginPath();
    context.arc(x, y, 9, 0, 2 * Math.PI);
    context.stroke();
  }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * UNITS, ((event.clientY - box.top) / box.height) * UNITS];
  }

  #begin(point) {
    this.#sample = null;
    this.#strokes.push([point]);
  }

  #press(event) {
    if (this.#pointer !== null || event.button) return;
    this.#pointer = event.pointerId;
    this.#keyed = this.#penDown = false;
    try { this.#canvas.setPointerCapture(event.pointerId); } catch { /* a pointer that is gone again */ }
    this.#begin(this.#place(event));
    this.#update();
  }

  #drag(event) {
    if (event.pointerId !== this.#pointer) return;
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const each of passed.length ? passed : [event]) this.#strokes.at(-1)?.push(this.#place(each));
    // A pen moves more often than a screen is drawn.
    this.#awaited ||= requestAnimationFrame(() => this.#update());
  }

  #lift(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#update();
  }

  #key(event) {
    const step = event.shiftKey ? 4 * STEP : STEP;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (moves[event.key]) this.#move(moves[event.key]);
    else if (event.key === " ") this.#toggle();
    else if (event.key === "Escape" && this.#penDown) this.#toggle();
    else if (event.key === "Delete" || event.key === "Backspace") { this.clear(); this.#say("Cleared"); }
    else if (event.key === "Enter") this.#canvas.closest("form").requestSubmit();
    else return;
    event.preventDefault();
  }

  #move(step) {
    this.#keyed = true;
    this.#cursor = this.#cursor.map((place, axis) => Math.min(UNITS - STEP, Math.max(STEP, place + step[axis])));
    if (!this.#penDown) this.show();
    else { this.#strokes.at(-1).push(this.#cursor); this.#update(); }
    this.#say(`${this.#penDown ? "Drawing, " : ""}${this.#whereabouts()}`);
  }

  #toggle() {
    this.#keyed = true;
    this.#penDown = !this.#penDown;
    if (this.#penDown) this.#begin(this.#cursor);
    this.#update();
    this.#say(`Pen ${this.#penDown ? "down" : "up"}, ${this.#whereabouts()}`);
  }

  #whereabouts() {
    const [column, row] = this.#cursor.map((place) => Math.round(place / STEP));
    return `column ${column}, row ${row} of ${SIDE}`;
  }
}
