// node axios.cjs OPTIONS: posts a form as the vendors' samples do, by axios and form-data, and prints what came back.
// OPTIONS: JSON {url, headers, fields, file: {field, path, name}, withLength}. Prints {status, headers, base64}.
"use strict";

const fs = require("node:fs");
const axios = require("axios").default;
const FormData = require("form-data");

const { url, headers, fields, file, withLength } = JSON.parse(process.argv[2]);

const form = new FormData();
for (const [name, value] of Object.entries(fields || {})) form.append(name, value);
if (file) form.append(file.field, fs.readFileSync(file.path), file.name);
const length = withLength ? { "Content-Length": form.getLengthSync() } : {};

const told = ({ status, headers, data }) =>
  console.log(JSON.stringify({ status, headers, base64: Buffer.from(data).toString("base64") }));

axios.post(url, form, { headers: { ...headers, ...form.getHeaders(), ...length }, responseType: "arraybuffer" }).then(
  told,
  (error) => told(error.response),
);
