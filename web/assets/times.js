// Moments in words, in the reader's time zone.

const DAY = new Intl.DateTimeFormat("en", { dateStyle: "medium" });
const MOMENT = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

/** "Nov 27, 2026". */
export const day = (text) => (text ? DAY.format(new Date(text)) : "never");

/** "Nov 27, 2026, 9:12 PM". */
export const moment = (text) => MOMENT.format(new Date(text));

/** "just now", "5 min ago", "3 h ago". */
export function ago(text, now = Date.now()) {
  const minutes = Math.floor((now - new Date(text)) / 60_000);
  if (minutes < 1) return "just now";
  return minutes < 60 ? `${minutes} min ago` : `${Math.floor(minutes / 60)} h ago`;
}
