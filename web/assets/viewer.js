// The stage: one photo and what was made of it, as comparison, result, original or mask, on a ground of choice.
import { byId, h, radios } from "./dom.js";
import { Loupe } from "./loupe.js";

const VIEWS = [
  ["compare", "Compare"],
  ["result", "Result"],
  ["original", "Original"],
  ["mask", "Mask"],
];
const GROUNDS = [
  ["checker", "checkerboard"],
  ["white", "white"],
  ["black", "black"],
  ["colour", "a colour of yours"],
  ["image", "an image of yours"],
];
const UNSHOWN = { "image/tiff": "TIFF", "application/zip": "ZIP" };

/** Shows pictures; `mask(result)` gives the mask of a result as a blob, or rejects. */
export class Viewer {
  #stage = byId("stage");
  #view = "compare";
  #ground = { name: "checker", value: "" };
  #split = 50;
  #drawing = null;
  #original = null;
  #result = null;
  #loupe;
  #mask;

  constructor(mask) {
    this.#mask = mask;
    this.#loupe = new Loupe(this.#stage, byId("loupe"));
    this.#drawViews();
    this.#drawGrounds();
  }

  /** A new photo; its result comes later. */
  open(file) {
    this.#release();
    this.#original = { url: URL.createObjectURL(file) };
    this.#result = null;
    this.#view = "compare";
    this.#drawViews();
    this.#draw();
  }

  /** The result of the photo that is open; null while a first one is made. */
  show(result) {
    if (this.#result?.url) URL.revokeObjectURL(this.#result.url);
    if (this.#result?.maskUrl) URL.revokeObjectURL(this.#result.maskUrl);
    this.#result = result && { ...result, url: URL.createObjectURL(result.blob) };
    this.#drawViews();
    this.#draw();
  }

  /** Whether something is being made. */
  busy(busy) {
    this.#stage.toggleAttribute("data-busy", busy);
    this.#stage.setAttribute("aria-busy", String(busy));
  }

  #release() {
    for (const url of [this.#original?.url, this.#result?.url, this.#result?.maskUrl])
      if (url) URL.revokeObjectURL(url);
  }

  #drawViews() {
    radios(byId("views"), "view", VIEWS, this.#view, (view) => {
      this.#view = view;
      this.#draw();
    });
  }

  #drawGrounds() {
    const pick = {
      colour: h("input", { type: "color", value: "#ffd24a", hidden: true }),
      image: h("input", { type: "file", accept: "image/*", hidden: true }),
    };
    pick.colour.addEventListener("input", () => this.#setGround("colour", pick.colour.value));
    pick.image.addEventListener(
      "change",
      () => pick.image.files[0] && this.#setGround("image", URL.createObjectURL(pick.image.files[0])),
    );
    radios(
      byId("grounds"),
      "ground",
      GROUNDS,
      "checker",
      (name) =>
        name === "colour"
          ? this.#setGround("colour", pick.colour.value)
          : name !== "image" && this.#setGround(name, ""),
      (name) => h("span", { className: `ground-${name}${name === "checker" ? " checker" : ""}` }),
    );
    for (const name of ["colour", "image"])
      byId("grounds")
        .querySelector(`[value=${name}]`)
        .addEventListener("click", () => pick[name].click());
    byId("grounds").append(pick.colour, pick.image);
  }

  #setGround(name, value) {
    this.#ground = { name, value };
    this.#paintGround();
  }

  #paintGround() {
    const { name, value } = this.#ground;
    for (const picture of this.#stage.querySelectorAll(".picture")) {
      picture.classList.toggle("checker", name === "checker");
      picture.style.setProperty(
        "background",
        { white: "#fff", black: "#000", colour: value, image: value && `url(${value}) center / cover` }[name] ?? "",
      );
    }
    this.#loupe.ground(name, value);
  }

  async #draw() {
    const drawing = {};
    this.#drawing = drawing;
    const scene = await this.#scene(this.#view, this.#original, this.#result);
    if (this.#drawing === drawing) this.#place(scene);
  }

  async #scene(view, original, result) {
    if (!result || view === "original") return picture(original.url, "The original photo");
    if (view === "mask") {
      const url = await this.#maskUrl(result);
      return url ? picture(url, "The mask: white is the subject") : note("There is no mask.", "It could not be made.");
    }
    const unshown = UNSHOWN[result.mediaType.split(";")[0]];
    if (unshown) return note(`${unshown} is not shown by browsers.`, "Download it, or choose PNG to look at it here.");
    return view === "result" ? picture(result.url, "The result") : this.#comparison(original, result);
  }

  async #maskUrl(result) {
    if (!result.maskUrl) {
      this.busy(true);
      const blob = await this.#mask(result)
        .finally(() => this.busy(false))
        .catch(() => null);
      if (blob) result.maskUrl = URL.createObjectURL(blob);
    }
    return result.maskUrl;
  }

  /** A slider where both have one shape, else the two side by side. */
  async #comparison(original, result) {
    const [before, after] = await Promise.all([
      loaded(original.url, "The original photo"),
      loaded(result.url, "The result"),
    ]);
    if (!before.naturalWidth) return framed(after);
    const ratio = (image) => image.naturalWidth / image.naturalHeight;
    if (Math.abs(ratio(before) / ratio(after) - 1) > 0.01) {
      return h("div", { className: "pair" }, framed(before), framed(after));
    }
    const slider = h("input", {
      type: "range",
      className: "split",
      min: 0,
      max: 100,
      step: 0.5,
      value: this.#split,
      "aria-label": "Before and after: how much of the original is seen",
    });
    const frame = framed(
      after,
      h("div", { className: "before" }, before),
      h("div", { className: "split-line", "aria-hidden": "true" }, h("span")),
      slider,
    );
    frame.classList.add("comparison");
    const follow = () => {
      this.#split = Number(slider.value);
      frame.style.setProperty("--split", `${slider.value}%`);
    };
    slider.addEventListener("input", follow);
    follow();
    return frame;
  }

  #place(scene) {
    this.#stage.replaceChildren(scene, h("div", { className: "working", "aria-hidden": "true" }));
    this.#paintGround();
    const over = this.#stage.querySelector(".before img");
    this.#loupe.attach([...this.#stage.querySelectorAll(".picture > img")].at(-1) ?? null, (x) =>
      x * 100 < this.#split ? over : null,
    );
  }
}

async function picture(url, alt) {
  const image = await loaded(url, alt);
  return image.naturalWidth
    ? framed(image)
    : note("There is no preview.", "The browser cannot show this file; the service may still read it.");
}
const note = (title, text) => h("div", { className: "stage-note" }, h("strong", {}, title), h("p", {}, text));

/** A loaded image in its shape, as large as the stage allows. */
function framed(image, ...more) {
  const frame = h("div", { className: "picture" }, image, ...more);
  frame.style.setProperty("--ratio", String(image.naturalWidth / image.naturalHeight || 1));
  return frame;
}

async function loaded(url, alt) {
  const image = h("img", { src: url, alt });
  await image.decode().catch(() => undefined);
  return image;
}
