"""A TIFF encoder for 16 bits a channel, which Pillow writes for gray only (TIFF revision 6.0)."""

import struct
import zlib

from cutout.imaging.arrays import Words

_SHORT, _LONG, _UNDEFINED = 3, 4, 7
_DEFLATE = 8
_PREDICTOR = 2
_UNASSOCIATED_ALPHA = 2


def encode_deep_tiff(picture: Words, profile: bytes | None = None) -> bytes:
    """Encode a picture as TIFF: one strip, deflated after horizontal differencing.

    Args:
        picture: uint16 [H, W, 3] (RGB) or [H, W, 4] (RGBA, straight).
        profile: The ICC profile of the colours; None for sRGB.

    Returns:
        The file.
    """
    height, width, channels = picture.shape
    differences = picture.astype("<u2")
    differences[:, 1:] -= picture[:, :-1]
    strip = zlib.compress(differences.tobytes(), 6)
    entries: list[tuple[int, int, bytes]] = [
        (256, _LONG, struct.pack("<I", width)),
        (257, _LONG, struct.pack("<I", height)),
        (258, _SHORT, struct.pack(f"<{channels}H", *[16] * channels)),
        (259, _SHORT, struct.pack("<H", _DEFLATE)),
        (262, _SHORT, struct.pack("<H", 2)),
        (273, _LONG, struct.pack("<I", 8)),
        (277, _SHORT, struct.pack("<H", channels)),
        (278, _LONG, struct.pack("<I", height)),
        (279, _LONG, struct.pack("<I", len(strip))),
        (317, _SHORT, struct.pack("<H", _PREDICTOR)),
    ]
    if channels == 4:  # noqa: PLR2004
        entries.append((338, _SHORT, struct.pack("<H", _UNASSOCIATED_ALPHA)))
    if profile:
        entries.append((34675, _UNDEFINED, profile))
    body = strip + b"\0" * (len(strip) % 2)
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + _directory(entries, 8 + len(body))


def _directory(entries: list[tuple[int, int, bytes]], start: int) -> bytes:
    beyond = start + 2 + 12 * len(entries) + 4
    directory, values = struct.pack("<H", len(entries)), b""
    for tag, kind, content in entries:
        count = len(content) // {_SHORT: 2, _LONG: 4, _UNDEFINED: 1}[kind]
        place = content.ljust(4, b"\0") if len(content) <= 4 else struct.pack("<I", beyond + len(values))  # noqa: PLR2004
        values += content + b"\0" * (len(content) % 2) if len(content) > 4 else b""  # noqa: PLR2004
        directory += struct.pack("<HHI", tag, kind, count) + place
    return directory + b"\0\0\0\0" + values
