"""Bad keys, routes, bodies, fields and options."""

import base64
import json

from tests.contract.bad import B64, FORM, GOOD, JPEG, MEGABYTE, PNG, URLENCODED, Table, form, js, named, parts, raw

bad = Table()

# Keys
bad("no key", 401, "missing_api_key", GOOD, key=None)
bad("blank key", 401, "missing_api_key", GOOD, key="")
bad("unknown key", 403, "invalid_api_key", GOOD, key="ct_live_" + "A" * 43)
bad("most of a good key", 403, "invalid_api_key", GOOD, key="local-development-ke")
bad("good key in other case", 403, "invalid_api_key", GOOD, key="LOCAL-DEVELOPMENT-KEY")
bad("good key twice", 403, "invalid_api_key", GOOD, key="local-development-key, local-development-key")
bad("key of 5,000 characters", 403, "invalid_api_key", GOOD, key="k" * 5_000)
bad("basic authorization", 403, "invalid_api_key", {**GOOD, "auth": ("local-development-key", "")}, key=None)
bad(
    "bearer of nothing",
    401,
    "missing_api_key",
    GOOD | {"headers": GOOD["headers"] | {"authorization": "Bearer"}},
    key=None,
)
bad("key with odd bytes", 403, "invalid_api_key", {"content": JPEG, "headers": {b"x-api-key": b"k\xe9y\xff"}}, key=None)
bad("key in the query", 401, "missing_api_key", GOOD, path="/v2?api_key=local-development-key", key=None)
bad("key in the body", 401, "missing_api_key", js({"image": B64, "api_key": "local-development-key"}), key=None)
bad("bad key and bad body", 403, "invalid_api_key", js([]), key="wrong")
bad("account without a key", 401, "missing_api_key", {}, method="GET", path="/v2/account", key=None)
bad("account with a wrong key", 403, "invalid_api_key", {}, method="GET", path="/v2/account", key="wrong")

# Methods and routes
bad("GET of the removal", 405, "method_not_allowed", {}, method="GET")
bad("PUT of an image", 405, "method_not_allowed", raw(JPEG), method="PUT")
bad("DELETE", 405, "method_not_allowed", {}, method="DELETE")
bad("POST of the account", 405, "method_not_allowed", GOOD, path="/v2/account")
bad("a route that is not there", 404, "not_found", GOOD, path="/v3")
bad("the internal route", 404, "not_found", {}, method="GET", path="/internal/health")
bad("headers of 20 KB", 400, "invalid_request", raw(JPEG, "image/jpeg", **{"x-filler": "f" * 20_000}))

# Nothing to work on
bad("empty body", 400, "missing_image", raw(b"", None))
bad("empty raw body", 400, "missing_image", raw(b""))
bad("form without parts", 400, "missing_image", parts())
bad("form with options only", 400, "missing_image", form({"format": "png", "size": "full"}))
bad("empty file", 400, "missing_image", form(image=b""))
bad("empty text fields", 400, "missing_image", form({"image_url": "", "image_base64": ""}))
bad("empty object", 400, "missing_image", js({}))
bad("empty image", 400, "missing_image", js({"image": ""}))
bad("image of null", 400, "missing_image", js({"image": None, "image_url": None}))
bad("urlencoded options", 400, "missing_image", raw(b"format=png", URLENCODED))

