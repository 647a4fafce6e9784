// Schemas as lists of properties: name, type, bounds, what it is for; objects within objects fold.
import { h } from "./dom.js";
import { inline } from "./prose.js";

const DEEPEST = 5;

/** The properties of a schema as a list; null where it has none. */
export function properties(contract, given, depth = 0) {
  const schema = contract.follow(given);
  const parts = schema?.oneOf ?? schema?.anyOf;
  if (parts) {
    const lists = parts.map((part) => properties(contract, part, depth)).filter(Boolean);
    return lists.length
      ? h(
          "div",
          {},
          lists.flatMap((list, index) => (index ? [h("p", { className: "property-text" }, "or"), list] : [list])),
        )
      : null;
  }
  const inner = schema?.properties ? schema : contract.follow(schema?.items);
  if (!inner?.properties || depth > DEEPEST) return null;
  const required = new Set(inner.required ?? []);
  return h(
    "ul",
    { className: "properties" },
    Object.entries(inner.properties).map(([name, property]) =>
      row(contract, name, property, required.has(name), depth),
    ),
  );
}

function row(contract, name, property, needed, depth) {
  const schema = contract.follow(property) ?? {};
  const within = properties(contract, schema, depth + 1);
  return h(
    "li",
    {},
    h(
      "p",
      { className: "property" },
      h("code", {}, name),
      h("span", { className: "type" }, typeOf(contract, schema)),
      needed && h("span", { className: "needed" }, "required"),
    ),
    schema.description && h("p", { className: "property-text" }, inline(schema.description)),
    within && h("details", { className: "nested" }, h("summary", {}, "its properties"), within),
  );
}

/** A schema's type, choices, bounds and default in one line. */
export function typeOf(contract, given) {
  const schema = contract.follow(given) ?? {};
  if (schema.enum)
    return [schema.enum.map((value) => JSON.stringify(value)).join(" | "), fallback(schema)].filter(Boolean).join(", ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const parts = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (parts)
    return [[...new Set(parts.map((part) => typeOf(contract, part)))].join(" or "), fallback(schema)]
      .filter(Boolean)
      .join(", ");
  const type = [schema.type ?? (schema.properties ? "object" : "any")].flat().join(" or ");
  const named =
    type === "array"
      ? `array of ${typeOf(contract, schema.items ?? {})}`
      : schema.contentMediaType
        ? `file, ${schema.contentMediaType}`
        : type;
  return [named, schema.format, bounds(schema), fallback(schema)].filter(Boolean).join(", ");
}

const fallback = (schema) => (schema.default === undefined ? "" : `default ${JSON.stringify(schema.default)}`);

function bounds(schema) {
  const [low, high, unit] =
    schema.minimum !== undefined || schema.maximum !== undefined
      ? [schema.minimum, schema.maximum, ""]
      : [schema.minLength, schema.maxLength, " characters"];
  if (low !== undefined && high !== undefined) return `${low} to ${high}${unit}`;
  if (low !== undefined) return `at least ${low}${unit}`;
  return high === undefined ? "" : `at most ${high}${unit}`;
}
