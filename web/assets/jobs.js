// The account's jobs of the last 24 hours, newest first, a page at a time.
import { json } from "./api.js";
import { confirm } from "./dialogs.js";
import { bytes, h } from "./dom.js";
import { ago, moment } from "./times.js";
import { showProblem } from "./words.js";

const STATES = ["", "queued", "running", "succeeded", "failed", "cancelled"];
const SOURCES = { upload: "upload", url: "URL", object: "bucket", request: "request" };
const PAGE = 10;

/** A card with the jobs. */
export function jobsCard() {
  const problem = h("div", { className: "problem", role: "alert" });
  const rows = h("tbody");
  const empty = h(
    "p",
    { className: "muted empty", hidden: true },
    "No jobs in the last 24 hours. POST /v2/jobs makes one.",
  );
  const status = h(
    "select",
    { className: "select", "aria-label": "Show jobs that are", onchange: () => load() },
    STATES.map((value) => h("option", { value }, value || "all")),
  );
  const more = h(
    "button",
    { type: "button", className: "button small", hidden: true, onclick: () => load(more.dataset.cursor) },
    "Show more",
  );
  const table = h(
    "div",
    { className: "table-scroll", tabindex: 0, role: "group", "aria-label": "Table of jobs" },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["Job", "State", "Ordered", "Result", "Actions"].map((text) => h("th", { scope: "col" }, text)),
        ),
      ),
      rows,
    ),
  );

  async function load(cursor) {
    showProblem(problem, null);
    try {
      const query = new URLSearchParams({
        limit: PAGE,
        ...(status.value && { status: status.value }),
        ...(cursor && { cursor }),
      });
      const { document } = await json("GET", `/v2/jobs?${query}`);
      if (!cursor) rows.replaceChildren();
      rows.append(...document.jobs.map((job) => row(job, remove)));
      more.hidden = !document.next_cursor;
      more.dataset.cursor = document.next_cursor ?? "";
      empty.hidden = rows.childElementCount > 0;
      table.hidden = !empty.hidden;
    } catch (error) {
      showProblem(problem, error, () => load(cursor));
    }
  }

  async function remove(job) {
    if (
      !(await confirm("Delete this job?", "Its image and its results are removed at once, with every copy.", "Delete"))
    )
      return;
    try {
      await json("DELETE", `/v2/jobs/${job.id}`);
      await load();
    } catch (error) {
      showProblem(problem, error);
    }
  }

  load();
  return h(
    "section",
    { className: "card wide", "aria-labelledby": "jobs-title" },
    h(
      "div",
      { className: "card-head" },
      h("h2", { id: "jobs-title" }, "Recent jobs"),
      h(
        "div",
        { className: "card-tools" },
        status,
        h("button", { type: "button", className: "button small", onclick: () => load() }, "Refresh"),
      ),
    ),
    problem,
    table,
    empty,
    more,
  );
}

function row(job, remove) {
  const { result, error } = job;
  const tone = { succeeded: "good", failed: "bad" }[job.status] ?? "";
  return h(
    "tr",
    {},
    h(
      "th",
      { scope: "row" },
      h("code", { title: job.id }, `${job.id.slice(0, 12)}…`),
      h("span", { className: "muted subline" }, SOURCES[job.source.kind] ?? job.source.kind),
    ),
    h("td", {}, h("span", { className: `pill ${tone}` }, job.deleted_at ? "deleted" : job.status)),
    h("td", { title: moment(job.created_at) }, ago(job.created_at)),
    h(
      "td",
      {},
      result
        ? `${result.width} × ${result.height}, ${bytes(result.bytes)}`
        : error
          ? h("span", { className: "muted" }, error.message)
          : "–",
    ),
    h(
      "td",
      { className: "row-actions" },
      result &&
        h("a", { className: "button small", href: result.url, target: "_blank", rel: "noopener noreferrer" }, "Open"),
      result?.mask_url &&
        h(
          "a",
          { className: "button small", href: result.mask_url, target: "_blank", rel: "noopener noreferrer" },
          "Mask",
        ),
      !job.deleted_at &&
        h(
          "button",
          {
            type: "button",
            className: "button small danger",
            "aria-label": `Delete job ${job.id}`,
            onclick: () => remove(job),
          },
          "Delete",
        ),
    ),
  );
}
