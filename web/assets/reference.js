// The API reference: one OpenAPI document at a time, drawn from the JSON that the server gives.
import { byId, h } from "./dom.js";
import { Document } from "./openapi.js";
import { operationView } from "./reference-operation.js";
import { prose } from "./prose.js";
import { themeToggle } from "./theme-toggle.js";

const CONTRACTS = [
  ["cutout", "Cutout", "openapi.json"],
  ...[
    ["removebg", "remove.bg"],
    ["fal", "fal"],
    ["photoroom", "Photoroom"],
    ["clipdrop", "Clipdrop"],
    ["picsart", "Picsart"],
    ["slazzer", "Slazzer"],
    ["api4ai", "API4AI"],
    ["rembg", "rembg"],
    ["ben_container", "BEN container"],
  ].map(([name, title]) => [name, title, `openapi/${name}.json`]),
];

async function show(name) {
  const [, , path] = CONTRACTS.find(([known]) => known === name) ?? CONTRACTS[0];
  const contract = new Document(await (await fetch(path)).json());
  const operations = contract.operations();
  byId("content").replaceChildren(
    head(contract, path),
    ...groups(contract, operations).map(([tag, members]) =>
      h(
        "section",
        { className: "tag", "aria-label": tag.name },
        h("h2", { className: "tag-title" }, tag.name),
        tag.description && prose(tag.description),
        members.map((operation) => operationView(contract, operation)),
      ),
    ),
    errors(contract),
  );
  byId("operations").replaceChildren(
    ...groups(contract, operations).map(([tag, members]) =>
      h(
        "div",
        { className: "contents-group" },
        h("p", { className: "contents-tag" }, tag.name),
        h(
          "ul",
          {},
          members.map((operation) =>
            h(
              "li",
              {},
              h(
                "a",
                {
                  href: `#${operation.id}`,
                  data: { search: `${operation.method} ${operation.path} ${operation.summary}`.toLowerCase() },
                },
                method(operation.method),
                h("span", {}, operation.path.split(/(?<=\/)/).map((part) => [part, h("wbr")])),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

const method = (name) => h("span", { className: `method ${name}` }, name === "delete" ? "del" : name);

function head({ info }, path) {
  return h(
    "header",
    { className: "reference-head" },
    h("h1", {}, info.title),
    h("p", { className: "lead" }, info.summary),
    info.description && prose(info.description),
    h("p", { className: "fine" }, `Version ${info.version}. `, h("a", { href: path }, "OpenAPI document"), "."),
  );
}

function groups(contract, operations) {
  return contract.tags
    .map((tag) => [tag, operations.filter((operation) => operation.tags.includes(tag.name))])
    .filter(([, members]) => members.length);
}

/** The codes of problems, where a contract lists them. */
function errors(contract) {
  const codes = contract.schema("Problem")?.properties?.error?.properties?.code?.enum;
  return codes
    ? h(
        "section",
        { className: "tag", id: "errors", "aria-label": "Error codes" },
        h("h2", { className: "tag-title" }, "Error codes"),
        h(
          "p",
          {},
          "The body of every refusal is ",
          h("code", {}, '{"error": {code, message, status, request_id, details}}'),
          ". Codes are stable, messages are not.",
        ),
        h(
          "ul",
          { className: "codes" },
          codes.map((code) => h("li", {}, h("code", {}, code))),
        ),
      )
    : "";
}

function filter(text) {
  for (const link of document.querySelectorAll("#operations a"))
    link.parentElement.hidden = !link.dataset.search.includes(text.trim().toLowerCase());
  for (const group of document.querySelectorAll(".contents-group"))
    group.hidden = !group.querySelector("li:not([hidden])");
}

function mark() {
  const watch = new IntersectionObserver(
    (seen) => {
      for (const entry of seen)
        if (entry.isIntersecting) {
          for (const link of document.querySelectorAll("#operations a"))
            link.toggleAttribute("data-here", link.hash === `#${entry.target.id}`);
        }
    },
    { rootMargin: "-80px 0px -75% 0px" },
  );
  for (const article of document.querySelectorAll("article")) watch.observe(article);
}

async function open(name) {
  byId("contract").value = name;
  await show(name);
  mark();
  if (location.hash.length > 1) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

themeToggle(byId("theme-toggle"));
byId("contract").append(...CONTRACTS.map(([value, title]) => h("option", { value }, title)));
byId("contract").addEventListener("change", async (event) => {
  history.replaceState(null, "", `?contract=${event.target.value}`);
  await open(event.target.value);
  scrollTo(0, 0);
});
byId("filter").addEventListener("input", (event) => filter(event.target.value));
const wanted = new URLSearchParams(location.search).get("contract");
await open(CONTRACTS.some(([name]) => name === wanted) ? wanted : "cutout");
document.documentElement.dataset.ready = "";
