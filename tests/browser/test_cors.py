"""Chromium itself lets a page of another origin call the API with keys in headers, and read what the answers say."""

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.browser.chromium import QUIET, chromium
from tests.support.local_service import Service

PAGE = Path(__file__).parent / "page.html"
PATIENCE_S = 240
"""Beyond this the page has failed; a busy machine takes its time."""


@contextmanager
def page_server() -> Iterator[tuple[str, "queue.Queue[dict[str, Any]]"]]:
    """The page's own origin, and what the page reports to it."""
    reports: queue.Queue[dict[str, Any]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200 if self.path.startswith("/page.html") else 404, PAGE.read_bytes())

        def do_POST(self) -> None:
            reports.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self._answer(200, b"{}")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", reports
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> str:
    return str(chromium())


@pytest.fixture(scope="module")
def report(browser: str, service: Service, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page could do and read."""
    profile = tmp_path_factory.mktemp("profile")
    with page_server() as (origin, reports):
        url = f"{origin}/page.html?{urlencode({'service': service.url, 'key': service.key})}"
        with (profile / "chromium.log").open("wb") as log:
            command = [browser, "--headless=new", *QUIET, f"--user-data-dir={profile}", url]
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            return reports.get(timeout=PATIENCE_S)
        except queue.Empty:
            pytest.fail((profile / "chromium.log").read_text(errors="replace")[-2000:])
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_a_page_gets_a_cutout_and_reads_the_headers_of_the_answer(report):
    answer = report["v2"]
    assert (answer["status"], answer["body"]) == (200, {"width": 60, "height": 40})
    assert answer["headers"]["x-model"] == "cutout-s"
    assert int(answer["headers"]["x-ratelimit-limit"]) > 0
    assert answer["headers"]["x-request-id"].startswith("req_")


def test_a_page_may_send_the_key_by_a_vendors_header(report):
    answer = report["slazzer"]
    assert (answer["status"], answer["body"]) == (200, {"width": 60, "height": 40})
    assert "x-ratelimit-remaining" in answer["headers"]


def test_a_page_may_send_the_key_by_authorization_which_no_asterisk_covers(report):
    answer = report["fal"]
    assert answer["status"] == 200
    assert (answer["body"]["image"]["width"], answer["body"]["image"]["height"]) == (60, 40)
    assert answer["headers"]["x-fal-request-id"]


def test_a_page_may_post_to_a_path_whose_other_methods_another_function_answers(report):
    assert report["container"]["status"] == 200
    assert report["container"]["body"].keys() == {"image"}


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [("refused", 403, "invalid_api_key"), ("nowhere", 404, "not_found"), ("deleted", 404, "not_found"),
     ("wrongly", 405, "method_not_allowed")],
)  # fmt: skip
def test_a_page_may_read_what_is_wrong(what, status, code, report):
    answer = report[what]
    assert (answer["status"], answer["body"]["error"]["code"]) == (status, code)
    assert answer["headers"]["x-request-id"]


def test_the_browser_does_not_even_send_a_method_that_the_preflight_does_not_name(report):
    assert "Failed to fetch" in report["forbidden"]["failed"]
