// Programs that call an operation, made from its description. The key comes from the environment.

export const LANGUAGES = [
  ["curl", "curl"],
  ["python", "Python"],
  ["javascript", "JavaScript"],
];
const PHOTO = "photo.jpg";

/** A program in a language for an operation of a Document. */
export const program = (language, contract, operation) => WRITERS[language](request(contract, operation));

/** What has to be sent: method, url, key header, and a form, a JSON document or a file as body. */
function request(contract, operation) {
  const value = (parameter) => String(contract.sample(parameter.examples ? parameter : parameter.schema));
  const needed = operation.parameters.filter((parameter) => parameter.required);
  const path = needed
    .filter((one) => one.in === "path")
    .reduce((url, one) => url.replace(`{${one.name}}`, value(one)), operation.path);
  const query = needed.filter((one) => one.in === "query").map((one) => [one.name, value(one)]);
  const url = location.origin + path + (query.length ? `?${new URLSearchParams(query)}` : "");
  const headers = needed.filter((one) => one.in === "header").map((one) => [one.name, value(one)]);
  return {
    method: operation.method.toUpperCase(),
    url,
    key: operation.key,
    headers,
    ...payload(contract, operation.body?.content ?? {}),
  };
}

function payload(contract, content) {
  const form = content["multipart/form-data"];
  if (form) {
    const schema = contract.follow(form.schema) ?? {};
    const entries = Object.entries(schema.properties ?? {}).map(([name, property]) => [
      name,
      contract.follow(property) ?? {},
    ]);
    const file =
      entries.find(([, property]) => property.contentMediaType || property.format === "binary")?.[0] ?? "image_file";
    const texts = entries
      .filter(([name]) => name !== file && schema.required?.includes(name))
      .map(([name, property]) => [name, String(contract.sample(property))]);
    return { form: { file, texts } };
  }
  if (content["application/json"]) return { json: contract.sample(content["application/json"].schema) ?? {} };
  return Object.keys(content).length ? { raw: true } : {};
}

const WRITERS = { curl, python, javascript };

function curl({ method, url, key, headers, form, json, raw }) {
  const quoted = (text) => `'${String(text).replaceAll("'", String.raw`'\''`)}'`;
  return [
    `curl --fail-with-body -L ${method === "GET" || form || json || raw ? "" : `-X ${method} `}${method === "PATCH" && json ? "-X PATCH " : ""}${quoted(url)}`,
    key && `-H "${key[0]}: ${key[1]}$CUTOUT_KEY"`,
    ...headers.map(([name, text]) => `-H ${quoted(`${name}: ${text}`)}`),
    form && `-F ${form.file}=@${PHOTO}`,
    ...(form?.texts ?? []).map(([name, text]) => `-F ${quoted(`${name}=${text}`)}`),
    json && `-H 'content-type: application/json'`,
    json && `-d ${quoted(JSON.stringify(json))}`,
    raw && `-H 'content-type: image/jpeg' --data-binary @${PHOTO}`,
    form || raw ? "-o answer" : null,
  ]
    .filter(Boolean)
    .join(" \\\n  ");
}

function python({ method, url, key, headers, form, json, raw }) {
  const all = [
    key && `"${key[0]}": ${key[1] ? `"${key[1]}" + ` : ""}os.environ["CUTOUT_KEY"]`,
    ...headers.map(([name, text]) => `${JSON.stringify(name)}: ${JSON.stringify(text)}`),
    raw && `"content-type": "image/jpeg"`,
  ].filter(Boolean);
  const literal = (value) =>
    JSON.stringify(value).replace(
      /\b(true|false|null)\b/g,
      (word) => ({ true: "True", false: "False", null: "None" })[word],
    );
  return [
    key && "import os\n",
    "import requests\n",
    `response = requests.request(`,
    `    "${method}",`,
    `    ${JSON.stringify(url)},`,
    all.length && `    headers={${all.join(", ")}},`,
    form && `    files={"${form.file}": open("${PHOTO}", "rb")},`,
    form?.texts.length && `    data=${literal(Object.fromEntries(form.texts))},`,
    json && `    json=${literal(json)},`,
    raw && `    data=open("${PHOTO}", "rb"),`,
    "    timeout=60,",
    ")",
    "response.raise_for_status()",
    form || raw ? `print(response.headers["content-type"], len(response.content))` : "print(response.json())",
  ]
    .filter(Boolean)
    .join("\n");
}

function javascript({ method, url, key, headers, form, json, raw }) {
  const all = [
    key && `"${key[0]}": ${key[1] ? `\`${key[1]}\${process.env.CUTOUT_KEY}\`` : "process.env.CUTOUT_KEY"}`,
    ...headers.map(([name, text]) => `${JSON.stringify(name)}: ${JSON.stringify(text)}`),
    json && `"content-type": "application/json"`,
    raw && `"content-type": "image/jpeg"`,
  ].filter(Boolean);
  return [
    (form || raw) && `import { openAsBlob } from "node:fs";\n`,
    form && "const form = new FormData();",
    form && `form.append("${form.file}", await openAsBlob("${PHOTO}"), "${PHOTO}");`,
    ...(form?.texts ?? []).map(([name, text]) => `form.append(${JSON.stringify(name)}, ${JSON.stringify(text)});`),
    `const response = await fetch(${JSON.stringify(url)}, {`,
    `  method: "${method}",`,
    all.length && `  headers: { ${all.join(", ")} },`,
    form && "  body: form,",
    json && `  body: JSON.stringify(${JSON.stringify(json)}),`,
    raw && `  body: await openAsBlob("${PHOTO}"),`,
    "});",
    "if (!response.ok) throw new Error(await response.text());",
    form || raw
      ? `console.log(response.headers.get("content-type"), (await response.blob()).size);`
      : "console.log(await response.json());",
  ]
    .filter(Boolean)
    .join("\n");
}
