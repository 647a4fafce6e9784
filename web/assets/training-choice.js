// Whether the account's images may be kept for training: off, until its owner says otherwise.
import { json } from "./api.js";
import { announce, h } from "./dom.js";
import { showProblem } from "./words.js";

/** A checkbox that shows what the account says, and changes it. */
export function trainingChoice({ training_opt_in: allowed }) {
  const problem = h("div", { className: "problem", role: "alert" });
  const box = h("input", { type: "checkbox", id: "training-opt-in", checked: allowed, onchange: save });

  async function save() {
    showProblem(problem, null);
    box.disabled = true;
    try {
      const { document } = await json("PATCH", "/v2/account", { training_opt_in: box.checked });
      box.checked = document.account.training_opt_in;
      announce(box.checked ? "Images may be kept for training" : "No image is kept for training");
    } catch (error) {
      box.checked = !box.checked;
      showProblem(problem, error);
    }
    box.disabled = false;
    box.focus();
  }

  return h(
    "div",
    {},
    h("label", { className: "fine", for: "training-opt-in" }, box, " Images of jobs may be kept for training"),
    problem,
  );
}
