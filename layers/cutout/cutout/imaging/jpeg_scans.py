"""How often a JPEG makes the decoder pass over all its pixels. Knows markers, not pixels; no numpy, no Pillow."""

import re

from cutout.errors import InvalidImageError

MAX_SCANS = 64
"""Encoders write ten or so. Each costs a pass over the whole picture, and 75 bytes suffice for one: 30 MB of them would
keep a core busy for hours (libjpeg-turbo, "Two Issues with the JPEG Standard", issue LJT-01-004)."""
MAX_SEGMENTS = 4_096
"""Of 64 kB at most, so 30 MB of metadata need 480; more serve only to be counted."""

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # those left out have no length, or are no markers
_START_OF_SCAN = b"\xff\xda"
_END_OF_IMAGE = b"\xff\xd9"


def check_scans(data: bytes) -> None:
    """Raise InvalidImageError for a JPEG of more than MAX_SCANS scans or MAX_SEGMENTS segments.

    Segments are stepped over by their length and what follows the end of the image (a motion photo's video) is not
    read. Source: ITU-T T.81, annex B.
    """
    scans, segments, position = 0, 0, 2
    while (found := _MARKER.search(data, position)) and found[0] != _END_OF_IMAGE:
        segments += 1
        scans += found[0] == _START_OF_SCAN
        if scans > MAX_SCANS or segments > MAX_SEGMENTS:
            raise InvalidImageError("The JPEG image has too many scans or segments.", {"format": "jpeg"})
        position = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
