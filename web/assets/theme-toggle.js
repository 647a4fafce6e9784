// The button that switches between the system's theme, light and dark, and remembers it.
import { svg } from "./dom.js";

const ICONS = {
  auto: ["M12 3a9 9 0 1 0 0 18Z", "M12 3a9 9 0 0 1 0 18"],
  light: [
    "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z",
    "M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M19 5l-1.4 1.4M6.4 17.6 5 19",
  ],
  dark: ["M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5Z"],
};
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const NAMES = { auto: "as the system", light: "light", dark: "dark" };

/** Makes `button` switch the theme of the page. */
export function themeToggle(button) {
  const show = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.replaceChildren(svg("0 0 24 24", ICONS[theme]));
    button.setAttribute("aria-label", `Theme: ${NAMES[theme]}`);
    button.title = `Theme: ${NAMES[theme]}`;
  };
  const stored = () => localStorage.getItem("cutout.theme") ?? "auto";
  button.addEventListener("click", () => {
    localStorage.setItem("cutout.theme", NEXT[stored()]);
    show(stored());
  });
  show(stored());
}
