// What the vendor's TypeScript client sends to its baseUrl, by what Node.js brings along: node picsart.cjs URL KEY FILE OPTIONS
"use strict";
const fs = require("node:fs");

async function main([baseUrl, key, file, options]) {
  const form = new FormData();
  form.append("image", new Blob([fs.readFileSync(file)]), "image");
  for (const [name, value] of Object.entries(JSON.parse(options))) form.append(name, value);
  const headers = { accept: "application/json", "X-Picsart-API-Key": key, "User-Agent": "picsart-ts-sdk:1.0.0" };
  const response = await fetch(`${baseUrl}/removebg`, { method: "POST", headers, body: form });
  const answer = await response.json();
  const number = (name) => parseInt(response.headers.get(`x-picsart-${name}`), 10);
  const meta = {
    correlationId: response.headers.get("x-picsart-correlation-id"),
    rateLimit: number("ratelimit-limit"),
    rateLimitAvailable: number("ratelimit-available"),
    rateLimitResetTime: number("ratelimit-reset-time"),
    creditsAvailable: number("credit-available"),
  };
  const image = response.ok ? Buffer.from(await (await fetch(answer.data.url)).arrayBuffer()).toString("base64") : null;
  console.log(JSON.stringify({ status: response.status, answer, meta, image }));
}

main(process.argv.slice(2));
