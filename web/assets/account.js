export function showAccount(host) { host.replaceChildren("…"); }
