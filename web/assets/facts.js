// What a result says about itself: size, bytes, model, and how long each stage took.
import { bytes, duration, h } from "./dom.js";

/** Shows the facts of a history entry. */
export function showFacts(host, { result }) {
  const server = result.stages.reduce((sum, [, ms]) => sum + ms, 0);
  const parts = [...result.stages, ["network", Math.max(0, result.elapsedMs - server)]].filter(([, ms]) => ms >= 1);
  const total = parts.reduce((sum, [, ms]) => sum + ms, 0) || 1;
  const bar = h("div", { className: "timing-bar", "aria-hidden": "true" });
  parts.forEach(([name, ms], index) => {
    const part = h("span", { data: { stage: name }, title: `${name} ${duration(ms)}` });
    part.style.setProperty("flex-grow", String(Math.max(ms / total, 0.008)));
    part.style.setProperty("--shade", String(index));
    bar.append(part);
  });
  host.replaceChildren(
    h(
      "p",
      { className: "facts-line numeric" },
      h("strong", {}, duration(result.elapsedMs)),
      result.width > 0 && h("span", {}, `${result.width} × ${result.height}`),
      h("span", {}, bytes(result.blob.size)),
      result.model && h("span", {}, result.model),
    ),
    bar,
    h(
      "ul",
      { className: "timing-legend numeric", "aria-label": "Time per stage" },
      parts.map(([name, ms]) => h("li", {}, `${name} ${duration(ms)}`)),
    ),
    result.requestId && h("p", { className: "fine request-id" }, result.requestId),
  );
}
