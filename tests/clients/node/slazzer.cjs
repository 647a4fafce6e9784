// node slazzer.cjs KEY FIELDS IMAGE...: posts a form as slazzer-npm does, by the package form-data and without a
// Content-Length; FIELDS is JSON, IMAGE is name=path. Prints what came back, parsed.
"use strict";

const fs = require("node:fs");
const https = require("node:https");
const FormData = require("form-data");

const [key, fields, ...images] = process.argv.slice(2);

const form = new FormData();
for (const image of images) {
  const [name, path] = image.split("=");
  form.append(name, fs.createReadStream(path));
}
for (const [name, value] of Object.entries(JSON.parse(fields))) {
  form.append(name, value);
}

const options = {
  hostname: "slazzer.com",
  path: "/api/v1/remove_image_background",
  method: "POST",
  headers: {
    "Content-Type": `multipart/form-data; boundary=${form.getBoundary()}`,
    "API-KEY": key,
    Accept: "application/json, text/plain, */*",
  },
};
form.pipe(
  https.request(options, (response) => {
    let text = "";
    response.on("data", (part) => (text += part));
    response.on("end", () => console.log(JSON.stringify({ status: response.statusCode, body: JSON.parse(text) })));
  }),
);
