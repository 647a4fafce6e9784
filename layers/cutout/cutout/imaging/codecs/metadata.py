"""What of a file's metadata an answer may carry: its EXIF, never more than was asked for."""

from PIL import Image

from cutout.imaging.codecs.loaders.raster import DECODER_ERRORS

_ORIENTATION, _GPS, _THUMBNAIL = 0x0112, 0x8825, 0x0201  # EXIF 2.32
_SIZES = (0x0100, 0x0101, 0xA002, 0xA003)
"""Width and height, in both directories: those of the answer differ."""
_EXIF = 0x8769
_MAX_BYTES = 60_000
"""A JPEG's segment holds 64 kB."""


def kept_exif(exif: Image.Exif | None, *, gps: bool) -> bytes:
    """Write EXIF again without what no longer holds.

    Args:
        exif: The file's own.
        gps: Whether the place is kept.

    Returns:
        An EXIF block that begins with "Exif"; empty where there is nothing to keep, or nothing that can be written.
    """
    if exif is None:
        return b""
    kept = Image.Exif()
    try:
        details = dict(exif.get_ifd(_EXIF))
        place = dict(exif.get_ifd(_GPS)) if gps else {}
        for tag, value in exif.items():
            if tag not in {_ORIENTATION, _GPS, _EXIF, _THUMBNAIL, *_SIZES}:
                kept[tag] = value
        for tag, values in ((_EXIF, details), (_GPS, place)):
            values_kept = {key: value for key, value in values.items() if key not in _SIZES}
            if values_kept:
                kept.get_ifd(tag).update(values_kept)
                kept[tag] = values_kept
        block = kept.tobytes() if len(kept) else b""
    except DECODER_ERRORS:
        return b""
    return block if len(block) <= _MAX_BYTES else b""


def first_directory(block: bytes) -> bytes:
    """Reduce EXIF to its first directory: maker, model, author, date. Pillow writes no others into a compressed TIFF.

    Args:
        block: An EXIF block.

    Returns:
        The smaller block.
    """
    exif = Image.Exif()
    exif.load(block)
    for tag in (_EXIF, _GPS):
        exif.pop(tag, None)
    return exif.tobytes()
