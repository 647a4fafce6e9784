// node removebg.cjs FUNCTION OPTIONS: calls a function of the package "remove.bg" and prints {ok} or {failed} as JSON.
"use strict";

const client = require("remove.bg");

const [name, options] = process.argv.slice(2);

client[name](JSON.parse(options)).then(
  (ok) => console.log(JSON.stringify({ ok })),
  (failed) => console.log(JSON.stringify({ failed })),
);
