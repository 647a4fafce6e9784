// The form of all options. Each control writes into Options, which tells the rest of the page.
import { h } from "./dom.js";
import { CONTROLS } from "./option-controls.js";
import { GROUPS } from "./options.js";

/** Builds the form inside `form`; it follows `options` and changes them. `run` is called by its button. */
export function optionsForm(form, options, run) {
  const foot = runRow(run);
  const build = () => {
    const rows = [];
    form.replaceChildren(
      head(options),
      h(
        "div",
        { className: "options-scroll" },
        GROUPS.map((group) => details(group, options, rows)),
      ),
      foot,
    );
    return () =>
      rows.forEach(([row, option]) => {
        row.hidden = !options.applies(option);
      });
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
  return h(
    "div",
    { className: "options-head" },
    h("h2", {}, "Options"),
    h("button", { type: "button", className: "button quiet small", onclick: () => options.restore() }, "Reset"),
  );
}

function runRow(run) {
  const button = h(
    "button",
    { type: "button", className: "button small", id: "run", disabled: true, onclick: run },
    "Run",
  );
  return h(
    "div",
    { className: "run-row" },
    h(
      "label",
      { className: "switch" },
      h("input", {
        type: "checkbox",
        role: "switch",
        id: "live",
        checked: true,
        onchange: (event) => {
          button.disabled = event.target.checked;
        },
      }),
      h("span", {}, "Run at every change", h("small", {}, "Each run counts as one image.")),
    ),
    button,
  );
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
