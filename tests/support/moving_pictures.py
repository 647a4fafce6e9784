"""Animations for the tests of the service: a cat that moves, as GIF, WebP or APNG."""

from io import BytesIO
from typing import Any

from PIL import Image

from local import ROOT

SIZE = (90, 60)


def moving_cat(frames: int, file_format: str = "GIF", **options: Any) -> bytes:
    """So many different frames of 90 x 60, of 80 ms each, for ever."""
    with Image.open(ROOT / "docs" / "images" / "chelsea.jpg") as photo:
        small = photo.convert("RGB").resize((SIZE[0] + 2 * frames, SIZE[1]))
    pictures = [small.crop((2 * number, 0, 2 * number + SIZE[0], SIZE[1])) for number in range(frames)]
    buffer = BytesIO()
    pictures[0].save(buffer, file_format, save_all=True, append_images=pictures[1:], duration=80, loop=0, **options)
    return buffer.getvalue()


def frames_of(data: bytes) -> list[tuple[Image.Image, int]]:
    """Every frame as RGBA, and how long it is shown in milliseconds."""
    with Image.open(BytesIO(data)) as picture:
        found = []
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            found.append((picture.convert("RGBA"), round(picture.info.get("duration", 0))))
        return found
