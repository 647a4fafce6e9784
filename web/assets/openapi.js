// Reads an OpenAPI 3.1 document: its operations with all references followed, and samples of what schemas describe.

export const METHODS = ["get", "post", "put", "patch", "delete"];

/** One document. References to other documents are left out: these are read on their own. */
export class Document {
  #root;

  constructor(root) {
    this.#root = root;
    this.info = root.info;
    this.tags = root.tags ?? [];
  }

  /** What an object says, or what it refers to; the fields beside a reference win. */
  follow(node) {
    let [found, beside] = [node, {}];
    while (found?.$ref?.startsWith("#/")) {
      const { $ref, ...rest } = found;
      beside = { ...rest, ...beside };
      found = $ref
        .slice(2)
        .split("/")
        .reduce((at, part) => at?.[part.replaceAll("~1", "/").replaceAll("~0", "~")], this.#root);
    }
    return found?.$ref ? null : { ...found, ...beside };
  }

  /** A schema of the components by its name. */
  schema(name) {
    return this.#root.components?.schemas?.[name];
  }

  /** All operations whose tag the document describes, in its order. */
  operations() {
    const own = new Set(this.tags.map((tag) => tag.name));
    return Object.entries(this.#root.paths).flatMap(([path, given]) => {
      const item = this.follow(given) ?? {};
      return METHODS.filter((method) => item[method] && item[method].tags?.some((tag) => own.has(tag))).map((method) =>
        this.#operation(path, method, item),
      );
    });
  }

  #operation(path, method, item) {
    const given = item[method];
    const parameters = [...(item.parameters ?? []), ...(given.parameters ?? [])]
      .map((one) => this.follow(one))
      .filter(Boolean);
    return {
      id: given.operationId,
      path,
      method,
      parameters,
      tags: given.tags,
      summary: given.summary ?? "",
      description: given.description ?? "",
      body: this.follow(given.requestBody),
      responses: Object.entries(given.responses ?? {}).map(([status, response]) => [
        status,
        this.follow(response) ?? {},
      ]),
      key: this.#keyHeader(given.security ?? this.#root.security ?? []),
    };
  }

  /** The header that carries the key: [name, what stands before it], or null where none is needed. */
  #keyHeader(security) {
    const scheme = this.follow(this.#root.components?.securitySchemes?.[Object.keys(security[0] ?? {})[0]]);
    if (!scheme?.type) return null;
    if (scheme.type === "http") return ["Authorization", `${scheme.scheme === "bearer" ? "Bearer" : scheme.scheme} `];
    if (scheme.in !== "header") return null;
    return [scheme.name, scheme.name.toLowerCase() === "authorization" ? "Key " : ""];
  }

  /** A value that a schema allows: its example, default or first choice, else one made of its parts. */
  sample(given, depth = 0) {
    const schema = this.follow(given) ?? {};
    if (schema.examples?.length) return schema.examples[0];
    if (schema.const !== undefined) return schema.const;
    if (schema.default !== undefined) return schema.default;
    if (schema.enum) return schema.enum[0];
    const parts = schema.oneOf ?? schema.anyOf ?? schema.allOf;
    if (parts) return this.sample(parts[0], depth);
    const type = [schema.type].flat()[0] ?? (schema.properties ? "object" : "string");
    if (type === "object") return this.#sampleObject(schema, depth);
    if (type === "array") return depth > 4 ? [] : [this.sample(schema.items ?? {}, depth + 1)];
    return (
      { integer: schema.minimum ?? 1, number: schema.minimum ?? 1, boolean: true, null: null }[type] ?? text(schema)
    );
  }

  #sampleObject(schema, depth) {
    if (depth > 4) return {};
    const required = new Set(schema.required ?? []);
    const shown = Object.entries(schema.properties ?? {}).filter(
      ([name, property]) => required.has(name) || this.follow(property)?.examples,
    );
    return Object.fromEntries(shown.map(([name, property]) => [name, this.sample(property, depth + 1)]));
  }
}

const PATTERNS = [
  ["^job_", "job_0123456789abcdef0123456789abcdef"],
  ["^upl_", "upl_0123456789abcdef0123456789abcdef"],
  ["^evt_", "evt_0123456789abcdef0123456789abcdef"],
  ["^tok_fp_", "tok_fp_0123456789ab"],
  ["^req_", "req_1f0c"],
  ["^acct_", "acct_0123456789abcdef"],
  ["^ct_", "ct_live_…"],
  ["^whsec_", "whsec_…"],
  ["^[0-9]{4}-", "2026-11"],
];
const FORMATS = {
  "date-time": "2026-11-27T12:00:00+00:00",
  date: "2026-11-27",
  uri: "https://example.com/photo.jpg",
  "uri-reference": "/v2/jobs/job_0123456789abcdef0123456789abcdef",
};
const text = (schema) =>
  FORMATS[schema.format] ??
  PATTERNS.find(([start]) => schema.pattern?.startsWith(start))?.[1] ??
  (schema.contentEncoding === "base64" ? "iVBORw0KGgo…" : "text");
