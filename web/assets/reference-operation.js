// One operation of the reference: what it takes, what it answers, and a program that calls it.
import { copy, h, radios } from "./dom.js";
import { LANGUAGES, program } from "./reference-examples.js";
import { inline, prose } from "./prose.js";
import { properties, typeOf } from "./reference-schema.js";

const PLACES = { path: "Path", query: "Query", header: "Headers" };

/** An article for an operation of a Document. */
export function operationView(contract, operation) {
  return h(
    "article",
    { id: operation.id },
    h(
      "div",
      { className: "operation-text" },
      h("h3", {}, operation.summary),
      h(
        "p",
        { className: "endpoint" },
        h("span", { className: `method ${operation.method}` }, operation.method),
        h("code", {}, operation.path),
      ),
      operation.description && prose(operation.description),
      parameters(contract, operation.parameters),
      operation.body?.content && body(contract, operation.body),
      responses(contract, operation.responses),
    ),
    example(contract, operation),
  );
}

function parameters(contract, all) {
  return Object.entries(PLACES).map(([place, title]) => {
    const members = all.filter((parameter) => parameter.in === place);
    if (!members.length) return null;
    const rows = members.map((parameter) => {
      const schema = contract.follow(parameter.schema) ?? {};
      return h(
        "li",
        {},
        h(
          "p",
          { className: "property" },
          h("code", {}, parameter.name),
          h("span", { className: "type" }, typeOf(contract, schema)),
          parameter.required && h("span", { className: "needed" }, "required"),
        ),
        (parameter.description || schema.description) &&
          h("p", { className: "property-text" }, inline(parameter.description ?? schema.description)),
      );
    });
    return folded(`${title} (${members.length})`, h("ul", { className: "properties" }, rows), members.length <= 6);
  });
}

function body(contract, { content, required }) {
  const kinds = Object.entries(content);
  return [
    h("h4", {}, "Body", required === true && h("span", { className: "needed" }, "required")),
    kinds.map(([type, { schema }], index) => {
      const described = properties(contract, schema);
      return described
        ? folded(type, described, index === 0 && kinds.length === 1)
        : h("p", { className: "property" }, h("code", {}, type));
    }),
  ];
}

function responses(contract, all) {
  return [
    h("h4", {}, "Answers"),
    h(
      "ul",
      { className: "responses" },
      all.map(([status, response]) => {
        const content = Object.entries(response.content ?? {});
        const document = content.find(([type]) => type.includes("json"))?.[1];
        const described = document && status < "400" ? properties(contract, document.schema) : null;
        const line = [
          h("span", { className: `status s${status[0]}` }, status),
          h("span", {}, inline(response.description ?? "")),
        ];
        const types = content.map(([type]) => type).filter((type) => !type.includes("json"));
        return h(
          "li",
          {},
          described
            ? h("details", {}, h("summary", {}, line), h("div", { className: "folded" }, described))
            : h("p", { className: "response-line" }, line),
          types.length > 0 && h("p", { className: "property-text" }, types.join(", ")),
        );
      }),
    ),
  ];
}

const folded = (title, content, open) =>
  h("details", { open, className: "fold" }, h("summary", {}, title), h("div", { className: "folded" }, content));

function example(contract, operation) {
  const code = h("code", {});
  const show = (language) => {
    code.textContent = program(language, contract, operation);
  };
  const languages = h("div", { className: "segmented small", role: "radiogroup", "aria-label": "Language" });
  radios(languages, `language-${operation.id}`, LANGUAGES, "curl", show);
  const button = h(
    "button",
    {
      type: "button",
      className: "button small quiet",
      "aria-label": `Copy the request of ${operation.id}`,
      onclick: () => copy(code.textContent, button),
    },
    "Copy",
  );
  show("curl");
  return h(
    "div",
    { className: "operation-code" },
    h("div", { className: "code-head" }, languages, button),
    h("pre", { className: "code", tabindex: 0, role: "group", "aria-label": `Request: ${operation.summary}` }, code),
    answer(contract, operation),
  );
}

/** What comes back when all is well, where that is JSON. */
function answer(contract, { responses: all, summary }) {
  const [status, response] = all.find(([code]) => code.startsWith("2")) ?? [];
  const schema = response?.content?.["application/json"]?.schema;
  if (!schema || Object.keys(response.content).length > 1) return null;
  return [
    h("p", { className: "code-title" }, `Answer ${status}`),
    h(
      "pre",
      { className: "code answer", tabindex: 0, role: "group", "aria-label": `Answer: ${summary}` },
      h("code", {}, JSON.stringify(contract.sample(schema), null, 2)),
    ),
  ];
}
