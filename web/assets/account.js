// The account page: the key of this tab, and what the API tells about its account. Each card loads by itself.
import { json } from "./api.js";
import { announce, h } from "./dom.js";
import { jobsCard } from "./jobs.js";
import { keysCard } from "./keys.js";
import * as session from "./session.js";
import { trainingChoice } from "./training-choice.js";
import { usageCard } from "./usage.js";
import { usageDaysCard } from "./usage-days.js";
import { webhookCard } from "./webhook.js";
import { showProblem } from "./words.js";

const STATUS = {
  active: "active",
  trialing: "on trial",
  past_due: "payment is due",
  suspended: "suspended",
  canceled: "cancelled",
};
let listening = false;

/** Shows the account in `host`, from the service's current answers. */
export function showAccount(host) {
  if (!listening) session.onKey(() => document.documentElement.dataset.view === "account" && showAccount(host));
  listening = true;
  const problem = h("div", { className: "problem", role: "alert" });
  const cards = h("div", { className: "cards" });
  host.replaceChildren(h("div", { className: "account-head" }, h("h1", {}, "Account"), keyForm()), problem, cards);
  if (session.key()) load(cards, problem);
}

function keyForm() {
  const input = h("input", {
    className: "input mono",
    id: "key-input",
    type: "password",
    value: session.key(),
    placeholder: "ct_live_…",
    autocomplete: "off",
    spellcheck: false,
    "aria-describedby": "key-note",
  });
  const reveal = h(
    "button",
    {
      type: "button",
      className: "button small quiet",
      "aria-pressed": "false",
      onclick: () => {
        const shown = input.type === "text";
        input.type = shown ? "password" : "text";
        reveal.textContent = shown ? "Show" : "Hide";
        reveal.setAttribute("aria-pressed", String(!shown));
      },
    },
    "Show",
  );
  return h(
    "form",
    {
      className: "key-form",
      onsubmit: (event) => {
        event.preventDefault();
        session.setKey(input.value);
        announce("The key was changed");
      },
    },
    h("label", { for: "key-input" }, "API key of this tab"),
    h(
      "div",
      { className: "key-row" },
      input,
      reveal,
      h("button", { type: "submit", className: "button small primary" }, "Use"),
      h("button", { type: "button", className: "button small", onclick: () => session.setKey("") }, "Forget"),
    ),
    h("p", { className: "fine", id: "key-note" }, "It stays in this tab's session and is sent to this service alone."),
  );
}

async function load(cards, problem) {
  cards.replaceChildren(h("p", { className: "muted loading" }, "Loading …"));
  try {
    const { document: account, headers } = await json("GET", "/v2/account");
    cards.replaceChildren(
      usageCard(account.usage),
      accountCard(account, headers),
      usageDaysCard(),
      keysCard(account),
      jobsCard(),
      webhookCard(),
    );
  } catch (error) {
    cards.replaceChildren();
    showProblem(problem, error, () => load(cards, problem));
    problem.querySelector("a")?.remove();
  }
}

function accountCard({ account, api_key: key }, headers) {
  const good = account.subscription_status === "active" || account.subscription_status === "trialing";
  const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, ...value));
  return h(
    "section",
    { className: "card", "aria-labelledby": "account-title" },
    h("h2", { id: "account-title" }, "Key and account"),
    h(
      "dl",
      { className: "facts-list" },
      fact("Key", h("code", {}, key.fingerprint), " ", h("span", { className: "pill" }, key.mode)),
      fact("Account", account.email || "without an address"),
      fact(
        "Plan",
        account.plan,
        " ",
        h(
          "span",
          { className: `pill ${good ? "good" : "bad"}` },
          STATUS[account.subscription_status] ?? account.subscription_status,
        ),
      ),
      fact("Rate", `${headers.get("x-ratelimit-limit")} requests per second`),
    ),
    trainingChoice(account),
  );
}
