"""The JavaScript client in a page of another origin, in headless Chromium, against the whole local service."""

import base64
import json
import mimetypes
import os
import queue
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.browser.chromium import QUIET, chromium
from tests.clients.faulty_proxy import faulty_proxy
from tests.clients.javascript_client import PACKAGE, built
from tests.dialects.pictures import astronaut, encoded, opened

PAGE = Path(__file__).parent / "javascript_page.html"
PATIENCE_S = 240
LARGE = (1800, 1600)


def large() -> bytes:
    """A photo that is larger than what the mask-first mode sends."""
    return encoded(opened(astronaut(400)).resize(LARGE, Image.Resampling.BICUBIC), "JPEG", quality=95)


def turned() -> bytes:
    """A photo that lies on its side, and says so."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right
    picture = opened(astronaut(200)).crop((0, 0, 200, 160)).transpose(Image.Transpose.ROTATE_90)
    return encoded(picture, "JPEG", exif=exif.tobytes())


def translucent() -> bytes:
    """A photo that fades out to the left."""
    picture = opened(astronaut(160)).convert("RGBA")
    picture.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 160, dtype=np.uint8), (160, 1))))
    return encoded(picture)


def files() -> Mapping[str, bytes]:
    example = re.search(r"^```html\n(.*?)^```$", (PACKAGE / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert example
    modules = {f"/cutout-client/{path.name}": path.read_bytes() for path in (built() / "dist" / "esm").glob("*.js")}
    return modules | {
        "/page.html": PAGE.read_bytes().replace(b"<!-- README's page -->", example[1].encode()),
        "/large.jpg": large(), "/small.jpg": astronaut(), "/turned.jpg": turned(),
        "/translucent.png": translucent(),
    }  # fmt: skip


@dataclass
class PageServer:
    """The page's own origin, what the page reports to it, and a storage whose answers any page may read."""

    url: str = ""
    reports: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)
    stored: bytes = b""
    asked: list[Mapping[str, str]] = field(default_factory=list)

    def store(self, body: bytes) -> str:
        self.stored = body
        return f"{self.url}/stored"


@contextmanager
def page_server() -> Iterator[PageServer]:
    page, served = PageServer(), files()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == "/stored":
                page.asked.append({name.lower(): value for name, value in self.headers.items()})
                self._answer(200, page.stored, "image/png")
                return
            kind = "text/javascript" if path.endswith(".js") else mimetypes.guess_type(path)[0] or "text/plain"
            self._answer(200 if path in served else 404, served.get(path, b""), kind)

        def do_POST(self) -> None:
            page.reports.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self._answer(200, b"", "text/plain")

        def do_OPTIONS(self) -> None:
            self._answer(200, b"", "text/plain")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            if self.path == "/stored":  # as S3 does by the template's rules
                self.send_header("access-control-allow-origin", "*")
                self.send_header("access-control-allow-headers", self.headers.get("access-control-request-headers", ""))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        page.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield page
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def report(service, tmp_path_factory) -> dict[str, Any]:
    """What came of the page's calls."""
    browser = chromium()
    profile = tmp_path_factory.mktemp("profile")
    with page_server() as page, faulty_proxy(service.url, "elsewhere", store=page.store) as proxy:
        settings = {"service": service.url, "key": service.key, "proxy": proxy.url}
        url = f"{page.url}/page.html?{urlencode(settings)}"
        with (profile / "chromium.log").open("wb") as log:
            command = [
                str(browser),
                "--headless=new",
                *QUIET,
                "--enable-logging=stderr",
                f"--user-data-dir={profile}",
                url,
            ]
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            return page.reports.get(timeout=PATIENCE_S) | {"stored": page.asked}
        except queue.Empty:
            pytest.fail((profile / "chromium.log").read_text(errors="replace")[-2000:])
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def shown(answer: Any) -> Image.Image:
    assert "data" in answer, answer
    return opened(base64.b64decode(answer["data"]))


def whole_cutout(service, photo: bytes) -> np.ndarray:
    """What the service makes of the photo itself."""
    form = {"files": {"image_file": photo}, "headers": {"x-api-key": service.key}, "timeout": 60}
    return np.asarray(opened(httpx.post(f"{service.url}/v2", **form).content)).astype(int)


def test_the_page_of_the_readme_cuts_out_at_full_size_what_the_service_would(report, service):
    made = np.asarray(shown(report["readme"])).astype(int)
    assert made.shape == (LARGE[1], LARGE[0], 4)
    whole = whole_cutout(service, large())
    off = np.abs(made[..., 3] - whole[..., 3])
    assert off.mean() < 2
    assert (off > 128).mean() < 0.002
    inside = (made[..., 3] == 255) & (whole[..., 3] == 255)
    assert np.abs(made - whole)[inside][:, :3].mean() < 2


def test_only_a_small_picture_travels(report):
    assert 0 < report["sent"] < len(large()) / 3


def test_a_photo_that_lies_on_its_side_stands_up(report):
    picture = shown(report["turned"])
    assert picture.size == (200, 160)
    alpha = np.asarray(picture)[..., 3]
    assert (alpha[10, 190], alpha[150, 100]) == (0, 255)


def test_nothing_becomes_more_opaque_than_it_was(report):
    alpha = np.asarray(shown(report["translucent"]))[..., 3]
    assert (alpha <= np.asarray(opened(translucent()))[..., 3]).all()
    assert alpha.max() > 100


def test_files_and_streams_become_cutouts_whose_headers_a_page_may_read(report):
    assert shown(report["file"]).format == "WEBP"
    assert (report["file"]["width"], report["file"]["model"]) == (160, "cutout-s")
    assert report["file"]["requestId"].startswith("req_")
    assert report["stream"]["box"]["height"] > 100


def test_an_upload_and_an_answer_that_stands_elsewhere_work_from_a_page(report):
    assert "data" in report["uploaded"], report["uploaded"]
    assert shown(report["elsewhere"]).size == (160, 160)
    assert report["stored"]
    assert not {"authorization", "x-api-key"} & {name for headers in report["stored"] for name in headers}


def test_an_upload_tells_how_far_it_is(report):
    size = len(large())
    uploads = [event for event in report["uploaded"]["seen"] if event["stage"] == "upload"]
    assert {event["total"] for event in uploads} == {size}
    loaded = [event["loaded"] for event in uploads]
    assert loaded == sorted(loaded)
    assert (loaded[0], loaded[-1]) == (0, size)


def test_the_caller_of_a_page_can_give_up(report):
    assert (report["halted"]["failed"], report["halted"]["message"]) == ("Error", "enough")


def test_many_and_the_account(report):
    assert (report["map"], report["account"]) == ([[True, 0], [False, 1]], "ok")


@pytest.mark.parametrize(
    ("what", "name"),
    [("broken", "InvalidImageError"), ("refused", "InvalidOptionError"), ("saved", "FilesUnavailableError"),
     ("path", "FilesUnavailableError"), ("nobody", "ConnectionError"), ("offline", "ConnectionError"),
     ("late", "RequestTimeoutError")],
)  # fmt: skip
def test_what_cannot_be_ends_with_a_typed_error(what, name, report):
    assert report[what]["failed"] == name, report[what]


def test_a_page_knows_that_it_can_draw(report):
    assert report["canvas"] is True
