"""What answers look like in each vendor's contract: ``problem_of_<dialect>`` and ``success_of_<dialect>``.

The fuzz asks them of every answer, whatever was sent; the tests of a dialect may, too.
"""

import base64
import io
import json
from typing import Any

import requests
from PIL import Image

# ---------------------------------------------------------------- What several contracts share


def document_of(response: requests.Response) -> Any:
    """The JSON of an answer that says it is JSON; NaN and Infinity are none."""
    assert response.headers["content-type"].startswith("application/json"), response.headers["content-type"]
    return json.loads(response.content, parse_constant=_refuse_constant)


def _refuse_constant(word: str) -> None:
    raise AssertionError(f"{word} is not JSON")


def image_of(data: bytes, *formats: str) -> Image.Image:
    """A picture that decodes to its last pixel, of one of the formats (Pillow's names)."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    assert not formats or picture.format in formats, picture.format
    return picture


def is_refusal(response: requests.Response, *statuses: int) -> None:
    """One of the statuses, and a wait with those that ask for one."""
    assert response.status_code in statuses, response.status_code
    if response.status_code in {429, 503}:
        assert int(response.headers["retry-after"]) >= 0
    if response.status_code == 405:
        assert response.headers["allow"]


# ---------------------------------------------------------------- BackgroundErase


def problem_of_backgrounderase(response: requests.Response) -> None:
    is_refusal(response, 400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 429)
    error = document_of(response)["error"]
    assert error.keys() == {"code", "message", "status", "request_id", "details"}
    assert error["status"] == response.status_code
    assert error["code"]
    assert error["message"]
    assert error["request_id"] == response.headers["x-request-id"]


def success_of_backgrounderase(response: requests.Response) -> None:
    kind = response.headers["content-type"]
    if response.status_code == 202:
        assert document_of(response)["status"] == "queued"
    elif kind.startswith("image/"):
        image_of(response.content)
    elif kind == "application/zip":
        assert response.content.startswith(b"PK")
    else:
        document = document_of(response)
        assert "dialects" in document or image_of(base64.b64decode(document.get("mask") or document["image"]))
