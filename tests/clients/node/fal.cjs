// node fal.cjs STEP [ARGUMENT]: what users of the package "@fal-ai/client" do; prints {ok} or {failed} as JSON.
// The package is as it was published; its own requestMiddleware leads every call to the service in SERVICE.
"use strict";

const fs = require("node:fs");
const { createFalClient } = require("@fal-ai/client");

const APP = "fal-ai/ben/v2/image";
const PREFIXES = { "fal.run": "", "queue.fal.run": "/queue", "rest.fal.ai": "", "rest.alpha.fal.ai": "" };
const urls = [];

const fal = createFalClient({
  credentials: process.env.FAL_KEY,
  requestMiddleware: async (request) => {
    const url = new URL(request.url);
    if (url.origin !== process.env.SERVICE) {
      const prefix = PREFIXES[url.hostname];
      if (prefix === undefined) throw new Error(`no such host: ${url.hostname}`);
      request.url = `${process.env.SERVICE}${prefix}${url.pathname}${url.search}`;
    }
    urls.push(request.url);
    return request;
  },
});
const photo = () => fs.readFileSync(process.env.PHOTO);
const uri = () => `data:image/jpeg;base64,${photo().toString("base64")}`;

const steps = {
  run: () => fal.run(APP, { input: { image_url: uri(), seed: 7 } }),
  subscribe: () => watched({}),
  streaming: () => watched({ mode: "streaming" }),
  queue: async () => {
    const { request_id: requestId, ...submitted } = await fal.queue.submit(APP, { input: { image_url: uri() } });
    await fal.queue.subscribeToStatus(APP, { requestId });
    const status = await fal.queue.status(APP, { requestId, logs: true });
    return { requestId, submitted, status, result: await fal.queue.result(APP, { requestId }) };
  },
  blob: () => fal.run(APP, { input: { image_url: new Blob([photo()], { type: "image/jpeg" }) } }),
  upload: async () => {
    const url = await fal.storage.upload(new File([photo()], "cat.jpg", { type: "image/jpeg" }));
    return { url, result: await fal.subscribe(APP, { input: { image_url: url } }) };
  },
  cancel: async (imageUrl) => {
    const { request_id: requestId } = await fal.queue.submit(APP, { input: { image_url: imageUrl } });
    await fal.queue.cancel(APP, { requestId });
    return fal.queue.status(APP, { requestId });
  },
  webhook: (webhookUrl) => fal.queue.submit(APP, { input: { image_url: uri() }, webhookUrl }),
  badInput: () => fal.run(APP, { input: { image_url: "cat.png", seed: "x" } }),
  failedJob: () => fal.subscribe(APP, { input: { image_url: "data:image/png;base64,AAAA" } }),
  otherApp: () => fal.run("fal-ai/flux/dev", { input: {} }),
};

async function watched(options) {
  const seen = [];
  const onQueueUpdate = ({ status, logs }) => seen.push({ status, logs: logs && logs.map((line) => line.message) });
  const { data, requestId } = await fal.subscribe(APP, {
    input: { image_url: uri(), seed: 7 }, logs: true, onQueueUpdate, ...options,
  });
  return { data, requestId, seen };
}

const [name, ...rest] = process.argv.slice(2);
steps[name](...rest).then(
  (ok) => console.log(JSON.stringify({ ok, urls })),
  ({ name: kind, status, message, body, requestId }) =>
    console.log(JSON.stringify({ failed: { kind, status, message, body, requestId }, urls })),
);
