// Errors as sentences that say what to do next, by the codes of the API.
import { bytes, h, svg } from "./dom.js";

const WORDS = {
  unreachable: ["The service cannot be reached", "Check your connection and that the service runs, then try again."],
  missing_api_key: ["A key is needed", "Enter your API key on the account page; it stays in this tab."],
  invalid_api_key: [
    "This key does not work",
    "It may be mistyped, revoked or expired. Enter another one on the account page.",
  ],
  forbidden: [
    "This key may not do that",
    "Use a key with more rights: live keys remove backgrounds, admin keys manage.",
  ],
  account_suspended: ["The account is suspended", "Its keys work again once the account's owner has settled that."],
  quota_exceeded: ["The month's quota is used up", "It starts anew on the first of the month, or with a larger plan."],
  rate_limited: ["Too many requests at once", "Wait a moment, then try again."],
  invalid_image: [
    "This file is not an image that can be read",
    "It may be damaged, or another kind of file with an image's name.",
  ],
  unsupported_image_format: [
    "This kind of image is not read",
    "JPEG, PNG, WebP, AVIF, HEIC, BMP, TIFF and GIF are. Convert it to one of them first.",
  ],
  image_too_large: ["The image is too large", "Up to 30 MB are taken. Save it as a JPEG, or make it smaller."],
  resolution_too_high: ["The image has too many pixels", "Up to 50 megapixels are taken. Make it smaller first."],
  animation_too_large: ["The animation is too large to be waited for", ""],
  invalid_option: ["An option has a value that does not fit", ""],
  image_url_fetch_failed: ["The image behind the URL could not be fetched", ""],
  processing_failed: [
    "The image could not be worked on",
    "Try again; if it stays so, the request id below helps to find out why.",
  ],
  timeout: ["That took too long", "Try again, or choose a smaller size."],
  service_unavailable: ["The service is busy", "Wait a moment, then try again."],
  internal_error: ["Something went wrong on our side", "Try again; the request id below helps to find out why."],
};
const ACCOUNT = new Set(["missing_api_key", "invalid_api_key", "forbidden", "account_suspended", "quota_exceeded"]);

/** Whether the same request may succeed later: what is wrong with it will not pass by itself. */
const passing = ({ code, status }) =>
  status === 0 || status === 429 || status >= 500 || code === "image_url_fetch_failed";

/** Title and advice of an error; what the service said stands in for advice that is missing. */
export function words(error) {
  const [title, advice] = WORDS[error.code] ?? [error.message || "Something went wrong", ""];
  if (error.code === "image_too_large" && error.details.max_bytes)
    return [title, `Up to ${bytes(error.details.max_bytes)} are taken. Save it as a JPEG, or make it smaller.`];
  return [title, advice || (error.message === title ? "" : (error.message ?? ""))];
}

/** Shows an error in `host` (an alert); null clears it. `again` is called by its button. */
export function showProblem(host, error, again) {
  if (!error) return host.replaceChildren();
  const [title, advice] = words(error);
  const action = ACCOUNT.has(error.code)
    ? h("a", { className: "button small", href: "#account" }, "Open the account page")
    : again && passing(error) && h("button", { type: "button", className: "button small", onclick: again }, "Try again");
  host.replaceChildren(
    svg("0 0 20 20", ["M10 1.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17Z", "M10 5.8v5M10 14v.1"]),
    h(
      "div",
      {},
      h("strong", {}, `${title}.`),
      advice && h("p", {}, advice),
      error.requestId && h("p", { className: "fine" }, `Request ${error.requestId}`),
      action,
    ),
  );
}
