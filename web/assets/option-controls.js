// The controls of the options, by kind. Each writes into Options.
import { h, radios } from "./dom.js";

const PLACES = ["top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"];

const labelled = (option, ...controls) =>
  h(
    "div",
    { className: "option", data: { option: option.name } },
    h("label", { className: "option-label", for: `o-${option.name}` }, option.label),
    ...controls,
  );
const described = (option) => (option.hint ? `${option.name}-hint` : undefined);

/** Makes the row of an option, by the kind of its control. */
export const CONTROLS = {
  choice: (option, options) =>
    labelled(
      option,
      h(
        "select",
        {
          className: "select",
          id: `o-${option.name}`,
          "aria-describedby": described(option),
          onchange: (event) => options.set(option.name, event.target.value),
        },
        option.choices.map(([value, label]) =>
          h("option", { value, selected: value === options.get(option.name) }, label),
        ),
      ),
    ),

  segmented(option, options) {
    const group = h("div", { className: "segmented fill small", role: "radiogroup", "aria-label": option.label });
    radios(group, option.name, option.choices, options.get(option.name), (value) => options.set(option.name, value));
    return h(
      "div",
      { className: "option", data: { option: option.name } },
      h("span", { className: "option-label" }, option.label),
      group,
    );
  },

  switch: (option, options) =>
    h(
      "div",
      { className: "option", data: { option: option.name } },
      h(
        "label",
        { className: "switch" },
        h("span", {}, option.label),
        h("input", {
          type: "checkbox",
          role: "switch",
          id: `o-${option.name}`,
          "aria-describedby": described(option),
          checked: options.get(option.name) === "true",
          onchange: (event) => options.set(option.name, String(event.target.checked)),
        }),
      ),
    ),

  text: (option, options) =>
    labelled(
      option,
      h("input", {
        className: "input mono",
        id: `o-${option.name}`,
        value: options.get(option.name) === option.initial ? "" : options.get(option.name),
        placeholder: option.placeholder,
        autocomplete: "off",
        spellcheck: false,
        "aria-describedby": described(option),
        list: option.suggestions && `${option.name}-list`,
        onchange: (event) => options.set(option.name, event.target.value.trim()),
      }),
      option.suggestions &&
        h(
          "datalist",
          { id: `${option.name}-list` },
          option.suggestions.map((value) => h("option", { value })),
        ),
    ),

  range(option, options) {
    const number = () => Number.parseFloat(options.get(option.name));
    const slider = h("input", {
      type: "range",
      id: `o-${option.name}`,
      min: option.min,
      max: option.max,
      step: option.step,
      "aria-describedby": described(option),
      oninput: () => {
        field.value = slider.value + option.unit;
      },
      onchange: () => options.set(option.name, slider.value + option.unit),
    });
    const field = h("input", {
      className: "input mono",
      "aria-label": `${option.label}, as text`,
      value: options.get(option.name),
      autocomplete: "off",
      spellcheck: false,
      onchange: () => {
        options.set(option.name, field.value.trim());
        slider.value = Number.isNaN(number()) ? option.max : number();
        field.value = options.get(option.name);
      },
    });
    slider.value = Number.isNaN(number()) ? option.max : number();
    return labelled(option, h("div", { className: "range-row" }, slider, field));
  },

  color(option, options) {
    const picker = h("input", {
      type: "color",
      "aria-label": `${option.label}, picked`,
      value: hex(options.get(option.name) || option.shows),
      onchange: () => {
        field.value = picker.value;
        options.set(option.name, picker.value);
      },
    });
    const field = h("input", {
      className: "input mono",
      id: `o-${option.name}`,
      placeholder: option.placeholder,
      value: options.get(option.name),
      autocomplete: "off",
      spellcheck: false,
      onchange: () => {
        options.set(option.name, field.value.trim());
        picker.value = hex(field.value || option.shows);
      },
    });
    return labelled(option, h("div", { className: "color-row" }, picker, field));
  },

  file(option, options) {
    const input = h("input", {
      type: "file",
      accept: "image/*",
      hidden: true,
      onchange: () => choose(input.files[0] ?? ""),
    });
    const button = h(
      "button",
      { type: "button", className: "button small", id: `o-${option.name}`, onclick: () => input.click() },
      "Choose an image",
    );
    const remove = h(
      "button",
      {
        type: "button",
        className: "icon-button",
        "aria-label": "Remove the background image",
        onclick: () => {
          input.value = "";
          choose("");
        },
      },
      "×",
    );
    const choose = (file) => {
      button.textContent = file ? file.name : "Choose an image";
      remove.hidden = !file;
      options.set(option.name, file);
    };
    const file = options.get(option.name);
    if (file) button.textContent = file.name;
    remove.hidden = !file;
    return h(
      "div",
      { className: "option", data: { option: option.name } },
      h("span", { className: "option-label" }, option.label),
      h("div", { className: "file-row" }, button, remove, input),
    );
  },

  position(option, options) {
    const group = h("div", { className: "places", role: "radiogroup", "aria-label": option.label });
    const choices = [["original", "as in the photo"], ...PLACES.map((place) => [place, place.replace("-", " ")])];
    radios(
      group,
      option.name,
      choices,
      options.get(option.name),
      (value) => options.set(option.name, value),
      (value, label) => h("span", { title: label }, value === "original" ? "As in the photo" : ""),
    );
    return h(
      "div",
      { className: "option", data: { option: option.name } },
      h("span", { className: "option-label" }, option.label),
      group,
    );
  },
};

/** What a colour picker can show of a colour of CSS: no transparency; black for what is none. */
function hex(text) {
  const pen = new OffscreenCanvas(1, 1).getContext("2d");
  pen.fillStyle = text;
  pen.fillRect(0, 0, 1, 1);
  const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
  return `#${[red, green, blue].map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
