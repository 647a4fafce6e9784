"""A drop-in for the Python SDK of BackgroundErase / BEN: the same function, arguments and results.

    from cutout_client.ben import predict_image

    mask, foreground = predict_image(Image.open("photo.jpg"), api_key, "http://127.0.0.1:8585/v2")

As there, the photo is turned upright by its EXIF, squashed to 1024 x 1024, and sent as a JPEG of quality 85 in
``{"image": base64}``; the mask comes back at any size and is stretched over the photo. Needs ``[image]``.
"""

from __future__ import annotations

import base64
import os
from io import BytesIO
from typing import Any

import httpx
from PIL import Image, ImageOps

SIDE_PX = 1024
_JPEG: dict[str, Any] = {"format": "JPEG", "quality": 85, "optimize": True}
_TIMEOUT_S = 60.0
_OK = 200


def predict_image(
    image: Image.Image, api_key: str, api_url: str | None = None
) -> tuple[Image.Image, Image.Image] | None:
    """Remove the background of a photo.

    Args:
        image: The photo; it is not changed.
        api_key: API key.
        api_url: URL of ``POST /v2``; by default that of CUTOUT_BASE_URL, or of the local service.

    Returns:
        The mask (mode L, white where the subject is) and the photo with that mask as its alpha (RGBA), both of the
        upright photo's size. None when the service refuses: its status and answer are printed, as in the SDK.

    Raises:
        httpx.HTTPError: There is no connection, or no answer in time.
    """
    photo = ImageOps.exif_transpose(image)
    # The SDK fails on transparency; here it is dropped.
    sent = photo if photo.mode in {"L", "RGB"} else photo.convert("RGB")
    answer = httpx.post(
        api_url or f"{os.environ.get('CUTOUT_BASE_URL', 'http://127.0.0.1:8585').rstrip('/')}/v2",
        json={"image": _base64(sent.resize((SIDE_PX, SIDE_PX)))},
        headers={"x-api-key": api_key, "Content-Type": "application/json"},
        timeout=_TIMEOUT_S,
    )
    if answer.status_code != _OK:
        print(f"Error: {answer.status_code} - {answer.text}")  # noqa: T201 - as the SDK does
        return None
    mask = _decoded(answer.json()["mask"]).resize(photo.size)
    foreground = photo.convert("RGB")
    foreground.putalpha(mask)
    return mask, foreground


def _base64(photo: Image.Image) -> str:
    buffer = BytesIO()
    photo.save(buffer, **_JPEG)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _decoded(text: str) -> Any:
    with Image.open(BytesIO(base64.b64decode(text))) as mask:
        return mask.convert("L")
