// The API key and the address of the API. The key lives in sessionStorage: it ends with the tab and no other tab sees it.

const NAME = "cutout.key";
const changes = new EventTarget();
let settings = { api: "", key: "" };

/** Reads config.json; on the machine that serves it the page starts with that machine's key. */
export async function start() {
  const response = await fetch("config.json");
  if (response.ok) settings = { ...settings, ...(await response.json()) };
  if (settings.key && sessionStorage.getItem(NAME) === null) sessionStorage.setItem(NAME, settings.key);
}

/** The key, or "". */
export const key = () => sessionStorage.getItem(NAME) ?? "";

/** Replaces the key; "" forgets it. */
export function setKey(value) {
  sessionStorage.setItem(NAME, value.trim());
  changes.dispatchEvent(new Event("key"));
}

/** Calls back at every change of the key. */
export const onKey = (callback) => changes.addEventListener("key", callback);

/** The API's origin, without a trailing slash. */
export const origin = () => (settings.api || location.origin).replace(/\/$/, "");
