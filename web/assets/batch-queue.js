// Many photos, a few at a time, in order; what the service is too busy for is sent again when it says so.
import { removeBackground } from "./api.js";

const AT_ONCE = 3;
const TRIES = 6;
const BUSY = new Set(["rate_limited", "service_unavailable"]);

/** Works on items ({file, state, result, error}); `changed(item)` is called at every change of one. */
export class BatchQueue {
  #changed;
  #stop = null;

  constructor(changed) {
    this.#changed = changed;
  }

  /** Whether it is at work. */
  get running() {
    return this.#stop !== null;
  }

  /** Works on the items that are not done; resolves when all are, or when stopped. */
  async run(items, fields) {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const waiting = items.filter((item) => item.state !== "done");
    for (const item of waiting) this.#set(item, "waiting");
    const worker = async () => {
      for (let item = waiting.shift(); item && !signal.aborted; item = waiting.shift())
        await this.#work(item, fields, signal);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    this.#stop = null;
  }

  /** Ends the work; what was not done is waiting again. */
  stop() {
    this.#stop?.abort();
  }

  async #work(item, fields, signal) {
    this.#set(item, "working");
    for (let tries = 1; ; tries++) {
      try {
        item.result = await removeBackground(item.file, fields, signal);
        return this.#set(item, "done");
      } catch (error) {
        if (signal.aborted) return this.#set(item, "waiting");
        if (!BUSY.has(error.code) || tries === TRIES) {
          item.error = error;
          return this.#set(item, "failed");
        }
        await pause(Math.max(1, error.retryAfterS) * 1000 * (0.5 + Math.random()), signal);
      }
    }
  }

  #set(item, state) {
    item.state = state;
    if (state !== "failed") item.error = null;
    this.#changed(item);
  }
}

const pause = (ms, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
