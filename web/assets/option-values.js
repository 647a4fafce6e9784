// What a person has chosen: the values of the options, and what of them a request carries.
import { GROUPS } from "./options.js";

const ALL = GROUPS.flatMap((group) => group.options);

/** The settings of a form: values by name, absent where they are the initial ones. */
export class Options extends EventTarget {
  #values = new Map();

  /** The value of an option; `bg_image_file` is a File or "". */
  get(name) {
    return this.#values.get(name) ?? ALL.find((option) => option.name === name).initial;
  }

  /** Sets an option, and tells who listens. */
  set(name, value) {
    const option = ALL.find((one) => one.name === name);
    if (value === "" || value === option.initial) this.#values.delete(name);
    else this.#values.set(name, value);
    this.dispatchEvent(new CustomEvent("change", { detail: name }));
  }

  /** All settings, to be put back by `restore`. */
  snapshot() {
    return new Map(this.#values);
  }

  /** Puts settings back; without any, the initial ones. The form is built anew. */
  restore(values = new Map()) {
    this.#values = new Map(values);
    this.dispatchEvent(new CustomEvent("change", { detail: "" }));
  }

  /** Whether an option has an effect beside the others. */
  applies(option) {
    if (option.without && this.#values.has(option.without)) return false;
    return (
      !option.needs ||
      option.needs.some((need) => {
        const [name, value] = need.split("=");
        return value ? this.get(name) === value : this.#values.has(name);
      })
    );
  }

  /** What a request carries: [name, value] pairs in the table's order. */
  fields() {
    return ALL.filter((option) => this.#values.has(option.name) && this.applies(option)).map((option) => [
      option.name,
      this.#values.get(option.name),
    ]);
  }

  /** Settings as one text: equal for equal requests. */
  fingerprint() {
    return JSON.stringify(
      this.fields().map(([name, value]) => [
        name,
        value instanceof File ? [value.name, value.size, value.lastModified] : value,
      ]),
    );
  }

  /** The ending of the answer's file name. */
  extension() {
    return this.get("channels") === "alpha" ? "png" : this.get("format");
  }
}
