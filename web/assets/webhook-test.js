// A form that posts a signed test event to a receiver and says what came of it.
import { json } from "./api.js";
import { announce, h } from "./dom.js";
import { showProblem } from "./words.js";

const FAILURES = {
  not_allowed: "its address is not public",
  no_such_name: "there is no such name",
  too_slow: "it did not answer within ten seconds",
  bad_certificate: "its certificate is not good",
  unreachable: "no server answered there",
  endless: "its answer had no end",
};

/** The form, for the card of webhooks. */
export function webhookTest() {
  const input = h("input", {
    className: "input mono",
    id: "webhook-url",
    type: "url",
    required: true,
    placeholder: "https://example.com/cutout",
    spellcheck: false,
  });
  const problem = h("div", { className: "problem", role: "alert" });
  const outcome = h("p", { className: "webhook-outcome", id: "webhook-outcome" });
  const button = h("button", { type: "submit", className: "button small" }, "Send a test");
  async function submit(event) {
    event.preventDefault();
    showProblem(problem, null);
    button.disabled = true;
    outcome.replaceChildren();
    try {
      const { document: made } = await json("POST", "/v2/account/webhook-test", { webhook_url: input.value });
      outcome.textContent = sentence(made);
      outcome.dataset.delivered = made.delivered;
      announce(outcome.textContent);
    } catch (error) {
      showProblem(problem, error);
    } finally {
      button.disabled = false;
    }
  }
  return h(
    "form",
    { className: "webhook-test", onsubmit: submit },
    h("label", { for: "webhook-url" }, "Try a receiver"),
    h("div", { className: "key-row" }, input, button),
    problem,
    outcome,
  );
}

function sentence({ delivered, status, failure, elapsed_ms: elapsed }) {
  if (failure) return `Not delivered: ${FAILURES[failure]}.`;
  const time = `${Math.round(elapsed)} ms`;
  return delivered ? `Delivered: the receiver answered ${status} in ${time}.` : `Not taken: the receiver answered ${status}.`;
}
