// Starts the page: the key, the two views behind the fragment (#playground, #account), and the theme.
import { byId, h } from "./dom.js";
import { Playground } from "./playground.js";
import * as session from "./session.js";
import { themeToggle } from "./theme-toggle.js";

const VIEWS = { playground: "Cutout", account: "Account · Cutout" };

/** Sheets that the start page does not need, in the order of their rules: they come after the first paint. */
const LATER = ["stage", "options", "batch", "account"];

function sheet(name) {
  return new Promise((done) =>
    document.head.append(
      h("link", { rel: "stylesheet", href: `assets/${name}.css`, onload: done, onerror: done }),
    ),
  );
}

function keyChip() {
  const chip = byId("key-chip");
  const set = Boolean(session.key());
  chip.dataset.state = set ? "set" : "none";
  chip.replaceChildren(
    h("span", {}, set ? "Key" : "No key", h("span", { className: "wide" }, set ? " is set" : " yet")),
  );
}

async function route(focus) {
  const view = location.hash.slice(1) in VIEWS ? location.hash.slice(1) : "playground";
  document.documentElement.dataset.view = view;
  for (const link of document.querySelectorAll("a[data-view]")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = VIEWS[view];
  if (view === "account") (await import("./account.js")).showAccount(byId("account"));
  if (focus) byId("main").focus({ preventScroll: true });
}

themeToggle(byId("theme-toggle"));
new Playground();
session.onKey(keyChip);
await Promise.all([session.start(), ...LATER.map(sheet)]);
keyChip();
addEventListener("hashchange", () => {
  scrollTo(0, 0);
  route(true);
});
await route(false);
document.documentElement.dataset.ready = "";
