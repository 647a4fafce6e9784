// The account's keys: made, rotated, revoked.
import { json } from "./api.js";
import { confirm, showKey } from "./dialogs.js";
import { announce, h } from "./dom.js";
import * as session from "./session.js";
import { day, moment } from "./times.js";
import { showProblem } from "./words.js";

const PATH = "/v2/account/keys";

/** A card with all keys; `account` is the answer of GET /v2/account. */
export function keysCard({ api_key: own }) {
  const problem = h("div", { className: "problem", role: "alert" });
  const rows = h("tbody");
  const closed = h("input", { type: "checkbox", onchange: () => list() });

  async function attempt(work) {
    showProblem(problem, null);
    try {
      await work();
    } catch (error) {
      showProblem(problem, error);
    }
  }

  const list = () =>
    attempt(async () => {
      const { document } = await json("GET", PATH);
      const shown = document.keys.filter((key) => closed.checked || key.status === "active");
      rows.replaceChildren(...shown.map((key) => row(key, own, { rotate, revoke })));
    });

  const create = (label, mode) =>
    attempt(async () => {
      const { document } = await json("POST", PATH, { label, mode });
      showKey(document.key, () => session.setKey(document.key));
      await list();
    });

  async function rotate(key) {
    const sure = await confirm(
      "Rotate this key?",
      "A successor is made. The old key works for 24 hours more, but manages nothing from now on.",
      "Rotate",
    );
    if (sure)
      await attempt(async () => {
        const { document } = await json("POST", `${PATH}/${key.fingerprint}/rotate`, {});
        showKey(document.key, () => session.setKey(document.key));
        await list();
      });
  }

  async function revoke(key) {
    const sure = await confirm(
      "Revoke this key?",
      `${key.label || key.fingerprint} is refused everywhere within 60 seconds, for good.`,
      "Revoke",
    );
    if (sure)
      await attempt(async () => {
        await json("DELETE", `${PATH}/${key.fingerprint}`);
        announce("The key was revoked");
        await list();
      });
  }

  list();
  return h(
    "section",
    { className: "card wide", "aria-labelledby": "keys-title" },
    h(
      "div",
      { className: "card-head" },
      h("h2", { id: "keys-title" }, "Keys"),
      h("label", { className: "check" }, closed, "closed ones too"),
    ),
    problem,
    h(
      "div",
      { className: "table-scroll", tabindex: 0, role: "group", "aria-label": "Table of keys" },
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ["Key", "Made", "Last used", "State", "Actions"].map((text) => h("th", { scope: "col" }, text)),
          ),
        ),
        rows,
      ),
    ),
    createForm(own, create),
  );
}

function row(key, own, { rotate, revoke }) {
  const mine = key.fingerprint === own.fingerprint;
  const state = key.valid_until && key.status === "active" ? `until ${moment(key.valid_until)}` : key.status;
  const named = key.label || key.fingerprint;
  return h(
    "tr",
    {},
    h(
      "th",
      { scope: "row" },
      h("span", { className: "key-label" }, key.label || "without a label"),
      h("code", {}, key.fingerprint),
      " ",
      h("span", { className: "pill" }, key.mode),
      mine && h("span", { className: "pill good" }, "this tab"),
    ),
    h("td", {}, day(key.created_at)),
    h("td", {}, day(key.last_used_day)),
    h("td", {}, h("span", { className: `pill ${key.status === "active" ? "good" : ""}` }, state)),
    h(
      "td",
      { className: "row-actions" },
      key.status === "active" &&
        !key.valid_until &&
        h(
          "button",
          { type: "button", className: "button small", "aria-label": `Rotate ${named}`, onclick: () => rotate(key) },
          "Rotate",
        ),
      key.status === "active" &&
        !mine &&
        h(
          "button",
          {
            type: "button",
            className: "button small danger",
            "aria-label": `Revoke ${named}`,
            onclick: () => revoke(key),
          },
          "Revoke",
        ),
    ),
  );
}

function createForm(own, create) {
  const label = h("input", {
    className: "input",
    id: "new-key-label",
    maxLength: 100,
    placeholder: "such as: web shop",
    autocomplete: "off",
  });
  const modes = own.mode === "admin" ? ["live", "synthetic", "admin"] : ["live"];
  const mode = h(
    "select",
    { className: "select", "aria-label": "Mode of the new key" },
    modes.map((value) => h("option", { value }, value)),
  );
  return h(
    "form",
    {
      className: "inline-form",
      onsubmit: (event) => {
        event.preventDefault();
        create(label.value.trim() || null, mode.value);
        label.value = "";
      },
    },
    h("label", { for: "new-key-label" }, "Label"),
    label,
    modes.length > 1 && mode,
    h("button", { type: "submit", className: "button" }, "Make a key"),
  );
}
