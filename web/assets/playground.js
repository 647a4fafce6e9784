// What the playground does: photos come in, one is worked on at every change of an option, many become a batch.
import { removeBackground } from "./api.js";
import { Batch } from "./batch.js";
import { announce, byId, copy, duration, radios, resultName } from "./dom.js";
import { showFacts } from "./facts.js";
import { History } from "./history.js";
import { maskOf } from "./mask.js";
import { Options } from "./option-values.js";
import { markWrong, optionsForm } from "./options-form.js";
import * as session from "./session.js";
import { LANGUAGES, snippet } from "./snippets.js";
import { sources } from "./sources.js";
import { Viewer } from "./viewer.js";
import { showProblem, words } from "./words.js";

const PAUSE_MS = 300;
/** Between a change of an option and the request, so that a few quick changes are one. */

export class Playground {
  #options = new Options();
  #viewer = new Viewer((result) => this.#mask(result));
  #history = new History((entry) => this.#reopen(entry));
  #batch = new Batch(byId("batch"), this.#options);
  #file = null;
  #running = null;
  #pause = 0;
  #language = "curl";

  constructor() {
    optionsForm(byId("options"), this.#options, () => this.#run());
    this.#options.addEventListener("change", () => this.#changed());
    session.onKey(() => this.#changed());
    sources((files) => this.open(files));
    radios(byId("languages"), "language", LANGUAGES, this.#language, (language) => {
      this.#language = language;
      this.#showRequest();
    });
    byId("copy-request").addEventListener("click", (event) => copy(byId("snippet").textContent, event.currentTarget));
    byId("another").addEventListener("click", () => this.#state("start"));
  }

  /** Takes photos: one is opened, several are a batch. */
  open(files) {
    if (!files.length) return;
    if (files.length > 1 || byId("playground").dataset.state === "batch") return this.#openBatch(files);
    this.#file = files[0];
    this.#viewer.open(this.#file);
    this.#state("single");
    this.#run();
  }

  #openBatch(files) {
    this.#abort();
    this.#state("batch");
    this.#file = files[0];
    this.#batch.add(files);
    this.#showRequest();
  }

  #state(state) {
    if (state === "start") {
      this.#abort();
      this.#batch.clear();
      showProblem(byId("problem"), null);
    }
    byId("playground").dataset.state = state;
    scrollTo(0, 0);
  }

  #changed() {
    this.#showRequest();
    clearTimeout(this.#pause);
    if (byId("playground").dataset.state === "single" && byId("live").checked)
      this.#pause = setTimeout(() => this.#run(), PAUSE_MS);
  }

  #abort() {
    clearTimeout(this.#pause);
    this.#running?.abort();
    this.#running = null;
    this.#viewer.busy(false);
  }

  async #run() {
    this.#abort();
    this.#showRequest();
    const [file, fields] = [this.#file, this.#options.fields()];
    const known = this.#history.find(file, this.#options.fingerprint());
    if (known) return this.#show(known);
    const running = new AbortController();
    this.#running = running;
    this.#viewer.busy(true);
    this.#offer(null);
    announce("Working on the photo");
    try {
      const result = await removeBackground(file, fields, running.signal);
      const entry = {
        file,
        fingerprint: this.#options.fingerprint(),
        settings: this.#options.snapshot(),
        result,
        name: resultName(file.name, "cutout", this.#options.extension()),
      };
      if (this.#running !== running) return;
      this.#history.add(entry);
      this.#show(entry);
      announce(`Done in ${duration(result.elapsedMs)}`);
    } catch (error) {
      if (error.name === "AbortError") return;
      showProblem(byId("problem"), error, () => this.#run());
      markWrong(byId("options"), error.details?.option);
      announce(words(error)[0]);
    } finally {
      if (this.#running === running) this.#abort();
    }
  }

  #show(entry) {
    showProblem(byId("problem"), null);
    markWrong(byId("options"));
    this.#viewer.show(entry.result);
    showFacts(byId("facts"), entry);
    this.#offer(entry);
    this.#history.current(entry);
  }

  #reopen(entry) {
    this.#abort();
    this.#file = entry.file;
    this.#viewer.open(entry.file);
    this.#options.restore(entry.settings);
    clearTimeout(this.#pause);
    this.#state("single");
    this.#show(entry);
  }

  /** The download of a result; null takes it back. */
  #offer(entry) {
    const link = byId("download");
    if (link.href) URL.revokeObjectURL(link.href);
    link.removeAttribute("href");
    link.setAttribute("aria-disabled", String(!entry));
    if (!entry) return;
    link.href = URL.createObjectURL(entry.result.blob);
    link.download = entry.name;
  }

  /** The mask of a result: from its transparency, or, where it has none, by another request. */
  async #mask(result) {
    if (this.#options.get("channels") === "alpha") return result.blob;
    const own = await maskOf(result.blob);
    if (own) return own;
    const fields = this.#options.fields().filter(([name]) => name !== "format" && name !== "channels");
    return (await removeBackground(this.#file, [...fields, ["channels", "alpha"]])).blob;
  }

  #showRequest() {
    const file = this.#file?.name ?? "photo.jpg";
    byId("snippet").textContent = snippet(this.#language, {
      url: `${session.origin()}/v2`,
      file,
      fields: this.#options.fields(),
      output: resultName(file, "cutout", this.#options.extension()),
    });
  }
}
