"""The Picsart dialect as its clients call it, in this process; the URL that is answered is fetched without a key."""

from collections.abc import Mapping
from typing import Any

import requests

from tests.dialects.fal_bench import stored
from tests.dialects.pictures import astronaut, pixels
from tests.dialects.shapes import success_of_picsart
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

REMOVE = f"{URL}/tools/1.0/removebg"
KEY = {"X-Picsart-API-Key": LIVE_KEY, "Accept": "application/json"}
DEFAULTS = {
    "output_type": "cutout",
    "bg_color": "",
    "bg_width": "",
    "bg_height": "",
    "bg_blur": "0",
    "scale": "fit",
    "auto_center": "false",
    "stroke_size": "0",
    "stroke_color": "FFFFFF",
    "stroke_opacity": "100",
    "shadow": "disabled",
    "shadow_opacity": "20",
    "shadow_blur": "50",
    "shadow_offset_x": "",
    "shadow_offset_y": "",
    "format": "PNG",
}
"""All that a client sends that has been told nothing but the image."""


def ask(
    api: requests.Session,
    image: bytes | None = None,
    headers: Mapping[str, str | None] | None = None,
    *,
    background: bytes | None = None,
    **options: str,
) -> requests.Response:
    """Send a form; image: by default the astronaut, 160 x 160."""
    files: dict[str, Any] = {"image": ("image", image or astronaut())}
    if background is not None:
        files["bg_image"] = ("image", background)
    return api.post(REMOVE, data=options, files=files, headers={**KEY, **(headers or {})})


def made(api: requests.Session, image: bytes | None = None, **more: Any) -> Any:
    """The pixels that are behind the answered URL, as integers."""
    response = ask(api, image, **more)
    success_of_picsart(response)
    return pixels(stored(response.json()["data"]["url"]))
