// The few helpers that all modules share: elements without HTML strings, words for sizes, and what a screen reader hears.

/** An element. `props`: properties and attributes; `on*` listeners; `data` for the dataset. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name in element && !name.startsWith("aria") && name !== "list") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** A decorative icon of stroked paths. */
export function svg(viewBox, paths) {
  const root = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  root.setAttribute("viewBox", viewBox);
  root.setAttribute("aria-hidden", "true");
  for (const d of paths) {
    const path = document.createElementNS(root.namespaceURI, "path");
    path.setAttribute("d", d);
    root.append(path);
  }
  return root;
}

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** Says something to screen readers. */
export function announce(text) {
  byId("announcer").textContent = text;
}

/** A group of radio buttons; `choices` are [value, label] pairs, `look` makes what is seen of one. */
export function radios(host, name, choices, chosen, onchange, look = (_, label) => h("span", {}, label)) {
  host.replaceChildren(
    ...choices.map(([value, label]) =>
      h(
        "label",
        { title: host.classList.contains("swatches") ? label : undefined },
        h("input", {
          type: "radio",
          name,
          value,
          checked: value === chosen,
          "aria-label": label,
          onchange: () => onchange(value),
        }),
        look(value, label),
      ),
    ),
  );
}

/** Copies a text, and says so on the button for a moment. */
export async function copy(text, button) {
  await navigator.clipboard.writeText(text);
  const label = button.textContent;
  button.textContent = "Copied";
  announce("Copied");
  setTimeout(() => {
    button.textContent = label;
  }, 1400);
}

/** Offers a blob as a file. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** 1536 as "1.5 kB", in decimal units. */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  const unit = count < 1e6 ? ["kB", 1e3] : ["MB", 1e6];
  const value = count / unit[1];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit[0]}`;
}

/** Milliseconds as "340 ms" or "1.2 s". */
export const duration = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** "photo.jpg" as ["photo", "jpg"]. */
export function splitName(name) {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? [name.slice(0, dot), name.slice(dot + 1)] : [name, ""];
}

/** The image's file name with another ending: "photo-cutout.png". */
export const resultName = (name, suffix, extension) => `${splitName(name)[0]}-${suffix}.${extension}`;
