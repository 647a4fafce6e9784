// Questions before what cannot be undone, and secrets that are shown once.
import { copy, h } from "./dom.js";

function open(title, body, actions) {
  const dialog = h(
    "dialog",
    { "aria-labelledby": "dialog-title" },
    h("h2", { id: "dialog-title" }, title),
    ...body,
    h("div", { className: "dialog-actions" }, actions),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Asks; resolves to whether `action` was chosen. */
export function confirm(title, text, action) {
  return new Promise((resolve) => {
    const dialog = open(
      title,
      [h("p", { className: "muted" }, text)],
      [
        h("button", { type: "button", className: "button", autofocus: true, onclick: () => dialog.close() }, "Cancel"),
        h("button", { type: "button", className: "button danger", onclick: () => dialog.close("yes") }, action),
      ],
    );
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
  });
}

/** Shows a new key; `use` puts it into this tab. */
export function showKey(key, use) {
  const button = h("button", { type: "button", className: "button small", onclick: () => copy(key, button) }, "Copy");
  const dialog = open(
    "Your new key",
    [
      h("p", { className: "muted" }, "It is shown this once. Keep it where you keep passwords."),
      h("div", { className: "secret" }, h("code", { id: "new-key" }, key), button),
    ],
    [
      h(
        "button",
        {
          type: "button",
          className: "button",
          onclick: () => {
            dialog.close();
            use();
          },
        },
        "Use in this tab",
      ),
      h("button", { type: "button", className: "button primary", onclick: () => dialog.close() }, "I have kept it"),
    ],
  );
}
