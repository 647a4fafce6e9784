"""Pictures for the tests: photos of scikit-image, drawn mattes with exact alpha, files in every format and mode."""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from cutout.imaging.resampling import squash

PHOTOS = Path(skimage.__file__).parent / "data"


def photo(name: str, width: int, height: int) -> NDArray[np.float32]:
    """A photo of scikit-image, stretched to width x height: float32 [H, W, 3] in 0..1."""
    with Image.open(PHOTOS / name) as picture:
        stretched = picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(stretched, np.float32) / 255


@dataclass(frozen=True)
class Scene:
    """A composite whose alpha, foreground and background are known exactly."""

    front: NDArray[np.float32]
    back: NDArray[np.float32]
    alpha: NDArray[np.float32]

    @property
    def image(self) -> NDArray[np.uint8]:
        return to_bytes(self.over(self.alpha, self.front, self.back))

    @property
    def edge(self) -> NDArray[np.bool_]:
        """The pixels that are judged: soft ones and four more around."""
        soft = Image.fromarray(((self.alpha > 0.02) & (self.alpha < 0.98)).astype(np.uint8) * 255)
        return np.asarray(soft.filter(ImageFilter.MaxFilter(9))) > 0

    def coarse(self, side: int = 320, blur_px: float = 0.8) -> NDArray[np.float32]:
        """The true alpha as a small model would give it: squashed to side x side and a little blurred."""
        small = Image.fromarray(to_bytes(self.alpha)).resize((side, side), Image.Resampling.BILINEAR)
        return np.asarray(small.filter(ImageFilter.GaussianBlur(blur_px)), np.float32) / 255

    @staticmethod
    def over(alpha: Any, front: Any, back: Any) -> NDArray[np.float32]:
        return np.asarray(alpha[..., None] * front + (1 - alpha[..., None]) * back, np.float32)


def scene(alpha: NDArray[np.float32], front: str = "astronaut.png", back: str = "brick.png") -> Scene:
    height, width = alpha.shape
    return Scene(photo(front, width, height), photo(back, width, height), alpha)


def strands(width: int, height: int, seed: int = 0, count: int = 180) -> NDArray[np.float32]:
    """A head with hair-like strands, one to three pixels wide at 1024, drawn at twice the size."""
    random = np.random.default_rng(seed)
    picture = Image.new("L", (width * 2, height * 2))
    draw = ImageDraw.Draw(picture)
    side, x0, y0 = min(width, height) * 2, width, height * 1.2
    draw.ellipse([x0 - 0.22 * side, y0 - 0.25 * side, x0 + 0.22 * side, y0 + 0.3 * side], fill=255)
    for _ in range(count):
        angle = random.uniform(-np.pi, 0)
        x, y = x0 + 0.2 * side * np.cos(angle), y0 + 0.22 * side * np.sin(angle)
        points, heading = [(x, y)], angle + random.normal(0, 0.3)
        for _ in range(14):
            heading += random.normal(0, 0.12)
            x, y = x + np.cos(heading) * 0.013 * side, y + np.sin(heading) * 0.013 * side
            points.append((x, y))
        draw.line(points, fill=255, width=max(1, int(side * 0.0012 * random.uniform(0.6, 2))))
    return _half(picture)


def polygon(width: int, height: int, corners: int = 22) -> NDArray[np.float32]:
    """A hard-edged, irregular star."""
    random = np.random.default_rng(3)
    picture = Image.new("L", (width * 2, height * 2))
    radius = random.uniform(0.2, 0.42, corners) * min(width, height) * 2
    turn = np.arange(corners) * 2 * np.pi / corners
    points = zip(width + radius * np.cos(turn), height + radius * np.sin(turn), strict=True)
    ImageDraw.Draw(picture).polygon([(float(x), float(y)) for x, y in points], fill=255)
    return _half(picture)


def soft_disc(width: int, height: int, ramp: float = 0.03) -> NDArray[np.float32]:
    """A disc out of focus: alpha falls linearly over ``ramp`` of the short side."""
    y, x = np.mgrid[0:height, 0:width]
    radius = np.hypot(x - width / 2, y - height / 2) / min(width, height)
    return np.clip((0.35 - radius) / ramp + 0.5, 0, 1).astype(np.float32)


