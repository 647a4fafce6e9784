"""JPEG: files that are built to keep the decoder busy, whose end is missing, or whose metadata is damaged."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from cutout.errors import InvalidImageError, UnsupportedImageFormatError
from cutout.imaging.codecs.loaders.raster import DECODER_ERRORS, Plan, Raster, load
from cutout.imaging.pixels import four_bytes

MAX_SCANS = 64
"""Encoders write ten or so. Each costs a pass over the whole picture, and 75 bytes suffice for one: 30 MB of them would
keep a core busy for hours (libjpeg-turbo, "Two Issues with the JPEG Standard", issue LJT-01-004)."""
MAX_SEGMENTS = 4_096
"""Of 64 kB at most, so 30 MB of metadata need 480; more serve only to be counted."""

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # those left out have no length, or are no markers
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
_FIRST_RESTART = 0xD0
_COMMENT, _EXIF, _PROFILE, _ADOBE = 0xFE, 0xE1, 0xE2, 0xEE
_METADATA = {*range(0xE0, 0xF0), _COMMENT}
_NEEDED = {_EXIF: (b"Exif", 8), _PROFILE: (b"ICC_PROFILE\0", 16), _ADOBE: (b"Adobe", 14)}
"""Metadata that decides about colours and orientation: how it begins, and its least length in bytes."""
_LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
_BLOCK = 8
"""Pixels of a side of what is coded together."""
_BITS = 8
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # the others in this range are tables
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_HUFFMAN_SEQUENTIAL = {0xC0, 0xC1}
_MIDDLE = (127, 128)
"""What a sample without coefficients becomes, in any colour space."""
_COEFFICIENTS = 64
_FILLING = b"\xb5" * 64
"""Entropy-coded data that begins with a bit of 1, where libjpeg fills with zeros: no prefix code reads both alike."""


@dataclass(slots=True)
class _Walk:
    """What the markers of a file say."""

    end: int | None = None
    """Where the end marker stands."""
    progressive: bool = False
    fills_grey: bool = False
    """Whether libjpeg leaves blocks without data grey; else they continue what is there, in any colour."""
    missing: dict[int, set[int]] = field(default_factory=dict)
    """Coefficients of each component that no scan has brought to full precision."""


def load_jpeg(data: bytes, plan: Plan) -> Raster:
    """Load a JPEG, whether or not its last bytes are there, as long as all its pixels are.

    Args:
        data: The file.
        plan: The limits.

    Returns:
        The picture.

    Raises:
        InvalidImageError: The file has too many scans or segments, or pixels are missing.
        UnsupportedImageFormatError: It is lossless, or has more than 8 bits a sample.
    """
    walk = _walk(data)
    if walk.end is None:
        return _load_without_end(data, walk, plan)
    raster = _load(data, plan)
    if _may_end_early(raster, walk):
        _require_all_pixels(raster, data[: walk.end], plan)
    return raster


def check_jpeg_scans(data: bytes) -> None:
    """Refuse a JPEG that is built to keep the decoder busy.

    Args:
        data: The file.

    Raises:
        InvalidImageError: There are more than MAX_SCANS scans or MAX_SEGMENTS segments.
    """
    _walk(data)


def _load_without_end(data: bytes, walk: _Walk, plan: Plan) -> Raster:
    """Load a file without its end marker, if nothing but that is missing.

    libjpeg fills what is missing with zeros and does not say so. So the file is decoded with two different ends: where
    all pixels are there, no end changes any.
    """
    if not walk.missing or any(walk.missing.values()):
        raise InvalidImageError(
            "The JPEG image is incomplete: it ends before its last scan.", {"format": "jpeg"}
        ) from (EOFError())
    body = data.rstrip(b"\xff")  # the first half of the end marker, or of a stuffed byte, or filling
    raster = _load(body + b"\xff\xd9", plan)
    _require_all_pixels(raster, body, plan)
    return raster


def _may_end_early(raster: Raster, walk: _Walk) -> bool:
    """Tell whether the last block of a picture looks like what libjpeg fills in where data are missing: one colour."""
    width, height = raster.picture.size
    corner = np.asarray(raster.picture.crop((max(width - _BLOCK, 0), max(height - _BLOCK, 0), width, height)))
    if walk.fills_grey:
        return bool(np.isin(corner, _MIDDLE).all())
    return bool((corner == corner[-1, -1]).all())


def _require_all_pixels(raster: Raster, body: bytes, plan: Plan) -> None:
    """Require that another end than zeros changes no pixel of the file, which is given without its end marker."""
    other = _load(body + _other_end(body), plan)
    if _words_are_equal(raster, other):
        return
    differs = (np.asarray(raster.picture) != np.asarray(other.picture)).reshape(raster.picture.height, -1).any(axis=1)
    if differs.any():
        row = int(differs.argmax()) * raster.height // raster.picture.height
        raise InvalidImageError(
            f"The JPEG image is incomplete: its pixels end at about row {row} of {raster.height}.", {"format": "jpeg"}
        ) from EOFError()


def _words_are_equal(one: Raster, other: Raster) -> bool:
    """Compare two pictures four bytes at a time, which is quick; False too where they are not kept so."""
    if one.pixels is None or other.pixels is None:
        return False
    first, second = four_bytes(one.pixels), four_bytes(other.pixels)
    return first is not None and second is not None and np.array_equal(first.view(np.uint32), second.view(np.uint32))


def _load(data: bytes, plan: Plan) -> Raster:
    """Load a file that has an end; one whose metadata the decoder objects to, without it."""
    try:
        return load(data, "JPEG", plan)
    except DECODER_ERRORS:
        return load(_without_damaged_metadata(data), "JPEG", plan)


def _without_damaged_metadata(data: bytes) -> bytes:
    """Leave out all metadata but what decides about the picture and is long enough to be it."""
    parts, position = [], 0
    for start, marker, segment in _segments(data):
        if marker == _START_OF_SCAN:
            break
        beginning, least = _NEEDED.get(marker, (b"", 0))
        is_needed = least and len(segment) >= least and segment[2:].startswith(beginning)
        if marker in _METADATA and not is_needed:
            parts.append(data[position:start])
            position = start + 2 + int.from_bytes(segment[:2], "big")
    return b"".join((*parts, data[position:]))


def _other_end(body: bytes) -> bytes:
    """Make an end that differs from zeros, for a scan that goes on and for one that expects its next restart."""
    last = max(range(8), key=lambda number: body.rfind(bytes([0xFF, _FIRST_RESTART + number])))
    has_restarts = bytes([0xFF, _FIRST_RESTART + last]) in body
    following = (last + 1) % 8 if has_restarts else 0
    restarts = (bytes([0xFF, _FIRST_RESTART + (following + step) % 8]) for step in range(8))
    return _FILLING + b"".join(restart + _FILLING for restart in restarts) + b"\xff\xd9"


def _walk(data: bytes) -> _Walk:
    """Read the markers up to the end of the image; what follows it (a motion photo's video) is not read.

    Segments are stepped over by their length. Source: ITU-T T.81, annex B.
    """
    walk = _Walk()
    scans = 0
    for number, (start, marker, segment) in enumerate(_segments(data)):
        scans += marker == _START_OF_SCAN
        if scans > MAX_SCANS or number >= MAX_SEGMENTS:
            raise InvalidImageError("The JPEG image has too many scans or segments.", {"format": "jpeg"})
        if marker == _END_OF_IMAGE:
            walk.end = start
            break
        if marker in _FRAMES:
            _require_usual_kind(marker, segment)
            walk.progressive = marker in _PROGRESSIVE
            walk.fills_grey = marker in _HUFFMAN_SEQUENTIAL
            walk.missing = {component: set(range(_COEFFICIENTS)) for component in segment[8::3]}
        elif marker == _START_OF_SCAN:
            _note_scan(walk, segment)
    return walk


def _require_usual_kind(marker: int, segment: bytes) -> None:
    bits = segment[2] if len(segment) > 2 else _BITS  # noqa: PLR2004
    if marker in _LOSSLESS or bits > _BITS:
        kind = "A lossless JPEG" if marker in _LOSSLESS else f"A JPEG of {bits} bits a sample"
        raise UnsupportedImageFormatError(f"{kind} is not supported; send one of 8 bits, a PNG or a TIFF.")


def _segments(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield place and kind of every marker that has a length, and its segment with the two bytes of the length."""
    position = 2
    while found := _MARKER.search(data, position):
        length = int.from_bytes(data[found.end() : found.end() + 2], "big")
        yield found.start(), found[0][1], data[found.end() : found.end() + min(length, 1024)]
        position = found.end() + length


def _note_scan(walk: _Walk, segment: bytes) -> None:
    """Strike out the coefficients that this scan completes (T.81, B.2.3: Ss, Se, Ah and Al end its header)."""
    if len(segment) < 6:  # noqa: PLR2004  (length, count, and three bytes at the end)
        return
    count = segment[2]
    first, last, precision = segment[3 + 2 * count : 6 + 2 * count].ljust(3, b"\xff")
    for component in segment[3 : 3 + 2 * count : 2]:
        if component not in walk.missing:
            continue
        if not walk.progressive:
            walk.missing[component].clear()
        elif precision & 0x0F == 0:
            walk.missing[component] -= set(range(first, last + 1))
