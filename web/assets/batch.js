// The batch as it is seen: a tile for each photo, the progress of all, and one archive of the results.
import { BatchQueue } from "./batch-queue.js";
import { announce, byId, duration, h, resultName, save } from "./dom.js";
import { thumbnail } from "./thumbnail.js";
import { words } from "./words.js";
import { zip } from "./zip.js";

const STATES = { waiting: "waiting", working: "working", done: "done", failed: "failed" };

/** Shows a batch in `host`; its requests carry what `options` say when it starts. */
export class Batch {
  #items = [];
  #options;
  #queue = new BatchQueue((item) => this.#changed(item));
  #started = 0;
  #extension = "png";
  #ui;

  constructor(host, options) {
    this.#options = options;
    this.#ui = layout(host, {
      start: () => this.#start(),
      stop: () => this.#queue.stop(),
      more: () => byId("file-input").click(),
      archive: () => this.#archive(),
      clear: () => byId("another").click(),
    });
    options.addEventListener("change", () => this.#outdate());
  }

  /** Adds photos. */
  add(files) {
    for (const file of files) {
      const item = { file, state: "waiting", result: null, error: null };
      item.tile = tile(item, () => this.#save(item));
      this.#items.push(item);
      this.#ui.tiles.append(item.tile.root);
      thumbnail(file, 180).then(
        (canvas) => canvas && item.state !== "done" && item.tile.picture.replaceChildren(canvas),
      );
    }
    this.#draw();
  }

  /** Forgets all photos. */
  clear() {
    this.#queue.stop();
    this.#items = [];
    this.#ui.tiles.replaceChildren();
  }

  async #start() {
    this.#started = performance.now();
    this.#extension = this.#options.extension();
    const running = this.#queue.run(this.#items, this.#options.fields());
    this.#draw();
    await running;
    this.#draw();
    if (this.#items.length) announce(this.#summary());
  }

  #outdate() {
    if (this.#queue.running) return;
    for (const item of this.#items) {
      item.state = "waiting";
      this.#changed(item);
    }
  }

  #changed(item) {
    const { root, status, download, picture } = item.tile;
    root.dataset.state = item.state;
    status.textContent =
      item.state === "failed"
        ? words(item.error)[0]
        : item.state === "done"
          ? duration(item.result.elapsedMs)
          : STATES[item.state];
    download.hidden = item.state !== "done";
    if (item.state === "done")
      thumbnail(item.result.blob, 180).then((canvas) => canvas && picture.replaceChildren(canvas));
    this.#draw();
  }

  #count(state) {
    return this.#items.filter((item) => item.state === state).length;
  }

  #summary() {
    const [done, failed, all] = [this.#count("done"), this.#count("failed"), this.#items.length];
    const left = all - done - failed;
    const pace =
      done > 0 && left > 0 && this.#queue.running
        ? `, about ${duration(((performance.now() - this.#started) / done) * left)} left`
        : "";
    return `${done} of ${all} done${failed ? `, ${failed} failed` : ""}${pace}`;
  }

  #draw() {
    const { title, progress, summary, start, stop, archive, more } = this.#ui;
    const [done, failed, all] = [this.#count("done"), this.#count("failed"), this.#items.length];
    title.textContent = `${all} photos`;
    progress.max = all || 1;
    progress.value = done + failed;
    summary.textContent = this.#summary();
    const running = this.#queue.running;
    start.hidden = running || done === all;
    start.textContent = this.#startLabel(done, failed, all);
    stop.hidden = !running;
    more.disabled = running;
    archive.disabled = running || !done;
    archive.classList.toggle("primary", !running && done > 0 && done + failed === all);
    start.classList.toggle("primary", done + failed < all);
  }

  #startLabel(done, failed, all) {
    if (done + failed === 0) return `Cut out all ${all}`;
    return done + failed < all ? `Cut out the other ${all - done}` : `Try ${failed} again`;
  }

  #name(item) {
    return resultName(item.file.name, "cutout", this.#extension);
  }

  #save(item) {
    save(item.result.blob, this.#name(item));
  }

  async #archive() {
    const entries = this.#items
      .filter((item) => item.state === "done")
      .map((item) => ({ name: this.#name(item), blob: item.result.blob }));
    save(await zip(entries), "cutouts.zip");
  }
}

function layout(host, { start, stop, more, archive, clear }) {
  const button = (label, onclick, className = "") =>
    h("button", { type: "button", className: `button ${className}`, onclick }, label);
  const ui = {
    title: h("h2", {}),
    summary: h("p", { className: "muted numeric" }),
    progress: h("progress", { "aria-label": "Progress of the batch" }),
    start: button("", start, "primary"),
    stop: button("Stop", stop),
    more: button("Add photos", more),
    archive: button("Download ZIP", archive),
    tiles: h("ul", { className: "tiles" }),
  };
  host.replaceChildren(
    h(
      "div",
      { className: "batch-head" },
      h("div", {}, ui.title, ui.summary),
      h("div", { className: "batch-actions" }, button("Close", clear), ui.more, ui.archive, ui.stop, ui.start),
    ),
    ui.progress,
    ui.tiles,
  );
  return ui;
}

function tile(item, onsave) {
  const picture = h("div", { className: "tile-picture checker" });
  const status = h("span", { className: "tile-status numeric" }, STATES[item.state]);
  const download = h(
    "button",
    {
      type: "button",
      className: "button small",
      hidden: true,
      onclick: onsave,
      "aria-label": `Download the cutout of ${item.file.name}`,
    },
    "Save",
  );
  const root = h(
    "li",
    { className: "tile", data: { state: item.state } },
    picture,
    h(
      "div",
      { className: "tile-line" },
      h("div", {}, h("span", { className: "tile-name", title: item.file.name }, item.file.name), status),
      download,
    ),
  );
  return { root, picture, status, download };
}
