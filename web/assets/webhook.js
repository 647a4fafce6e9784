// The secret that signs the account's webhooks: hidden until asked for, and replaced.
import { json } from "./api.js";
import { confirm } from "./dialogs.js";
import { announce, copy, h } from "./dom.js";
import { moment } from "./times.js";
import { webhookTest } from "./webhook-test.js";
import { showProblem } from "./words.js";

const PATH = "/v2/account/webhook-secret";

/** A card that asks for the secret when its button is pressed. */
export function webhookCard() {
  const problem = h("div", { className: "problem", role: "alert" });
  const body = h("div", { className: "webhook-body" });

  async function ask(method) {
    showProblem(problem, null);
    try {
      const { document } = await json(method, PATH);
      body.replaceChildren(shown(document, hide));
    } catch (error) {
      showProblem(problem, error);
    }
  }

  function hide() {
    body.replaceChildren(
      h(
        "div",
        { className: "secret" },
        h("code", {}, "whsec_••••••••••••••••••••"),
        h("button", { type: "button", className: "button small", onclick: () => ask("GET") }, "Show"),
      ),
    );
  }

  async function rotate() {
    if (
      !(await confirm(
        "Replace the secret?",
        "For a day webhooks are signed by both, the new and the old one; then by the new one alone.",
        "Replace",
      ))
    )
      return;
    await ask("POST");
    announce("The secret was replaced");
  }

  hide();
  return h(
    "section",
    { className: "card wide", "aria-labelledby": "webhook-title" },
    h(
      "div",
      { className: "card-head" },
      h("h2", { id: "webhook-title" }, "Webhook secret"),
      h("button", { type: "button", className: "button small", onclick: rotate }, "Replace"),
    ),
    h("p", { className: "fine" }, "Signs what is posted to a job's webhook_url, as Standard Webhooks describe."),
    problem,
    body,
    webhookTest(),
  );
}

function shown({ secret, created_at: created, previous_valid_until: previous }, hide) {
  const button = h(
    "button",
    { type: "button", className: "button small", onclick: () => copy(secret, button) },
    "Copy",
  );
  return h(
    "div",
    {},
    h(
      "div",
      { className: "secret" },
      h("code", { id: "webhook-secret" }, secret),
      button,
      h("button", { type: "button", className: "button small", onclick: hide }, "Hide"),
    ),
    h(
      "p",
      { className: "fine" },
      `Made ${moment(created)}.${previous ? ` The one before signs too until ${moment(previous)}.` : ""}`,
    ),
  );
}
