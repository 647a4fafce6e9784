// The form of all options. Each control writes into Options, which tells the rest of the page.
import { h, radios } from "./dom.js";
import { GROUPS } from "./options.js";

const PLACES = ["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"];

/** Builds the form inside `form`; it follows `options` and changes them. `run` is called by its button. */
export function optionsForm(form, options, run) {
  const foot = runRow(run);
  const build = () => {
    const rows = [];
    form.replaceChildren(head(options), h("div", { className: "options-scroll" }, GROUPS.map((group) => details(group, options, rows))), foot);
    return () => rows.forEach(([row, option]) => { row.hidden = !options.applies(option); });
  };
  let follow = build();
  follow();
  options.addEventListener("change", ({ detail }) => {
    if (detail === "") follow = build();
    follow();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
}

/** Marks the control of the option that was refused, and opens its group; without a name all are right again. */
export function markWrong(form, name) {
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-errormessage");
  }
  const row = name && form.querySelector(`[data-option="${CSS.escape(name)}"]`);
  if (!row) return;
  row.closest("details").open = true;
  for (const input of row.querySelectorAll("input, select")) {
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-errormessage", "problem");
  }
}

function head(options) {
  return h("div", { className: "options-head" },
    h("h2", {}, "Options"),
    h("button", { type: "button", className: "button quiet small", onclick: () => options.restore() }, "Reset"));
}

function runRow(run) {
  const button = h("button", { type: "button", className: "button small", id: "run", disabled: true, onclick: run }, "Run");
  return h("div", { className: "run-row" },
    h("label", { className: "switch" },
      h("input", { type: "checkbox", role: "switch", id: "live", checked: true, onchange: (event) => { button.disabled = event.target.checked; } }),
      h("span", {}, "Run at every change", h("small", {}, "Each run counts as one image."))),
    button);
}

function details(group, options, rows) {
  const open = group.open || group.options.some((option) => options.get(option.name) !== option.initial);
  const fields = group.options.map((option) => {
    const row = CONTROLS[option.control](option, options);
    if (option.hint) row.append(h("p", { className: "hint", id: `${option.name}-hint` }, option.hint));
    rows.push([row, option]);
    return row;
  });
  return h("details", { open }, h("summary", {}, group.title), h("div", { className: "option-group" }, fields));
}

const labelled = (option, ...controls) => h("div", { className: "option", data: { option: option.name } },
  h("label", { className: "option-label", for: `o-${option.name}` }, option.label), ...controls);
const described = (option) => (option.hint ? `${option.name}-hint` : undefined);

const CONTROLS = {
  choice: (option, options) => labelled(option,
    h("select", { className: "select", id: `o-${option.name}`, "aria-describedby": described(option), onchange: (event) => options.set(option.name, event.target.value) },
      option.choices.map(([value, label]) => h("option", { value, selected: value === options.get(option.name) }, label)))),

  segmented(option, options) {
    const group = h("div", { className: "segmented fill small", role: "radiogroup", "aria-label": option.label });
    radios(group, option.name, option.choices, options.get(option.name), (value) => options.set(option.name, value));
    return h("div", { className: "option", data: { option: option.name } }, h("span", { className: "option-label" }, option.label), group);
  },

  switch: (option, options) => h("div", { className: "option", data: { option: option.name } },
    h("label", { className: "switch" }, h("span", {}, option.label),
      h("input", { type: "checkbox", role: "switch", id: `o-${option.name}`, "aria-describedby": described(option), checked: options.get(option.name) === "true",
        onchange: (event) => options.set(option.name, String(event.target.checked)) }))),

  text: (option, options) => labelled(option,
    h("input", { className: "input mono", id: `o-${option.name}`, value: options.get(option.name) === option.initial ? "" : options.get(option.name),
      placeholder: option.placeholder, autocomplete: "off", spellcheck: false, "aria-describedby": described(option),
      list: option.suggestions && `${option.name}-list`, onchange: (event) => options.set(option.name, event.target.value.trim()) }),
    option.suggestions && h("datalist", { id: `${option.name}-list` }, option.suggestions.map((value) => h("option", { value })))),

  range(option, options) {
    const number = () => Number.parseFloat(options.get(option.name));
    const slider = h("input", { type: "range", id: `o-${option.name}`, min: option.min, max: option.max, step: option.step, "aria-describedby": described(option),
      oninput: () => { field.value = slider.value + option.unit; }, onchange: () => options.set(option.name, slider.value + option.unit) });
    const field = h("input", { className: "input mono", "aria-label": `${option.label}, as text`, value: options.get(option.name), autocomplete: "off", spellcheck: false,
      onchange: () => { options.set(option.name, field.value.trim()); slider.value = Number.isNaN(number()) ? option.max : number(); field.value = options.get(option.name); } });
    slider.value = Number.isNaN(number()) ? option.max : number();
    return labelled(option, h("div", { className: "range-row" }, slider, field));
  },

  color(option, options) {
    const picker = h("input", { type: "color", "aria-label": `${option.label}, picked`, value: hex(options.get(option.name) || option.shows),
      onchange: () => { field.value = picker.value; options.set(option.name, picker.value); } });
    const field = h("input", { className: "input mono", id: `o-${option.name}`, placeholder: option.placeholder, value: options.get(option.name), autocomplete: "off", spellcheck: false,
      onchange: () => { options.set(option.name, field.value.trim()); picker.value = hex(field.value || option.shows); } });
    return labelled(option, h("div", { className: "color-row" }, picker, field));
  },

  file(option, options) {
    const input = h("input", { type: "file", accept: "image/*", hidden: true, onchange: () => choose(input.files[0] ?? "") });
    const button = h("button", { type: "button", className: "button small", id: `o-${option.name}`, onclick: () => input.click() }, "Choose an image");
    const remove = h("button", { type: "button", className: "icon-button", "aria-label": "Remove the background image", onclick: () => { input.value = ""; choose(""); } }, "×");
    const choose = (file) => {
      button.textContent = file ? file.name : "Choose an image";
      remove.hidden = !file;
      options.set(option.name, file);
    };
    const file = options.get(option.name);
    if (file) button.textContent = file.name;
    remove.hidden = !file;
    return h("div", { className: "option", data: { option: option.name } }, h("span", { className: "option-label" }, option.label), h("div", { className: "file-row" }, button, remove, input));
  },

  position(option, options) {
    const group = h("div", { className: "places", role: "radiogroup", "aria-label": option.label });
    const choices = [["original", "as in the photo"], ...PLACES.map((place) => [place, place.replace("-", " ")])];
    radios(group, option.name, choices, options.get(option.name), (value) => options.set(option.name, value),
      (value, label) => h("span", { title: label }, value === "original" ? "As in the photo" : ""));
    return h("div", { className: "option", data: { option: option.name } }, h("span", { className: "option-label" }, option.label), group);
  },
};

/** What a colour picker can show of a colour; black for the rest. */
function hex(text) {
  const digits = text.replace("#", "").toLowerCase();
  if (/^[0-9a-f]{3,4}$/.test(digits)) return `#${[...digits.slice(0, 3)].map((digit) => digit + digit).join("")}`;
  return /^[0-9a-f]{6}([0-9a-f]{2})?$/.test(digits) ? `#${digits.slice(0, 6)}` : "#000000";
}
