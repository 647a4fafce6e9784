"""``cutout_client.ben`` does what the Python SDK of BackgroundErase / BEN does (docs: its behaviour, by its wire)."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cutout_client.ben import predict_image
from tests.dialects.pictures import astronaut, encoded, opened
from tests.support.local_service import Service


@pytest.fixture
def listener() -> Iterator[Any]:
    """A server that keeps what it gets and answers as it is told."""
    kept: dict[str, Any] = {
        "status": 200,
        "answer": {"mask": base64.b64encode(encoded(Image.new("L", (8, 8), 200))).decode()},
    }

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept["headers"] = {name.lower(): value for name, value in self.headers.items()}
            kept["body"] = json.loads(self.rfile.read(int(self.headers["content-length"])))
            body = json.dumps(kept["answer"]).encode()
            self.send_response(kept["status"])
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        kept["url"] = f"http://127.0.0.1:{server.server_address[1]}/v2"
        yield kept
        server.shutdown()
        thread.join()


def test_it_sends_a_squashed_upright_jpeg_and_nothing_else(listener: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = opened(encoded(Image.new("RGB", (300, 200), "red"), "JPEG", exif=exif))
    mask, foreground = predict_image(photo, "my key", listener["url"])
    assert set(listener["body"]) == {"image"}
    sent = opened(base64.b64decode(listener["body"]["image"], validate=True))
    assert (sent.format, sent.size, sent.mode) == ("JPEG", (1024, 1024), "RGB")
    assert (listener["headers"]["x-api-key"], listener["headers"]["content-type"]) == ("my key", "application/json")
    assert (mask.mode, mask.size) == ("L", (200, 300))
    assert (foreground.mode, foreground.size) == ("RGBA", (200, 300))
    assert foreground.getchannel("A").getextrema() == (200, 200)
    assert photo.size == (300, 200), "the photo of the caller stays as it is"


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_it_takes_photos_of_every_mode(listener: Any, mode) -> None:
    _, foreground = predict_image(Image.new(mode, (30, 20)), "key", listener["url"])
    assert (foreground.mode, foreground.size) == ("RGBA", (30, 20))
    sent = opened(base64.b64decode(listener["body"]["image"]))
    assert sent.mode == ("L" if mode == "L" else "RGB")


def test_a_refusal_is_printed_and_answered_by_none(listener: Any, capsys) -> None:
    listener.update(status=403, answer={"error": {"code": "invalid_api_key"}})
    assert predict_image(Image.new("RGB", (30, 20)), "key", listener["url"]) is None
    printed = capsys.readouterr().out
    assert "403" in printed
    assert "invalid_api_key" in printed


def test_it_works_with_the_service_as_the_documentation_shows(service: Service, monkeypatch) -> None:
    monkeypatch.setenv("CUTOUT_BASE_URL", service.url)
    mask, foreground = predict_image(opened(astronaut(200)), service.key)
    assert mask.size == foreground.size == (200, 200)
    assert mask.getextrema() == (0, 255)
    assert (np.asarray(foreground)[..., 3] == np.asarray(mask)).all()
