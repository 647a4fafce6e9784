"""The documented calls of rembg's server and of BEN's container, by curl, against the whole service.

Nothing official speaks to either but such calls. The service's development account answers for requests without a key.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.clients.real_clients import run_curl
from tests.dialects.pictures import cat, opened, pixels
from tests.support.local_service import Service

PNG = (200, "image/png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where curl finds the picture."""
    (tmp_path / "input.jpg").write_bytes(cat(120, 80, "JPEG"))
    return tmp_path


def curl(url: str, *arguments: str, folder: Path) -> tuple[tuple[int, str], bytes]:
    status, headers, body = run_curl(url, *arguments, folder=folder)
    return (status, headers["content-type"]), body


def test_rembg_takes_a_file_without_a_key(service: Service, folder: Path) -> None:
    kind, body = curl(f"{service.url}/api/remove", "-F", "file=@input.jpg", folder=folder)
    assert kind == PNG
    assert opened(body).size == (120, 80)
    assert (pixels(body)[20:60, 20:60, 3] > 250).all()


def test_rembg_takes_options_beside_the_file_and_the_colour_in_the_query(service: Service, folder: Path) -> None:
    form = ("-F", "file=@input.jpg", "-F", "model=isnet-general-use", "-F", "a=true", "-F", "ppm=true")
    kind, mask = curl(f"{service.url}/api/remove", *form, "-F", "om=true", folder=folder)
    assert kind == PNG
    assert opened(mask).mode == "L"
    kind, flat = curl(f"{service.url}/api/remove?bgc=255,255,255,255", *form, folder=folder)
    assert kind == PNG
    assert (pixels(flat)[:40, -8:, :3] == 255).all()


def test_rembg_fetches_a_url(service: Service, folder: Path, file_server: Any) -> None:
    (file_server.folder / "rembg.jpg").write_bytes((folder / "input.jpg").read_bytes())
    kind, body = curl(f"{service.url}/api/remove?url={file_server.url}/rembg.jpg", folder=folder)
    assert kind == PNG
    assert opened(body).size == (120, 80)


def test_rembg_tells_what_is_wrong_as_fastapi_does(service: Service, folder: Path) -> None:
    kind, body = curl(f"{service.url}/api/remove", "-F", "af=x", folder=folder)
    assert kind == (422, "application/json")
    assert [fault["loc"] for fault in json.loads(body)["detail"]] == [["body", "file"], ["body", "af"]]
    kind, body = curl(f"{service.url}/api/remove?url=http://169.254.169.254/", folder=folder)
    assert kind == (400, "application/json")
    assert isinstance(json.loads(body)["detail"], str)


def test_bens_container_takes_base64_and_gives_base64(service: Service, folder: Path) -> None:
    text = base64.b64encode((folder / "input.jpg").read_bytes()).decode()
    (folder / "picture.json").write_text(json.dumps({"image": text}))
    header = ("-H", "Content-Type: application/json")
    kind, body = curl(f"{service.url}/", *header, "-d", "@picture.json", folder=folder)
    assert kind == (200, "application/json")
    cutout = opened(base64.b64decode(json.loads(body)["image"]))
    assert (cutout.mode, cutout.size) == ("RGBA", (120, 80))
    kind, body = curl(f"{service.url}/", *header, "-d", '{"image_path": "/etc/hostname"}', folder=folder)
    assert kind == (200, "application/json")
    assert "never read" in json.loads(body)["error"]
    assert json.loads(curl(f"{service.url}/", folder=folder)[1])["status"] == "ok", "GET is the health check"
