"""The page is served beside the API, and hides nothing of it."""

import asyncio
import gzip
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import ROOT
from local.intrinsics import read_yaml
from local.resources import Template
from local.site import SAMPLES, Site, policy, site_files

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "host": "127.0.0.1:8585"}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


async def api(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"the API"})


def ask(path: str, headers: Mapping[str, str] = BROWSER, method: str = "GET") -> Answer:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    fields = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": fields}
    asyncio.run(Site(api, "http://127.0.0.1:9000", "the-key")(scope, None, send))  # type: ignore[arg-type]
    start, body = sent
    return Answer(start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body["body"])


def test_a_browser_gets_the_page_and_everybody_else_the_api():
    page = ask("/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.body == (ROOT / "web" / "index.html").read_bytes()
    assert page.headers["vary"] == "accept, accept-encoding"
    for headers in ({}, {"accept": "*/*"}, {"accept": "application/json"}):
        assert ask("/", headers).body == b"the API"
    assert ask("/", method="POST").body == b"the API"


@pytest.mark.parametrize("path", ["/v2", "/docs/", "/assets/../config.json", "/assets", "/etc/passwd", "/../README.md"])
def test_what_is_no_file_of_the_page_is_the_apis(path):
    assert ask(path).body == b"the API"


def test_no_file_of_the_page_hides_a_route_of_the_api(template: Template):
    taken = {route.path for route in template.routes} & site_files().keys()
    assert taken == {"/"}


def test_every_file_is_there_and_keeps_to_the_policy():
    for path, file in site_files().items():
        answer = ask(path)
        assert file.is_file()
        assert answer.status == 200, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
        assert "unsafe" not in policy
        assert "connect-src 'self' blob: http://127.0.0.1:9000;" in policy


def test_the_page_names_no_other_host_and_holds_no_inline_script_or_style():
    for file in (ROOT / "web").rglob("*"):
        if file.suffix in {".html", ".js", ".css"}:
            text = file.read_text()
            hosts = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text))
            assert hosts <= {"https://example.com", "http://www.w3.org"}, file  # a sample value, and SVG's namespace
            assert " style=" not in text
            assert "innerHTML" not in text


def test_a_file_that_has_not_changed_is_not_sent_again():
    tag = ask("/assets/main.js").headers["etag"]
    again = ask("/assets/main.js", BROWSER | {"if-none-match": tag})
    assert (again.status, again.body) == (304, b"")


def test_the_key_is_offered_on_this_machine_alone():
    for host in ("127.0.0.1:8585", "localhost:8585"):
        assert json.loads(ask("/config.json", {"host": host}).body)["key"] == "the-key"
    for host in ("rebound.example:8585", "127.0.0.1.example:80", ""):
        assert json.loads(ask("/config.json", {"host": host}).body)["key"] == ""
    assert "access-control-allow-origin" not in ask("/config.json").headers


def test_the_contracts_are_answered_as_json_that_refers_to_json():
    main = json.loads(ask("/openapi.json").body)
    assert main["info"] == yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["info"]
    references = {path for path in site_files() if path.startswith("/openapi/")}
    assert {f"/{item['$ref'].partition('#')[0]}" for item in main["paths"].values() if "$ref" in item} <= references


def test_samples_are_photos_whose_licence_stands_in_the_notice():
    notice = (ROOT / "NOTICE").read_text()
    for name in SAMPLES:
        assert ask(f"/samples/{name}.jpg").body.startswith(b"\xff\xd8")
        assert f'"{name}"' in notice


def test_the_page_can_be_written_as_files(tmp_path: Path):
    command = [sys.executable, ROOT / "tools" / "export_site.py", tmp_path / "site"]
    subprocess.run(command, check=True, capture_output=True)
    site = tmp_path / "site"
    written = {f"/{file.relative_to(site).as_posix()}" for file in site.rglob("*") if file.is_file()}
    assert written == site_files().keys() - {"/"} | {"/index.html"}
    assert (site / "docs").read_bytes() == ask("/docs").body
    assert json.loads((site / "openapi" / "fal.json").read_text())["openapi"] == "3.1.0"


def test_texts_are_compressed_for_those_who_can_read_that():
    plain, packed = ask("/assets/main.js"), ask("/assets/main.js", BROWSER | {"accept-encoding": "gzip, br"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["etag"] == plain.headers["etag"]
    assert "content-encoding" not in ask("/samples/coffee.jpg", BROWSER | {"accept-encoding": "gzip"}).headers


def test_the_status_document_has_the_removals_that_passed():
    statuses = iter((200, 422, 503))

    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": next(statuses), "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def told() -> dict[str, Any]:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        site = Site(answer, "", "")
        for method, path in (("POST", "/v2"), ("POST", "/v2"), ("POST", "/v2"), ("GET", "/status.json")):
            await site({"type": "http", "method": method, "path": path, "headers": []}, None, send)  # type: ignore[arg-type]
        return json.loads(sent[-1]["body"])

    document = asyncio.run(told())
    assert document["source"] == "requests"
    assert [(check["way"], check["ok"]) for check in document["checks"]] == [
        ("direct", True),
        ("direct", True),
        ("direct", False),
    ]


def test_the_start_page_names_every_module_that_it_begins_with():
    """Else a browser finds them one after another, each a round trip later."""
    assets, found, left = ROOT / "web" / "assets", set(), ["main.js"]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += re.findall(
                r'^(?:import|export) .*?from "\./([\w-]+\.js)"', (assets / name).read_text(), re.MULTILINE | re.DOTALL
            )
    named = re.findall(
        r'modulepreload" fetchpriority="low" href="assets/([\w-]+\.js)"', (ROOT / "web" / "index.html").read_text()
    )
    assert {*named, "main.js"} == found


def test_cloudfront_sends_the_headers_of_the_local_page():
    page = read_yaml((ROOT / "web.yaml").read_text())["Resources"]["PageHeaders"]["Properties"][
        "ResponseHeadersPolicyConfig"
    ]
    template, values = page["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    assert values.keys() == {"Uploads", "Results"}
    headers = policy("${Uploads} ${Results}")
    assert template == headers.pop("content-security-policy")
    assert page["SecurityHeadersConfig"]["ReferrerPolicy"]["ReferrerPolicy"] == headers.pop("referrer-policy")
    assert page["SecurityHeadersConfig"]["ContentTypeOptions"] == {"Override": True}
    assert headers.pop("x-content-type-options") == "nosniff"
    assert {item["Header"]: item["Value"] for item in page["CustomHeadersConfig"]["Items"]} == headers
