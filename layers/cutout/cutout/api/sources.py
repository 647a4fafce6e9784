"""Where the bytes of an image come from: a file, base64 text, the raw body, a URL or an upload."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cutout.api.body import Fields
from cutout.errors import (
    CutoutError,
    ImageTooLargeError,
    InvalidBase64Error,
    MissingImageError,
    MultipleSourcesError,
)

_DATA_URL: Final = re.compile(r"\s*data:[^,]{0,200},", re.IGNORECASE)
_WHITESPACE: Final = b" \t\r\n\f\v"
_STANDARD_DIGITS: Final = bytes.maketrans(b"-_", b"+/")


class InputKind(StrEnum):
    """How an image is given."""

    BYTES = "bytes"
    BASE64 = "base64"
    URL = "url"
    UPLOAD = "upload"
    """An object that was uploaded before, by the id that ``POST /v2/uploads`` gave."""


@dataclass(frozen=True, slots=True)
class Source:
    """One image as it was given. ``name`` is the field it came from; ``value`` is bytes for BYTES, else text."""

    kind: InputKind
    name: str
    value: bytes | str

    @property
    def data(self) -> bytes:
        """The encoded image of an order that was taken. Raises TypeError where it was not."""
        if not isinstance(self.value, bytes):
            raise TypeError(f"the {self.name} of the order was not taken")
        return self.value


def find_source(fields: Fields, names: Mapping[str, InputKind]) -> Source:
    """The one source among ``fields``; ``names`` says which fields are sources, and of which kind.

    Raises MissingImageError, or MultipleSourcesError when two fields are given that differ in kind or value.
    """
    found = [_source(fields, name, kind) for name, kind in names.items() if name in fields]
    if not found:
        raise MissingImageError("No image was sent.", {"expected_one_of": list(names)})
    if any((other.kind, other.value) != (found[0].kind, found[0].value) for other in found[1:]):
        raise MultipleSourcesError("Send one image only.", {"fields": [source.name for source in found]})
    return found[0]


def _source(fields: Fields, name: str, kind: InputKind) -> Source:
    value = fields.raw(name) if kind is InputKind.BYTES else fields.text(name)
    return Source(kind, name, value or "")


def load(source: Source, remote: Mapping[InputKind, Callable[[str], bytes]], max_bytes: int) -> bytes:
    """The encoded image behind ``source``. remote: how to get what is not in the request itself.

    Raises ImageTooLargeError above ``max_bytes``, InvalidBase64Error, and what ``remote`` raises.
    """
    if source.kind in {InputKind.URL, InputKind.UPLOAD}:
        return remote[source.kind](str(source.value).strip())
    data = source.value if isinstance(source.value, bytes) else decode_base64(source.value, max_bytes)
    if len(data) > max_bytes:
        raise too_large(max_bytes)
    return data


def load_background(
    source: Source | None, remote: Mapping[InputKind, Callable[[str], bytes]], max_bytes: int
) -> bytes | None:
    """The encoded background, if there is one. Raises as :func:`load`, with ``details["image"] == "background"``."""
    if source is None:
        return None
    try:
        return load(source, remote, max_bytes)
    except CutoutError as error:
        raise error.about_background() from error.__cause__


def decode_base64(text: str, max_bytes: int) -> bytes:
    """Decode base64 (RFC 4648, both alphabets); a data-URL prefix and white space are dropped, padding is optional.

    Raises InvalidBase64Error; ImageTooLargeError before anything larger than ``max_bytes`` is decoded.
    """
    if prefix := _DATA_URL.match(text):
        text = text[prefix.end() :]
    try:
        digits = text.encode("ascii").translate(_STANDARD_DIGITS, _WHITESPACE).rstrip(b"=")
        if len(digits) * 3 // 4 > max_bytes:
            raise too_large(max_bytes)
        return base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidBase64Error("The image is not valid base64.") from error


def too_large(max_bytes: int) -> ImageTooLargeError:
    """The error for an image above the limit, in the contract's words."""
    return ImageTooLargeError(f"image too large (>{max_bytes // 2**20} MB).", {"max_bytes": max_bytes})
