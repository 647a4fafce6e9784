// The request for the current settings, as programs that run as they stand. The key comes from the environment.

/** Names of the languages, by what is shown. */
export const LANGUAGES = [
  ["curl", "curl"],
  ["python", "Python"],
  ["javascript", "JavaScript"],
];

/**
 * A program that sends the request.
 * @param {{url: string, file: string, fields: [string, string | File][], output: string}} request url of POST /v2, names of files
 */
export const snippet = (language, request) => WRITERS[language](request);

const WRITERS = { curl, python, javascript };
const files = ({ fields }) =>
  fields.filter(([, value]) => value instanceof File).map(([name, value]) => [name, value.name]);
const texts = ({ fields }) => fields.filter(([, value]) => !(value instanceof File));

function curl(request) {
  const quoted = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const path = (name) => quoted(`"${name.replaceAll("\\", "\\\\").replaceAll('"', String.raw`\"`)}"`).slice(1, -1);
  const parts = [
    `curl --fail-with-body -L ${request.url}`,
    `-H "x-api-key: $CUTOUT_KEY"`,
    ...[["image_file", request.file], ...files(request)].map(([name, file]) => `-F '${name}=@${path(file)}'`),
    ...texts(request).map(([name, value]) => `--form-string ${quoted(`${name}=${value}`)}`),
    `-o ${quoted(request.output)}`,
  ];
  return parts.join(" \\\n  ");
}

function python(request) {
  const literal = (text) => JSON.stringify(text);
  const opened = [["image_file", request.file], ...files(request)].map(
    ([name, file]) => `        ${literal(name)}: open(${literal(file)}, "rb"),`,
  );
  const data = texts(request).map(([name, value]) => `        ${literal(name)}: ${literal(value)},`);
  return [
    "import os",
    "",
    "import requests",
    "",
    "response = requests.post(",
    `    ${literal(request.url)},`,
    `    headers={"x-api-key": os.environ["CUTOUT_KEY"]},`,
    "    files={",
    ...opened,
    "    },",
    ...(data.length ? ["    data={", ...data, "    },"] : []),
    "    timeout=60,",
    ")",
    "response.raise_for_status()",
    `with open(${literal(request.output)}, "wb") as output:`,
    "    output.write(response.content)",
  ].join("\n");
}

function javascript(request) {
  const literal = (text) => JSON.stringify(text);
  return [
    `import { openAsBlob } from "node:fs";`,
    `import { writeFile } from "node:fs/promises";`,
    "",
    "const form = new FormData();",
    ...[["image_file", request.file], ...files(request)].map(
      ([name, file]) => `form.append(${literal(name)}, await openAsBlob(${literal(file)}), ${literal(file)});`,
    ),
    ...texts(request).map(([name, value]) => `form.append(${literal(name)}, ${literal(value)});`),
    "",
    `const response = await fetch(${literal(request.url)}, {`,
    `  method: "POST",`,
    `  headers: { "x-api-key": process.env.CUTOUT_KEY },`,
    "  body: form,",
    "});",
    "if (!response.ok) throw new Error(await response.text());",
    `await writeFile(${literal(request.output)}, Buffer.from(await response.arrayBuffer()));`,
  ].join("\n");
}
