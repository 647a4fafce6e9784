// A magnifier of 400 %: four screen pixels for each pixel of the picture, without smoothing, so that edges show.
import { h } from "./dom.js";

const SIZE = 208;
const FACTOR = 4;

/** Follows the pointer over a stage, or the arrow keys when the stage has the focus, while its button is pressed. */
export class Loupe {
  #glass = h("canvas", { className: "glass checker", width: SIZE * 2, height: SIZE * 2, "aria-hidden": "true" });
  #stage;
  #button;
  #image = null;
  #before = () => null;
  #at = { x: 0.5, y: 0.5 };

  constructor(stage, button) {
    this.#stage = stage;
    this.#button = button;
    button.addEventListener("click", () => this.#toggle());
    stage.addEventListener("pointermove", (event) => this.#follow(event));
    stage.addEventListener("pointerdown", (event) => this.#follow(event));
    stage.addEventListener("keydown", (event) => this.#step(event));
  }

  /** The picture to look at; `before(x)` is what lies over it at a share x of its width, or null. */
  attach(image, before = () => null) {
    this.#image = image;
    this.#before = before;
    if (image && !image.complete) image.addEventListener("load", () => this.#draw(), { once: true });
    if (this.#on()) this.#stage.append(this.#glass);
    this.#draw();
  }

  /** The ground below transparent places, as on the stage. */
  ground(name, value) {
    this.#glass.classList.toggle("checker", name === "checker");
    const colour = { white: "#fff", black: "#000", colour: value, image: "#888" }[name];
    this.#glass.style.setProperty("background", colour ?? "");
  }

  #on() {
    return this.#button.getAttribute("aria-pressed") === "true";
  }

  #toggle() {
    const on = !this.#on();
    this.#button.setAttribute("aria-pressed", String(on));
    this.#stage.toggleAttribute("data-loupe", on);
    if (on) {
      this.#stage.tabIndex = 0;
      this.#stage.setAttribute("role", "group");
      this.#stage.setAttribute("aria-label", "Picture under the loupe; the arrow keys move it");
      this.#stage.append(this.#glass);
      this.#draw();
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) this.#stage.removeAttribute(name);
      this.#glass.remove();
    }
  }

  #follow(event) {
    if (!this.#on() || !this.#image) return;
    const box = this.#image.getBoundingClientRect();
    this.#move((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }

  #step(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step || !this.#on() || event.target !== this.#stage || !this.#image) return;
    event.preventDefault();
    const pixels = event.shiftKey ? 50 : 8;
    this.#move(
      this.#at.x + (step[0] * pixels) / this.#image.naturalWidth,
      this.#at.y + (step[1] * pixels) / this.#image.naturalHeight,
    );
  }

  #move(x, y) {
    this.#at = { x: Math.min(1, Math.max(0, x)), y: Math.min(1, Math.max(0, y)) };
    this.#draw();
  }

  #draw() {
    const image = this.#image;
    if (!this.#on() || !image?.complete || !image.naturalWidth) return;
    const stage = this.#stage.getBoundingClientRect();
    const box = image.getBoundingClientRect();
    const left = box.left - stage.left + this.#at.x * box.width - SIZE / 2;
    const top = box.top - stage.top + this.#at.y * box.height - SIZE / 2;
    this.#glass.style.setProperty(
      "translate",
      `${clamp(left, 4, stage.width - SIZE - 4)}px ${clamp(top, 4, stage.height - SIZE - 4)}px`,
    );
    const shown = this.#before(this.#at.x) ?? image;
    const side = SIZE / FACTOR;
    const context = this.#glass.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, SIZE * 2, SIZE * 2);
    context.drawImage(
      shown,
      this.#at.x * shown.naturalWidth - side / 2,
      this.#at.y * shown.naturalHeight - side / 2,
      side,
      side,
      0,
      0,
      SIZE * 2,
      SIZE * 2,
    );
    context.strokeStyle = "#8888";
    context.strokeRect(SIZE - FACTOR, SIZE - FACTOR, FACTOR * 2, FACTOR * 2);
  }
}

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
