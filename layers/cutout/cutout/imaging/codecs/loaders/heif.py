"""AVIF and HEIC, the two formats of phones and of the web that are stored as HEIF (ISO/IEC 23008-12).

AVIF is read by Pillow, HEIC by pi-heif in a process of its own (see ``heic_worker``). Both turn the picture upright.
"""

import json
import os
import re
import struct
import sys
import warnings
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from cutout.errors import UnsupportedImageFormatError
from cutout.imaging.codecs.cicp import encoding_of
from cutout.imaging.codecs.encoding import ColourEncoding
from cutout.imaging.codecs.loaders.raster import DECODER_ERRORS, Plan, Raster, load

_COLOUR_BOX = re.compile(rb"colrnclx(.{6})", re.DOTALL)
_HEAD_BYTES = 1 << 16
_LIKE_SRGB = {1: 13, 6: 13, 14: 13, 15: 13}
"""BT.709 and its like: what encoders write for any picture; browsers show it as sRGB."""
_WORKER = Path(__file__).with_name("heic_worker.py")
_WORKER_S = 25


def load_avif(data: bytes, plan: Plan) -> Raster:
    """Load an AVIF; of a sequence, the first frame.

    Args:
        data: The file.
        plan: The limits.

    Returns:
        Its picture, 8 bits a channel.
    """
    return _described(load(data, "AVIF", plan), data)


def load_heic(data: bytes, plan: Plan) -> Raster:
    """Load a HEIC: its primary image.

    Args:
        data: The file.
        plan: The limits.

    Returns:
        Its picture, 8 bits a channel.

    Raises:
        UnsupportedImageFormatError: This installation has no decoder for HEVC.
        OSError: The decoder refuses the file, or has crashed.
    """
    if find_spec("pi_heif") is None:
        raise UnsupportedImageFormatError(
            "HEIC images are not supported by this installation; send the photo as JPEG, PNG or WebP."
        )
    line, _, rest = _decode_apart(data, plan.limits.max_pixels).partition(b"\n")
    head = json.loads(line)
    width, height, profile_end = int(head["width"]), int(head["height"]), int(head["profile"])
    plan(width, height)
    pixels_start = profile_end + int(head["exif"])
    picture = Image.frombytes(head["mode"], (width, height), rest[pixels_start:])
    exif = _read_exif(rest[profile_end:pixels_start])
    raster = Raster(picture, width, height, profile=rest[:profile_end] or None, exif=exif)
    return _described(raster, data)


def _decode_apart(data: bytes, max_pixels: int) -> bytes:
    """Let a process of its own decode the file; it inherits where modules are found, and nothing else."""
    import subprocess  # noqa: PLC0415 - not at every start

    command = [sys.executable, str(_WORKER), str(max_pixels)]
    try:
        done = subprocess.run(  # noqa: S603  (our own module, by a path of our own)
            command,
            input=data,
            capture_output=True,
            timeout=_WORKER_S,
            check=True,
            env={"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"},
        )
    except subprocess.SubprocessError as error:
        raise OSError("the HEIC decoder has failed") from error
    return done.stdout


def _read_exif(block: bytes) -> Image.Exif | None:
    exif = Image.Exif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged entries, which are left out
        try:
            exif.load(block)
        except DECODER_ERRORS:
            return None
    return exif or None


def _described(raster: Raster, data: bytes) -> Raster:
    """Add the colour space of the ``colr`` box, where no ICC profile is there."""
    return raster if raster.profile else replace(raster, encoding=read_encoding(data))


def read_encoding(data: bytes) -> ColourEncoding | None:
    """Read the code points of the ``colr`` box; the decoder has undone the matrix and the range already.

    Args:
        data: The file.

    Returns:
        The colour space; None for sRGB.
    """
    found = _COLOUR_BOX.search(data, 0, _HEAD_BYTES)
    if found is None:
        return None
    primaries, transfer, _ = struct.unpack(">HHH", found[1])
    return encoding_of(primaries, _LIKE_SRGB.get(transfer, transfer))
