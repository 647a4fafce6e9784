// Preloaded (node --require) so that clients run unmodified: TLS connections to some hosts end at a front on loopback.
// CUTOUT_REDIRECT: {"host": port}. Names are still checked against the certificate; NODE_EXTRA_CA_CERTS names its CA.
"use strict";

const tls = require("node:tls");

const fronts = JSON.parse(process.env.CUTOUT_REDIRECT);
const connect = tls.connect;

tls.connect = function redirected(options, ...rest) {
  const host = options && (options.servername || options.host);
  if (!(host in fronts)) {
    throw new Error(`a client tried to reach ${host}`);
  }
  return connect.call(tls, { ...options, servername: host, host: "127.0.0.1", port: fronts[host] }, ...rest);
};
