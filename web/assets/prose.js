// Descriptions as they stand in OpenAPI documents: paragraphs with `code` in them.
import { h } from "./dom.js";

/** A text with code in backticks, as nodes. */
export const inline = (text) =>
  text
    .split(/(`[^`]+`)/)
    .filter(Boolean)
    .map((part) => (part.startsWith("`") && part.endsWith("`") ? h("code", {}, part.slice(1, -1)) : part));

/** Paragraphs. */
export const prose = (text) =>
  h(
    "div",
    { className: "prose" },
    text
      .trim()
      .split(/\n\s*\n/)
      .map((paragraph) => h("p", {}, inline(paragraph.replace(/\s+/g, " ")))),
  );
