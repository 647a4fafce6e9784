// What was made in this tab, newest first. It lives in memory and ends with the tab.
import { byId, h } from "./dom.js";
import { thumbnail } from "./thumbnail.js";

const KEPT = 24;

/** Remembers results; `reopen(entry)` is called when one is chosen. */
export class History {
  #entries = [];
  #reopen;

  constructor(reopen) {
    this.#reopen = reopen;
  }

  /** The entry for a file under settings, if there is one. */
  find(file, fingerprint) {
    return this.#entries.find((entry) => entry.file === file && entry.fingerprint === fingerprint);
  }

  /** Puts an entry in front. */
  async add(entry) {
    const button = h("button", {
      type: "button",
      className: "history-item checker",
      "aria-label": `${entry.name}, open again`,
      title: entry.name,
      onclick: () => this.#reopen(entry),
    });
    entry.item = h("li", {}, button);
    this.#entries.unshift(entry);
    byId("history-items").prepend(entry.item);
    for (const old of this.#entries.splice(KEPT)) old.item.remove();
    byId("history").hidden = this.#entries.length < 2;
    button.append((await thumbnail(entry.result.blob, 128)) ?? h("span", {}, entry.name.split(".").pop()));
  }

  /** Marks the entry that is open. */
  current(entry) {
    for (const { item } of this.#entries) item.firstChild.removeAttribute("aria-current");
    entry.item.firstChild.setAttribute("aria-current", "true");
  }
}