# JSON
bad("half an object", 400, "invalid_request", raw(b'{"image": "', "application/json"))
bad("an empty JSON body", 400, "invalid_request", raw(b"", "application/json"))
bad("a list", 400, "invalid_request", js([B64]))
bad("a string", 400, "invalid_request", js(B64))
bad("a number", 400, "invalid_request", js(1))
bad("null", 400, "invalid_request", js(None))
bad("100,000 open lists", 400, "invalid_request", raw(b"[" * 100_000, "application/json"))
bad("100,000 nested objects", 400, "invalid_request", raw(b'{"a":' * 100_000, "application/json"))
bad(
    "a field nested deeply",
    400,
    "invalid_request",
    raw(b'{"image":' + b"[" * 900 + b"]" * 900 + b"}", "application/json"),
)
bad(
    "a number of a million digits",
    400,
    "invalid_request",
    raw(b'{"size":' + b"9" * 1_000_000 + b"}", "application/json"),
)
bad("an infinite number", 400, "invalid_option", raw(b'{"image":"AAAA","size":1e999}', "application/json"))
bad("JSON in latin-1", 400, "invalid_request", raw('{"image":"é"}'.encode("latin-1"), "application/json"))
bad("JSON of NUL bytes", 400, "invalid_request", raw(bytes(1_000), "application/json"))
bad("an unpaired surrogate", 400, "invalid_request", raw(b'{"image_url":"http://\\ud800/"}', "application/json"))
bad("image as an object", 400, "invalid_request", js({"image": {"data": B64}}))
bad("image as a list", 400, "invalid_request", js({"image": [B64]}))
bad("a picture called JSON", 400, "invalid_request", raw(JPEG, "application/json"))
bad("100,000 JSON fields", 400, "invalid_request", js({f"f{number}": "x" for number in range(100_000)}))
bad("a JSON name of a megabyte", 400, "invalid_option", js({"x" * MEGABYTE: "x", "image": B64}))
bad("a JSON name with NUL and surrogate", 400, "invalid_option", raw(b'{"\\u0000\\ud800":"x"}', "application/json"))

# Base64
bad("no base64", 400, "invalid_base64", js({"image": "!!!!"}))
bad("a digit too many", 400, "invalid_base64", js({"image": B64.rstrip("=") + "=A"}))
bad("five digits", 400, "invalid_base64", js({"image_base64": "abcde"}))
bad("base64 of umlauts", 400, "invalid_base64", form({"image_base64": "äöü="}))
bad("base64 with NUL", 400, "invalid_base64", js({"image": B64[:20] + "\0" + B64[20:]}))
bad("base64 in base64", 400, "unsupported_image_format", js({"image": base64.b64encode(B64.encode()).decode()}))
bad("base64 of text", 400, "unsupported_image_format", js({"image": base64.b64encode(b"hello").decode()}))
bad("an empty data URL", 400, "unsupported_image_format", js({"image": "data:image/png;base64,"}))
bad("a data URL of nothing but prefixes", 400, "unsupported_image_format", js({"image": "data:," * 1_000}))
bad("31 MB in base64", 413, "image_too_large", lambda: js({"image": "A" * (42 * MEGABYTE)}))

