// The month's images by day and key: stacked bars, and the same as a table for those who cannot see them.
import { json } from "./api.js";
import { h } from "./dom.js";
import { showProblem } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const [BAR, GAP, HEIGHT] = [14, 5, 120];
/** Keys that have a colour of their own; further ones share the last. */
const COLOURS = 5;

/** What a key is called: those who use none, and the uploads bucket, have words. */
const nameOf = (key) => (key === null ? "put into the bucket" : key === "none" ? "without a key" : key);

/** A card for GET /v2/account/usage, which loads by itself. */
export function usageDaysCard() {
  const body = h("div", { className: "muted loading" }, "Loading …");
  const problem = h("div", { className: "problem", role: "alert" });
  load(body, problem);
  return h(
    "section",
    { className: "card wide", "aria-labelledby": "days-title" },
    h("h2", { id: "days-title" }, "By day and key"),
    problem,
    body,
  );
}

async function load(body, problem) {
  try {
    const { document: usage } = await json("GET", "/v2/account/usage");
    body.className = "";
    body.replaceChildren(...(usage.days.length ? shown(usage) : [h("p", { className: "fine" }, "No images yet.")]));
  } catch (error) {
    body.replaceChildren();
    showProblem(problem, error);
  }
}

function shown({ period, days }) {
  const keys = [...new Set(days.map(({ key }) => nameOf(key)))];
  const colour = (key) => `day-part part-${Math.min(keys.indexOf(nameOf(key)), COLOURS - 1)}`;
  const legend = keys.map((key) => h("li", { className: colour(key) }, h("code", {}, key)));
  return [
    ...chart(period, days, colour),
    h("ul", { className: "days-legend" }, legend),
    h("details", {}, h("summary", {}, "As a table"), table(days)),
  ];
}

function chart(period, days, colour) {
  const [year, month] = period.split("-").map(Number);
  const count = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const sums = Array(count).fill(0);
  for (const { day, images } of days) sums[Number(day.slice(-2)) - 1] += images;
  const most = Math.max(...sums);
  const busiest = sums.indexOf(most) + 1;
  const total = sums.reduce((sum, value) => sum + value, 0);
  const label = `${total} images on ${sums.filter(Boolean).length} days; the most, ${most}, on day ${busiest}.`;
  const root = element("svg", { viewBox: `0 0 ${count * (BAR + GAP)} ${HEIGHT}`, role: "img", "aria-label": label });
  root.setAttribute("preserveAspectRatio", "none");
  root.setAttribute("class", "days-chart");
  const tops = Array(count).fill(HEIGHT);
  for (const { day, key, images } of days) {
    const index = Number(day.slice(-2)) - 1;
    const height = (images / most) * (HEIGHT - 4);
    tops[index] -= height;
    const bar = element("rect", { x: index * (BAR + GAP), y: tops[index], width: BAR, height, class: colour(key) });
    bar.append(element("title"));
    bar.firstChild.textContent = `${day}, ${nameOf(key)}: ${images}`;
    root.append(bar);
  }
  root.append(element("rect", { x: 0, y: HEIGHT - 1, width: count * (BAR + GAP), height: 1, class: "axis" }));
  return [h("p", { className: "fine numeric" }, `${most} on the busiest day`), root, axis(count)];
}

/** The days below the chart, a week apart. */
function axis(count) {
  const row = h("div", { className: "days-axis fine numeric", "aria-hidden": "true" });
  row.style.setProperty("--days", String(count));
  for (let day = 1; day <= count; day += 7) {
    const mark = h("span", {}, String(day));
    mark.style.setProperty("grid-column", `${day} / span ${Math.min(2, count + 1 - day)}`);
    row.append(mark);
  }
  return row;
}

function table(days) {
  const cells = ({ day, key, images, megapixels }) => [day, nameOf(key), images, megapixels.toFixed(1)];
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ...["Day", "Key", "Images", "Megapixels"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, ...days.map((row) => h("tr", {}, ...cells(row).map((text) => h("td", {}, String(text)))))),
  );
}

function element(name, attributes = {}) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
