// The status page: what the service says now, and what the checks of the last day saw.
import { byId, h } from "./dom.js";
import * as session from "./session.js";
import { themeToggle } from "./theme-toggle.js";

const WAYS = { direct: "POST /v2", job: "Jobs" };
const SLOTS = 48;
/** Half hours of the last day; each is a mark. */
const SLOT_MS = 1_800_000;

async function asked(path) {
  const started = performance.now();
  try {
    const response = await fetch(session.origin() + path, { headers: { accept: "application/json" } });
    return { fine: response.ok, ms: performance.now() - started, document: await response.json() };
  } catch {
    return { fine: false, ms: performance.now() - started, document: {} };
  }
}

function row(name, { fine, ms }, note) {
  return h(
    "li",
    { data: { fine: String(fine) } },
    h("strong", {}, name),
    h("span", {}, fine ? "works" : "does not answer as it should"),
    h("span", { className: "numeric" }, `${Math.round(ms)} ms`),
    note && h("span", { className: "fine" }, note),
  );
}

async function now() {
  const health = await asked("/v2/health");
  const model = await asked("/v2/health?deep=true");
  byId("now").replaceChildren(
    row("API", health, health.document.version && `version ${health.document.version}`),
    row("Model", model, model.document.model),
  );
  const fine = health.fine && model.fine;
  byId("verdict").textContent = fine ? "All works." : "Something does not work.";
  byId("verdict").dataset.fine = String(fine);
}

async function day() {
  const response = await fetch("status.json");
  if (!response.ok) throw new Error("there is no record of checks");
  const { checks, source } = await response.json();
  const end = Date.now();
  const recent = checks.filter(({ at }) => end - Date.parse(at) < SLOTS * SLOT_MS);
  byId("source").textContent =
    source === "canary"
      ? "A picture is cut out through the front every five minutes, as a caller does."
      : "Requests to this server since it was started.";
  const ways = Object.keys(WAYS).filter((way) => recent.some((check) => check.way === way));
  byId("day").replaceChildren(...ways.map((way) => line(way, recent.filter((check) => check.way === way), end)));
  if (!ways.length) byId("day").replaceChildren(h("p", { className: "muted" }, "No checks in the last 24 hours."));
}

function line(way, checks, end) {
  const good = checks.filter(({ ok }) => ok).length;
  const times = checks.map(({ ms }) => ms).sort((a, b) => a - b);
  const share = ((100 * good) / checks.length).toFixed(good === checks.length ? 0 : 2);
  const summary = `${share} % of ${checks.length} good, median ${Math.round(times[times.length >> 1])} ms`;
  const slots = Array.from({ length: SLOTS }, () => []);
  for (const check of checks) slots[Math.max(0, SLOTS - 1 - Math.floor((end - Date.parse(check.at)) / SLOT_MS))].push(check);
  return h(
    "section",
    { className: "way" },
    h("h3", {}, WAYS[way]),
    h("p", { className: "numeric" }, summary),
    h("div", { className: "slots", role: "img", "aria-label": `${WAYS[way]}: ${summary}` }, slots.map((slot) => mark(slot))),
    h("p", { className: "slots-axis fine", "aria-hidden": "true" }, h("span", {}, "24 hours ago"), h("span", {}, "now")),
  );
}

function mark(slot) {
  const state = !slot.length ? "none" : slot.every(({ ok }) => ok) ? "good" : slot.some(({ ok }) => ok) ? "some" : "bad";
  return h("span", { data: { state }, title: slot.length ? `${slot.length} checks, ${state}` : "no checks" });
}

themeToggle(byId("theme-toggle"));
await session.start();
await Promise.all([now(), day().catch((error) => byId("day").replaceChildren(h("p", { className: "muted" }, error.message)))]);
document.documentElement.dataset.ready = "";
