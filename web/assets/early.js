// Runs before the first paint, so that neither a chosen theme nor the account page flashes.
{
  const root = document.documentElement;
  const chosen = localStorage.getItem("cutout.theme"); // "auto" follows the system
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  root.dataset.view = location.hash === "#account" ? "account" : "playground";
}
