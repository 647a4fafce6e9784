// node photoroom.cjs stream|fetch KEY IMAGE: sends a photo as the vendor's samples do, by a form that is written by hand
// and has no Content-Length, or as a page does; prints {status, type, score, data (base64)} as JSON.
"use strict";

const fs = require("node:fs");
const https = require("node:https");

const [how, key, image] = process.argv.slice(2);

function stream() {
  const boundary = `--------------------------${process.pid.toString(16)}`;
  const headers = { "Content-Type": `multipart/form-data; boundary=${boundary}`, "X-API-Key": key };
  return new Promise((resolve, reject) => {
    const request = https.request(
      { hostname: "sdk.photoroom.com", path: "/v1/segment", method: "POST", headers },
      (response) => {
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("end", () =>
          resolve({
            status: response.statusCode,
            type: response.headers["content-type"],
            score: response.headers["x-uncertainty-score"],
            data: Buffer.concat(parts).toString("base64"),
          }),
        );
      },
    );
    request.on("error", reject);
    request.write(`--${boundary}\r\n`);
    request.write('Content-Disposition: form-data; name="image_file"; filename="photo.jpg"\r\n');
    request.write("Content-Type: image/jpeg\r\n\r\n");
    fs.createReadStream(image, { highWaterMark: 1000 })
      .on("end", () => {
        request.write("\r\n");
        request.write(`--${boundary}--\r\n`);
        request.end();
      })
      .pipe(request, { end: false });
  });
}

async function page() {
  const body = new FormData();
  body.append("image_file", new Blob([fs.readFileSync(image)], { type: "image/jpeg" }), "photo.jpg");
  const response = await fetch("https://sdk.photoroom.com/v1/segment", {
    method: "POST",
    headers: { "X-Api-Key": key },
    body,
  });
  const data = Buffer.from(await (await response.blob()).arrayBuffer()).toString("base64");
  const { headers } = response;
  return { status: response.status, type: headers.get("content-type"), score: headers.get("x-uncertainty-score"), data };
}

(how === "stream" ? stream() : page()).then((seen) => console.log(JSON.stringify(seen)));
