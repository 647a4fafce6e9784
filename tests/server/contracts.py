"""A good and a bad request by each dialect, over HTTP, and what must come of them: for the process and the image."""

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import requests
from PIL import Image

from local import ROOT
from tests.dialects import shapes

PHOTO = (ROOT / "docs/images/chelsea.jpg").read_bytes()
TEXT = base64.b64encode(PHOTO).decode()
DATA_URL = f"data:image/jpeg;base64,{TEXT}"
NO_PICTURE = b"this is no picture"
TIMEOUT_S = 120

Cutout = Callable[[requests.Response], bytes]
"""Finds the picture of an answer."""


@dataclass(frozen=True)
class Contract:
    """How a dialect is called.

    Attributes:
        dialect: Its name in the registry; ``shapes`` knows its answers by it.
        path: The route.
        good: Arguments of ``requests.post`` that send the photo.
        bad: Those of a request that the dialect must refuse.
        status: Of the refusal.
        key: Name of the header that carries the key; empty: the contract has none.
        cutout: Finds the PNG of the good answer.
    """

    dialect: str
    path: str
    good: Mapping[str, Any]
    bad: Mapping[str, Any]
    status: int
    key: str = "x-api-key"
    cutout: Cutout = field(default=lambda answer: answer.content)

    def post(self, url: str, key: str, request: Mapping[str, Any]) -> requests.Response:
        """Send a request."""
        headers = {self.key: f"Key {key}" if self.key == "authorization" else key} if self.key else {}
        return requests.post(url + self.path, headers=headers, timeout=TIMEOUT_S, **request)

    def check(self, url: str, key: str, alpha: np.ndarray) -> None:
        """Send both requests.

        Args:
            url: Where the service is.
            key: A live key.
            alpha: The photo's alpha [H, W], by which the picture of every dialect is judged.
        """
        answer = self.post(url, key, self.good)
        assert answer.status_code == 200, answer.text[:500]
        getattr(shapes, f"success_of_{self.dialect}")(answer)
        assert np.array_equal(alpha_of(self.cutout(answer)), alpha)
        refusal = self.post(url, key, self.bad)
        assert refusal.status_code == self.status, refusal.text[:500]
        if refusal.ok:  # BEN's container says 200 whatever is wrong with the picture
            assert refusal.json().keys() == {"error"}
            shapes.success_of_ben_container(refusal)
        else:
            getattr(shapes, f"problem_of_{self.dialect}")(refusal)


def alpha_of(png: bytes) -> np.ndarray:
    """The alpha [H, W] of a PNG."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.mode == "RGBA"
        return np.asarray(picture)[..., 3]


def reference(url: str, key: str) -> np.ndarray:
    """The photo's alpha, by our own contract; it holds a subject and a background."""
    answer = requests.post(f"{url}/v2", PHOTO, headers={"x-api-key": key}, timeout=TIMEOUT_S)
    alpha = alpha_of(answer.content)
    assert (alpha == 0).mean() > 0.05
    assert (alpha == 255).mean() > 0.05
    return alpha


def _file(name: str) -> dict[str, Any]:
    return {"good": {"files": {name: ("cat.jpg", PHOTO)}}, "bad": {"files": {name: ("cat.jpg", NO_PICTURE)}}}


def _fetched(find: Callable[[Any], str]) -> Cutout:
    def cutout(answer: requests.Response) -> bytes:
        result = requests.get(find(answer.json()), timeout=TIMEOUT_S)  # a URL that needs no key
        assert result.status_code == 200, result.text[:500]
        return result.content

    return cutout


def _decoded(find: Callable[[Any], str]) -> Cutout:
    return lambda answer: base64.b64decode(find(answer.json()), validate=True)


CONTRACTS = (
    Contract("backgrounderase", "/v2", **_file("image_file"), status=400),
    Contract(
        "ben_container",
        "/",
        {"json": {"image": TEXT}},
        {"json": {"image": base64.b64encode(NO_PICTURE).decode()}},
        status=200,
        key="",
        cutout=_decoded(lambda document: document["image"]),
    ),
    Contract("removebg", "/v1.0/removebg", **_file("image_file"), status=400),
    Contract(
        "fal",
        "/fal-ai/ben/v2/image",
        {"json": {"image_url": DATA_URL}},
        {"json": {}},
        status=422,
        key="authorization",
        cutout=_fetched(lambda document: document["image"]["url"]),
    ),
    Contract("photoroom", "/v1/segment", **_file("image_file"), status=400),
    Contract("clipdrop", "/remove-background/v1", **_file("image_file"), status=400),
    Contract("slazzer", "/v2.0/remove_image_background", **_file("source_image_file"), status=400, key="api-key"),
    Contract(
        "picsart",
        "/tools/1.0/removebg",
        **_file("image"),
        status=422,
        key="x-picsart-api-key",
        cutout=_fetched(lambda document: document["data"]["url"]),
    ),
    Contract(
        "api4ai",
        "/v1/results",
        {"files": {"image": ("cat.jpg", PHOTO)}},
        {"data": {"neither": "file nor url"}},
        status=422,
        cutout=_decoded(lambda document: document["results"][0]["entities"][0]["image"]),
    ),
    Contract("rembg", "/api/remove", {"files": {"file": ("cat.jpg", PHOTO)}}, {"data": {"a": "1"}}, status=422, key=""),
)