# Forms
bad("form without boundary", 400, "invalid_request", raw(GOOD["content"], "multipart/form-data"))
bad("form with an empty boundary", 400, "invalid_request", raw(GOOD["content"], 'multipart/form-data; boundary=""'))
bad("form with another boundary", 400, "invalid_request", raw(GOOD["content"], "multipart/form-data; boundary=other"))
bad("form with an odd boundary", 400, "invalid_request", raw(GOOD["content"], "multipart/form-data; boundary=\xe9\xff"))
bad("boundary of 5,000 characters", 400, "invalid_request", raw(b"x", "multipart/form-data; boundary=" + "b" * 5_000))
bad("form cut in a part", 400, "invalid_request", raw(GOOD["content"][:200], FORM))
bad("form without an end", 400, "invalid_request", parts((named(b"image_file"), JPEG), end=b""))
bad("JSON called a form", 400, "invalid_request", raw(json.dumps({"image": B64}).encode(), FORM))
bad("a picture called a form", 400, "invalid_request", raw(JPEG, FORM))
bad("part without headers", 400, "invalid_request", parts((b"", JPEG)))
bad("part without a name", 400, "invalid_request", parts((b"Content-Disposition: form-data", JPEG)))
bad("part that is no form-data", 400, "invalid_option", parts((b'Content-Disposition: attachment; name="a"', JPEG)))
bad("part header without colon", 400, "invalid_request", parts((b"Content-Disposition form-data", JPEG)))
bad("part header of a megabyte", 400, "invalid_request", parts((named(b"n" * MEGABYTE), JPEG)))
bad("10,000 part headers", 400, "invalid_request", parts((named(b"image_file", *[b"X-Y: z"] * 10_000), JPEG)))
bad("part header in odd bytes", 400, "invalid_option", parts((named(b"\xff\xfe\x80"), JPEG)))
bad("5,000 parts", 400, "invalid_request", form({f"f{number}": "x" for number in range(5_000)}))
bad("a field twice, differently", 400, "invalid_request", parts((named(b"size"), b"hd"), (named(b"SIZE"), b"full")))
bad("two files", 400, "invalid_request", parts((named(b"image_file"), JPEG), (named(b"image_file"), PNG)))
bad("a field in odd bytes", 400, "invalid_request", parts((named(b"image_file"), JPEG), (named(b"size"), b"\xff\xfe")))
bad("an option with NUL", 400, "invalid_option", form({"format": "png\0"}, JPEG))
bad("an option of a megabyte", 400, "invalid_option", form({"format": "p" * MEGABYTE}, JPEG))
bad("a name with NUL", 400, "invalid_option", parts((named(b"image_file\0"), JPEG)))
bad("urlencoded in odd bytes", 400, "invalid_request", raw(b"image_url=%ff%fe", URLENCODED))
bad("10,000 urlencoded fields", 400, "invalid_request", raw(b"&".join([b"a=b"] * 10_000), URLENCODED))
bad("a text as file", 400, "unsupported_image_format", form(image=b"hello"))
bad("base64 as file", 400, "unsupported_image_format", form(image=B64.encode()))

# Two sources
bad("file and URL", 400, "multiple_sources", form({"image_url": "http://example.com/"}, JPEG))
bad("file and base64", 400, "multiple_sources", form({"image_base64": B64}, PNG))
bad("image and URL", 400, "multiple_sources", js({"image": B64, "image_url": "http://example.com/"}))
bad("two base64 fields", 400, "multiple_sources", js({"image": B64, "image_base64": base64.b64encode(PNG).decode()}))

# Options
for number, (option, value) in enumerate([
    ("format", "svg"), ("format", "png,jpg"), ("format", "../../etc/passwd"), ("size", "4k"), ("size", "-1"),
    ("size", "100000"), ("channels", "cmyk"), ("crop", "maybe"), ("crop", "2"), ("despill", "truefalse"),
    ("bg_color", "notacolor"), ("bg_color", "#12"), ("bg_color", "#gggggg"), ("bg_color", "#1234567"),
    ("bg_color", "rgb(1,2)"), ("bg_color", "\N{PILE OF POO}"), ("bg_color", "f" * 100_000), ("formats", "png"),
    ("model", "u2net"), ("__class__", "x"),
]):  # fmt: skip
    bad(f"{option}={value[:20]} ({number})", 400, "invalid_option", form({option: value}, JPEG))
bad("a bad option in JSON", 400, "invalid_option", js({"image": B64, "crop": "perhaps"}))
bad("a bad option in the query", 400, "invalid_option", raw(JPEG, "image/jpeg"), path="/v2?format=exe")
bad("an option twice in the query", 400, "invalid_request", raw(JPEG, "image/jpeg"), path="/v2?size=hd&size=full")

# Media types
bad("plain text", 415, "unsupported_media_type", raw(b"hello", "text/plain"))
bad("XML", 415, "unsupported_media_type", raw(b"<image/>", "application/xml"))
bad("an odd media type", 415, "unsupported_media_type", raw(b"hello", "x" * 1_000))
bad("text called a picture", 400, "unsupported_image_format", raw(b"hello", "image/png"))
bad("text called bytes", 400, "unsupported_image_format", raw(b"hello"))
bad("text called nothing", 400, "unsupported_image_format", raw(b"hello", None))
