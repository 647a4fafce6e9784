"""The remove.bg dialect as its clients call it, in this process."""

from typing import Any

import numpy as np
import requests

from tests.dialects.pictures import astronaut, opened, pixels
from tests.dialects.shapes import success_of_removebg
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

REMOVE, ACCOUNT, IMPROVE = (f"{URL}/v1.0/{name}" for name in ("removebg", "account", "improve"))
SIDE = 160
PHOTO = pixels(astronaut())


def key_header(key: str | None = LIVE_KEY) -> dict[str, str]:
    return {} if key is None else {"X-Api-Key": key}


def ask(
    api: requests.Session, *, image: bytes | None = None, background: bytes | None = None, key: str | None = LIVE_KEY,
    accept: str = "*/*", **fields: str,
) -> requests.Response:  # fmt: skip
    """Send a form; image: by default the astronaut, 160 x 160."""
    files: dict[str, Any] = {"image_file": ("photo.jpg", astronaut() if image is None else image)}
    if background is not None:
        files["bg_image_file"] = ("ground.png", background)
    return api.post(
        REMOVE, files=files, data=fields, headers={**key_header(key), "Accept": accept}, allow_redirects=False
    )


def made(api: requests.Session, **options: Any) -> np.ndarray:
    """The pixels of a good answer, as integers."""
    answer = ask(api, **options)
    success_of_removebg(answer)
    return np.array(opened(answer.content)).astype(int)


def code_of(answer: requests.Response) -> str:
    """Of the one error in an answer."""
    (error,) = answer.json()["errors"]
    return str(error["code"])
