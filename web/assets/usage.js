// The month's usage as one bar: what was made, where the pace leads to, and the quota.
import { h } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [600, 26];
const number = (value) => value.toLocaleString("en", { maximumFractionDigits: 1 });

/** A card for the `usage` of GET /v2/account. */
export function usageCard(usage, now = new Date()) {
  const { elapsed, days, day } = monthSoFar(now);
  const projected = Math.round(usage.images / elapsed);
  const month = new Date(`${usage.period}-01T00:00:00Z`).toLocaleDateString("en", {
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
  const left = usage.quota === null ? "no monthly limit" : `${number(usage.remaining)} of ${number(usage.quota)} left`;
  const pace = usage.images
    ? `At this pace ${number(projected)} by the end of the month.`
    : "Nothing was made this month yet.";
  return h(
    "section",
    { className: "card wide usage", "aria-labelledby": "usage-title" },
    h("h2", { id: "usage-title" }, `Usage in ${month}`),
    h(
      "div",
      { className: "usage-figures numeric" },
      h(
        "p",
        {},
        h("strong", { className: "figure" }, number(usage.images)),
        h("span", {}, usage.images === 1 ? "image" : "images"),
      ),
      h("p", {}, h("strong", {}, number(usage.megapixels)), h("span", {}, "megapixels")),
      h(
        "p",
        {},
        h("strong", {}, usage.quota === null ? "∞" : number(usage.remaining)),
        h("span", {}, usage.quota === null ? left : `left of ${number(usage.quota)}`),
      ),
    ),
    bar(usage, projected, `${number(usage.images)} images, ${left}. ${pace}`),
    h(
      "div",
      { className: "usage-legend numeric" },
      h("span", { className: "key-used" }, "made"),
      h("span", { className: "key-pace" }, "pace"),
      h(
        "span",
        { className: "usage-end" },
        usage.quota === null ? number(Math.max(projected, usage.images)) : `quota ${number(usage.quota)}`,
      ),
    ),
    h("p", { className: "fine" }, `${pace} Day ${day} of ${days}; months are those of UTC.`),
  );
}

function bar(usage, projected, label) {
  const full = usage.quota ?? Math.max(projected, usage.images, 1);
  const root = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": label,
    class: "usage-bar",
  }))
    root.setAttribute(name, value);
  const part = (value, name) => {
    const rect = document.createElementNS(SVG, "rect");
    const width = Math.min(1, full ? value / full : 1) * WIDTH;
    for (const [key, text] of Object.entries({ width, height: HEIGHT, class: name })) rect.setAttribute(key, text);
    root.append(rect);
  };
  part(full, "track");
  part(projected, "pace");
  part(usage.images, usage.quota !== null && usage.images >= usage.quota ? "used over" : "used");
  return root;
}

function monthSoFar(now) {
  const start = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  const end = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  return {
    elapsed: Math.max(1 / 31, (now - start) / (end - start)),
    days: (end - start) / 86_400_000,
    day: now.getUTCDate(),
  };
}