def to_bytes(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)


def _half(picture: Image.Image) -> NDArray[np.float32]:
    small = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / 255


class StubSegmenter:
    """Answers the alpha it was given and remembers the picture it was asked about."""

    name = "stub"

    def __init__(self, alpha: NDArray[np.float32] | None = None) -> None:
        self._alpha = soft_disc(320, 320) if alpha is None else alpha
        self.asked: NDArray[np.uint8] | None = None

    def squash(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        self.asked = image
        return squash(image, max(self._alpha.shape))

    def alpha(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._alpha


def saved(picture: Image.Image | NDArray[Any], file_format: str, **options: Any) -> bytes:
    """The bytes of a file that Pillow writes."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    """A file read by Pillow, pixels loaded."""
    picture = Image.open(BytesIO(data))
    picture.load()
    return picture


def chunk(kind: bytes, data: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png16(values: NDArray[np.uint16]) -> bytes:
    """A 16-bit PNG, which Pillow cannot write for colour: [H, W] gray, [H, W, 2] LA, [H, W, 3], [H, W, 4]."""
    height, width = values.shape[:2]
    channels = 1 if values.ndim == 2 else values.shape[2]
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = values.astype(">u2").reshape(height, -1)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def png_of(width: int, height: int, idat: bytes, extra: bytes = b"", colour: int = 2) -> bytes:
    """A PNG that claims a size and carries any IDAT bytes; ``extra`` chunks stand before them."""
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", idat) + chunk(b"IEND", b"")


def tiff_of(values: NDArray[Any], tags: dict[int, tuple[int, ...]] | None = None) -> bytes:
    """A little-endian, uncompressed TIFF of one strip: [H, W] or [H, W, C] of uint8, uint16, uint32 or float32."""
    height, width = values.shape[:2]
    channels = 1 if values.ndim == 2 else values.shape[2]
    bits = values.dtype.itemsize * 8
    pixels = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
    entries = {
        256: (width,),
        257: (height,),
        258: (bits,) * channels,
        259: (1,),
        262: (2 if channels >= 3 else 1,),
        273: (8,),
        277: (channels,),
        278: (height,),
        279: (len(pixels),),
        339: ((3 if values.dtype.kind == "f" else 1),) * channels,
        **(tags or {}),
    }
    directory, beyond = b"", b""
    start = 8 + len(pixels)
    after = start + 2 + 12 * len(entries) + 4
    for tag, numbers in sorted(entries.items()):
        data = struct.pack(f"<{len(numbers)}I", *numbers)
        if len(data) <= 4:
            place = data
        else:
            place, beyond = struct.pack("<I", after + len(beyond)), beyond + data
        directory += struct.pack("<HHI", tag, 4, len(numbers)) + place
    table = struct.pack("<H", len(entries)) + directory + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", start) + pixels + table + beyond


def icc_profile(space: bytes, curve: NDArray[np.float64], colorants: dict[bytes, tuple[float, float, float]]) -> bytes:
    """A small ICC v2 display profile (ICC.1:2001-04) with one tone curve for all channels."""

    def xyz(values: tuple[float, float, float]) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))

    samples = np.clip(np.round(curve * 65535), 0, 65535).astype(">u2")
    tone = b"curv\0\0\0\0" + struct.pack(">I", len(samples)) + samples.tobytes()
    tags = {b"wtpt": xyz((0.9642, 1.0, 0.8249))}
    tags |= {b"kTRC": tone} if space == b"GRAY" else dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), tone)
    tags |= {name: xyz(values) for name, values in colorants.items()}
    table, data = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        padded = value + b"\0" * (-len(value) % 4)
        table += name + struct.pack(">II", start + len(data), len(value))
        data += padded
    header = struct.pack(
        ">I4sI4s4s4s12x4s", start + len(data), b"\0\0\0\0", 0x02100000, b"mntr", space, b"XYZ ", b"acsp"
    )
    header += b"\0" * 28 + struct.pack(">3i", 63190, 65536, 54061)
    return header + b"\0" * (128 - len(header)) + struct.pack(">I", len(tags)) + table + data
