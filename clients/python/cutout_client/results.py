"""A cutout as it came back."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from cutout_client.messages import Answer

if TYPE_CHECKING:
    from PIL import Image

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom are just outside."""

_STAGE = re.compile(r"([\w-]+)\s*;[^,]*?dur=([0-9]+(?:\.[0-9]+)?)")
_ENDINGS = {"image/jpeg": "jpg", "application/zip": "zip"}
_VISIBLE, _FAINT = 64, 10
"""Alpha above which a pixel belongs to the subject; and where all is fainter."""


@dataclass(frozen=True)
class Result:
    """An encoded image and the facts about it. Looking into it needs Pillow (``pip install 'cutout-client[image]'``).

    Attributes:
        content: Encoded image (or ZIP).
        media_type: For instance ``image/png``.
        width: Pixels; 0 when not known.
        height: Pixels; 0 when not known.
        model: Model that made the mask.
        timings_ms: Milliseconds that the service took, by stage.
        request_id: Name of the request in the service's logs.
        replayed: Whether it was made for an earlier request under the same idempotency key.
        frames: Frames of an animation; 1 for a picture.
    """

    content: bytes = field(repr=False)
    media_type: str = "image/png"
    width: int = 0
    height: int = 0
    model: str = ""
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    request_id: str = ""
    replayed: bool = False
    frames: int = 1

    @property
    def ending(self) -> str:
        """Ending of a file name for it, without a dot."""
        return _ENDINGS.get(self.media_type) or self.media_type.rpartition("/")[2]

    @property
    def image(self) -> Image.Image:
        """The decoded picture; of a ZIP its colours with its alpha."""
        if self.media_type != "application/zip":
            return _decoded(self.content)
        with ZipFile(BytesIO(self.content)) as bundle:
            picture, alpha = _decoded(bundle.read("color.jpg")), _decoded(bundle.read("alpha.png"))
        picture.putalpha(alpha)
        return picture

    @property
    def mask(self) -> Image.Image:
        """The alpha, mode L: 255 where the subject is.

        Raises:
            ValueError: The picture is flat, so nothing is known of its mask; ask for ``channels="alpha"``.
        """
        picture = self.image
        if picture.mode in {"L", "1"}:
            return picture.convert("L")
        if picture.mode in {"RGBA", "LA"} or "transparency" in picture.info:
            return picture.convert("RGBA").getchannel("A")
        raise ValueError("the picture is flat: ask for channels='alpha', or for a format with transparency")

    @property
    def foreground_box(self) -> Box | None:
        """Where the subject is; None when there is none. Raises ValueError as :attr:`mask`."""
        mask = self.mask
        box: Any = mask.point(_above(_VISIBLE)).getbbox() or mask.point(_above(_FAINT)).getbbox()
        return None if box is None else (box[0], box[1], box[2], box[3])

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the encoded image; it never lies there half written.

        Args:
            path: Of the file; its folder must exist. The format is the one that was asked for, whatever its ending.

        Returns:
            The path.
        """
        target = Path(path)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            part.write_bytes(self.content)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target


def result_of(answer: Answer, facts: Answer | None = None) -> Result:
    """Return the answer of ``POST /v2`` as a result.

    Args:
        answer: Answer with the bytes.
        facts: Answer with the headers about them, where that is another (a 303 to storage).
    """
    headers = (facts or answer).headers
    return Result(
        content=answer.body,
        media_type=answer.media_type,
        width=_number(headers.get("x-image-width")),
        height=_number(headers.get("x-image-height")),
        model=headers.get("x-model", ""),
        timings_ms=timings(headers.get("server-timing", "")),
        request_id=headers.get("x-request-id", ""),
        replayed=headers.get("idempotency-replayed") == "true",
        frames=_number(headers.get("x-image-frames")) or 1,
    )


def timings(header: str) -> dict[str, float]:
    """Return the milliseconds by stage of a Server-Timing header (W3C)."""
    return {name: float(ms) for name, ms in _STAGE.findall(header)}


def is_whole(answer: Answer) -> bool:
    """Whether an encoded image has its end. Only lengths are guarded by HTTP, and not every answer has one."""
    data = answer.body
    if answer.media_type == "image/png":
        return data[-8:-4] == b"IEND"
    if answer.media_type == "image/jpeg":
        return data[-2:] == b"\xff\xd9"
    if answer.media_type == "image/webp":
        return len(data) >= 12 and len(data) >= int.from_bytes(data[4:8], "little") + 8  # noqa: PLR2004 - RIFF header
    if answer.media_type == "application/zip":
        return b"PK\x05\x06" in data[-22:]
    return bool(data)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _above(bound: int) -> list[int]:
    return [255 * (value > bound) for value in range(256)]


def _decoded(data: bytes) -> Image.Image:
    from PIL import Image  # noqa: PLC0415 - an extra

    with Image.open(BytesIO(data)) as picture:
        picture.load()
        return picture
