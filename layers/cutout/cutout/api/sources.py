"""The sources of images: a file, base64 text, the raw body, a URL or an upload."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

from cutout.api.body.fields import Fields
from cutout.errors import (
    CutoutError,
    ImageTooLargeError,
    InvalidBase64Error,
    MissingImageError,
    MultipleSourcesError,
)

_DATA_URL: Final = re.compile(r"\s*data:([^,]{0,200}),", re.IGNORECASE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_=\s-]*")
_LINE_BREAKS: Final = b"\t\r\n\f\v"
_STANDARD_DIGITS: Final = bytes.maketrans(b"-_", b"+/")


class InputKind(StrEnum):
    """The kind of source of an image."""

    BYTES = "bytes"
    BASE64 = "base64"
    """Base64, or a data URL."""
    URL = "url"
    UPLOAD = "upload"
    """An upload, by the id from ``POST /v2/uploads``."""


@dataclass(frozen=True, slots=True)
class Source:
    """The source of one image, as sent.

    Attributes:
        kind: The kind of source.
        name: The field of the request.
        value: Bytes for BYTES, else text.
    """

    kind: InputKind
    name: str
    value: bytes | str


def find_source(fields: Fields, names: Mapping[str, InputKind]) -> Source:
    """Find the only source among the fields of a request.

    Args:
        fields: The fields.
        names: The kind of each field that is a source.

    Returns:
        The source.

    Raises:
        MissingImageError: There is no source.
        MultipleSourcesError: There are two sources that differ in kind or value.
    """
    found = [_source(fields, name, kind) for name, kind in names.items() if name in fields]
    if not found:
        raise MissingImageError("No image was sent.", {"expected_one_of": list(names)})
    if any((other.kind, other.value) != (found[0].kind, found[0].value) for other in found[1:]):
        raise MultipleSourcesError("Send one image only.", {"fields": [source.name for source in found]})
    return found[0]


def _source(fields: Fields, name: str, kind: InputKind) -> Source:
    if kind is InputKind.URL:
        return url_source(name, fields.text(name) or "")
    value = fields.raw(name) if kind is InputKind.BYTES else fields.text(name)
    return Source(kind, name, value or "")


def url_source(name: str, url: str) -> Source:
    """Make the source for a URL: a data URL has the image in itself, and counts as base64."""
    return Source(InputKind.BASE64 if is_data_url(url) else InputKind.URL, name, url)


def load(source: Source, remote: Mapping[InputKind, Callable[[str], bytes]], max_bytes: int) -> bytes:
    """Load the encoded image of a source.

    Args:
        source: The source.
        remote: By kind, loads an image that is not in the request itself.
        max_bytes: The most bytes of an image in the request.

    Returns:
        The encoded image.

    Raises:
        ImageTooLargeError: The image has more than ``max_bytes`` bytes.
        InvalidBase64Error: The text is not base64.
        CutoutError: As ``remote``.
    """
    if source.kind in {InputKind.URL, InputKind.UPLOAD}:
        return remote[source.kind](str(source.value).strip())
    data = source.value if isinstance(source.value, bytes) else decode_data(source.value, max_bytes)
    if len(data) > max_bytes:
        raise too_large(max_bytes)
    return data


def load_background(
    source: Source | None, remote: Mapping[InputKind, Callable[[str], bytes]], max_bytes: int
) -> bytes | None:
    """Load the encoded background image.

    Args:
        source: The source; None: there is no background.
        remote: By kind, loads an image that is not in the request itself.
        max_bytes: The most bytes of an image in the request.

    Returns:
        The encoded image, or None.

    Raises:
        CutoutError: As :func:`load`, with ``details["image"] == "background"``.
    """
    if source is None:
        return None
    try:
        return load(source, remote, max_bytes)
    except CutoutError as error:
        raise error.about_background() from error.__cause__


def decode_data(text: str, max_bytes: int) -> bytes:
    """Decode an image in a text: base64 (RFC 4648, both alphabets), or a data URL (RFC 2397).

    Args:
        text: Base64, or a data URL in base64 or in percent-encoding. White space is ignored, padding is optional. A
            ``+`` may have become a space, as it does in a form whose text was not escaped.
        max_bytes: The most decoded bytes.

    Returns:
        The bytes.

    Raises:
        InvalidBase64Error: The text is not base64.
        ImageTooLargeError: There are more than ``max_bytes`` bytes; no base64 is decoded then.
    """
    prefix = _DATA_URL.match(text)
    if prefix is None:
        return _decode_base64(text, max_bytes)
    data = text[prefix.end() :]
    is_base64 = prefix[1].lower().rstrip().endswith(";base64")
    if not is_base64 and not _BASE64.fullmatch(data):  # some clients forget to say that it is base64
        return unquote_to_bytes(data)
    return _decode_base64(unquote(data) if "%" in data else data, max_bytes)


def is_data_url(text: str) -> bool:
    """Report whether a text is a data URL (RFC 2397)."""
    return text.lstrip()[:5].lower() == "data:"


def _decode_base64(text: str, max_bytes: int) -> bytes:
    try:
        digits = text.encode("ascii").translate(_STANDARD_DIGITS, _LINE_BREAKS)
        digits = _without_spaces(digits).rstrip(b"=")
        if len(digits) * 3 // 4 > max_bytes:
            raise too_large(max_bytes)
        return base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidBase64Error("The image is not valid base64.") from error


def _without_spaces(text: bytes) -> bytes:
    """Remove spaces that wrap lines; restore the others as the ``+`` that they were.

    Lines have one length, which chance does not give. A single space is decided by the number of digits.
    """
    lines = text.split()
    if len(lines) < 2:  # noqa: PLR2004
        joined = b"".join(lines)
    elif len(lines) == 2:  # noqa: PLR2004
        joined = b"".join(lines) if sum(map(len, lines)) % 4 == 0 else text.strip().replace(b" ", b"+")
    else:
        lengths = {len(line) for line in lines[:-1]}
        is_wrapped = len(lengths) == 1 and lengths.pop() % 4 == 0
        joined = b"".join(lines) if is_wrapped else text.strip().replace(b" ", b"+")
    trailing = len(text) - len(text.rstrip())
    lacks_end = len(joined) % 4 and (len(joined) + trailing) % 4 == 0
    return joined + b"+" * trailing if lacks_end else joined


def too_large(max_bytes: int) -> ImageTooLargeError:
    """Make the error for an image above the limit, with the contract's message."""
    return ImageTooLargeError(f"image too large (>{max_bytes // 2**20} MB).", {"max_bytes": max_bytes})
