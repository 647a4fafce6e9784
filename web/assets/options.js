// The options of POST /v2: how each is shown, and what of them a request carries. docs/openapi.yaml says what they mean;
// a test holds this table to it.

const percent = (max, step = 0.5) => ({ min: 0, max, step, unit: "%" });

/** Groups of options; `needs` names the option (and its value) without which one does nothing. */
export const GROUPS = [
  { title: "Result", open: true, options: [
    { name: "format", label: "Format", control: "choice", initial: "png",
      choices: [["png", "PNG"], ["webp", "WebP"], ["jpg", "JPEG"], ["bmp", "BMP"], ["tiff", "TIFF"], ["gif", "GIF"], ["zip", "ZIP: colours and mask"]],
      hint: "JPEG, BMP and GIF have no soft transparency: they are flattened." },
    { name: "size", label: "Size", control: "choice", initial: "full",
      choices: [["preview", "Preview, 0.25 MP"], ["medium", "Medium, 1.5 MP"], ["hd", "HD, 4 MP"], ["full", "Full, up to 50 MP"]] },
    { name: "channels", label: "Channels", control: "segmented", initial: "rgba", choices: [["rgba", "Picture"], ["alpha", "Mask only"]] },
  ] },
  { title: "Background", open: true, options: [
    { name: "bg_color", label: "Colour", control: "color", initial: "", placeholder: "transparent", shows: "#ffffff" },
    { name: "bg_image_file", label: "Image", control: "file", initial: "" },
    { name: "bg_image_url", label: "Image behind a URL", control: "text", initial: "", placeholder: "https://", without: "bg_image_file" },
    { name: "bg_fit", label: "Image fills", control: "segmented", initial: "cover", choices: [["cover", "Cover"], ["fit", "Fit"]], needs: ["bg_image_file", "bg_image_url"] },
    { name: "bg_blur", label: "Blur", control: "range", initial: "0", min: 0, max: 100, step: 1, unit: "",
      hint: "Without an image the photo's own background is kept and blurred." },
  ] },
  { title: "Frame", options: [
    { name: "crop", label: "Crop to the subject", control: "switch", initial: "false" },
    { name: "crop_margin", label: "Margin around it", control: "range", initial: "0%", ...percent(50, 1), needs: ["crop"] },
    { name: "canvas", label: "Canvas", control: "text", initial: "original", placeholder: "original, background, 1200x800",
      suggestions: ["original", "background", "1080x1080", "1200x800", "2000x2000"] },
    { name: "canvas_fit", label: "Photo on the canvas", control: "segmented", initial: "fit", choices: [["fit", "Fit"], ["cover", "Cover"]], needs: ["canvas"] },
    { name: "scale", label: "Subject's size", control: "range", initial: "original", min: 10, max: 100, step: 1, unit: "%" },
    { name: "position", label: "Subject's place", control: "position", initial: "original" },
  ] },
  { title: "Shadow", options: [
    { name: "shadow", label: "Shadow", control: "segmented", initial: "none", choices: [["none", "None"], ["drop", "Drop"], ["contact", "Contact"]] },
    { name: "shadow_opacity", label: "Strength", control: "range", initial: "50", min: 0, max: 100, step: 1, unit: "", needs: ["shadow"] },
    { name: "shadow_blur", label: "Softness", control: "range", initial: "4%", ...percent(30), needs: ["shadow"] },
    { name: "shadow_offset_x", label: "To the right", control: "range", initial: "2%", min: -30, max: 30, step: 0.5, unit: "%", needs: ["shadow=drop"] },
    { name: "shadow_offset_y", label: "Down", control: "range", initial: "3%", min: -30, max: 30, step: 0.5, unit: "%", needs: ["shadow=drop"] },
    { name: "shadow_color", label: "Colour", control: "color", initial: "", placeholder: "black", shows: "#000000", needs: ["shadow"] },
  ] },
  { title: "Outline", options: [
    { name: "stroke_width", label: "Width", control: "range", initial: "0px", min: 0, max: 60, step: 1, unit: "px" },
    { name: "stroke_color", label: "Colour", control: "color", initial: "", placeholder: "white", shows: "#ffffff", needs: ["stroke_width"] },
    { name: "stroke_opacity", label: "Strength", control: "range", initial: "100", min: 0, max: 100, step: 1, unit: "", needs: ["stroke_width"] },
    { name: "stroke_softness", label: "Softness", control: "range", initial: "0px", min: 0, max: 40, step: 1, unit: "px", needs: ["stroke_width"] },
  ] },
  { title: "Edges", options: [
    { name: "despill", label: "Remove colour spill", control: "switch", initial: "false", hint: "Takes the old background's colour out of soft edges." },
    { name: "semitransparency", label: "Keep glass and windows", control: "switch", initial: "true" },
    { name: "own_alpha", label: "The photo's own transparency", control: "choice", initial: "honour",
      choices: [["honour", "Honour"], ["keep", "Keep as the mask"], ["discard", "Discard"]] },
    { name: "roi", label: "Look for the subject only in", control: "text", initial: "", placeholder: "0% 0% 50% 100%", hint: "Two corners, in pixels or percent: x1 y1 x2 y2." },
  ] },
];

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
    return !option.needs || option.needs.some((need) => {
      const [name, value] = need.split("=");
      return value ? this.get(name) === value : this.#values.has(name);
    });
  }

  /** What a request carries: [name, value] pairs in the table's order. */
  fields() {
    return ALL.filter((option) => this.#values.has(option.name) && this.applies(option)).map((option) => [option.name, this.#values.get(option.name)]);
  }

  /** Settings as one text: equal for equal requests. */
  fingerprint() {
    return JSON.stringify(this.fields().map(([name, value]) => [name, value instanceof File ? [value.name, value.size, value.lastModified] : value]));
  }

  /** The ending of the answer's file name. */
  extension() {
    return this.get("channels") === "alpha" ? "png" : this.get("format");
  }
}
