// Every request to the API. Nothing here knows the page.
import { key, origin } from "./session.js";

/** Above this an image goes up by a presigned form: the cloud's gateway takes no more in one request. */
const DIRECT_BYTES = 4_400_000;

/** What the API refused, or that it could not be reached (`code` "unreachable"). */
export class ApiError extends Error {
  constructor(code, message, { status = 0, requestId = "", details = {}, retryAfterS = 0 } = {}) {
    super(message);
    Object.assign(this, { code, status, requestId, details, retryAfterS });
  }
}

/** Sends a request with the tab's key. Rejects with ApiError, or AbortError when `signal` ends it. */
export async function send(method, path, { body, headers = {}, signal } = {}) {
  const url = path.startsWith("http") ? path : origin() + path;
  const withKey = path.startsWith("http") ? {} : { "x-api-key": key() };
  let response;
  try {
    response = await fetch(url, { method, body, signal, headers: { ...withKey, ...headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("unreachable", "The service cannot be reached.");
  }
  if (!response.ok) throw await problem(response);
  return response;
}

async function problem(response) {
  const answer =
    (await response.json().then(
      (document) => document?.error,
      () => null,
    )) ?? {};
  return new ApiError(
    answer.code ?? `http_${response.status}`,
    answer.message ?? `The service answered with status ${response.status}.`,
    {
      status: response.status,
      requestId: answer.request_id ?? response.headers.get("x-request-id") ?? "",
      details: answer.details ?? {},
      retryAfterS: Number(response.headers.get("retry-after") ?? 0),
    },
  );
}

/** A JSON request and its JSON answer. */
export async function json(method, path, document, signal) {
  const body = document === undefined ? undefined : JSON.stringify(document);
  const headers = { accept: "application/json", ...(body ? { "content-type": "application/json" } : {}) };
  const response = await send(method, path, { body, headers, signal });
  return { document: await response.json(), headers: response.headers };
}

/**
 * Cuts an image out.
 * @param {File} file the image
 * @param {[string, string | File][]} fields options of POST /v2
 * @returns the answer's blob, size, model, timings in ms, request id and round trip in ms
 */
export async function removeBackground(file, fields, signal) {
  const started = performance.now();
  const form = new FormData();
  if (file.size > DIRECT_BYTES) form.append("upload_id", await upload(file, signal));
  else form.append("image_file", file, file.name);
  for (const [name, value] of fields) form.append(name, value);
  const response = await send("POST", "/v2", { body: form, headers: { accept: "image/*" }, signal });
  const blob = await response.blob();
  const header = (name) => response.headers.get(name) ?? "";
  return {
    blob,
    mediaType: header("content-type"),
    width: Number(header("x-image-width")),
    height: Number(header("x-image-height")),
    model: header("x-model"),
    requestId: header("x-request-id"),
    stages: serverTiming(header("server-timing")),
    elapsedMs: performance.now() - started,
  };
}

/** Puts an image where the API finds it; returns its `upload_id`. */
async function upload(file, signal) {
  const { document } = await json("POST", "/v2/uploads", { content_type: file.type || "image/jpeg" }, signal);
  if (file.size > document.max_bytes)
    throw new ApiError("image_too_large", "The image is too large.", { details: { max_bytes: document.max_bytes } });
  const form = new FormData();
  for (const [name, value] of Object.entries(document.fields)) form.append(name, value);
  form.append("file", file);
  await send("POST", document.url, { body: form, signal });
  return document.upload_id;
}

/** "decode;dur=15.2, predict;dur=330" as [["decode", 15.2], ["predict", 330]] (W3C Server-Timing). */
export function serverTiming(text) {
  return [...text.matchAll(/([\w-]+);dur=([\d.]+)/g)].map(([, name, ms]) => [name, Number(ms)]);
}
