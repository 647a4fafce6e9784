"""Content codings of HTTP (RFC 9110, section 8.4.1), decoded within bounds. Knows neither requests nor servers."""

import zlib
from enum import Enum, auto
from typing import Final

KNOWN: Final = ("gzip", "deflate")
"""The codings that are decoded, as a header names them."""
_NONE: Final = frozenset({"", "identity", "utf-8"})
"""Nothing to decode; the last is a mistake of clients that mean the charset of a text."""
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS
_MAX_CODINGS: Final = 2
_MAX_MEMBERS: Final = 16
"""A gzip file may be several in a row; a body is one."""


class CodingFault(Enum):
    """The reason why a body cannot be decoded."""

    UNKNOWN = auto()
    """The coding is none of KNOWN."""
    BROKEN = auto()
    """The bytes are not of that coding, or not all of them are there."""
    TOO_LONG = auto()
    """More bytes come out than the bound allows."""


class CodingError(Exception):
    """A body cannot be decoded. Callers translate it.

    Args:
        fault: The reason.
        coding: The coding, as sent.
    """

    def __init__(self, fault: CodingFault, coding: str) -> None:
        super().__init__(f"{coding}: {fault.name}")
        self.fault = fault
        self.coding = coding


def decode_content(codings: str, data: bytes, max_bytes: int) -> bytes:
    """Undo the codings of a body.

    Args:
        codings: The value of the header Content-Encoding; empty: none.
        data: The body as sent.
        max_bytes: The most bytes after any step.

    Returns:
        The body itself; nothing stays nothing.

    Raises:
        CodingError: A coding is not known, its bytes are broken, or too many come out.
    """
    names = [name for name in (part.strip().lower() for part in codings.split(",")) if name not in _NONE]
    if len(names) > _MAX_CODINGS:
        raise CodingError(CodingFault.UNKNOWN, codings)
    for name in reversed(names if data else []):
        data = _undo(name.removeprefix("x-"), data, max_bytes)
    return data


def _undo(name: str, data: bytes, max_bytes: int) -> bytes:
    if name not in KNOWN:
        raise CodingError(CodingFault.UNKNOWN, name)
    try:
        return _inflate(name, data, max_bytes)
    except zlib.error as error:
        raise CodingError(CodingFault.BROKEN, name) from error


def _inflate(name: str, data: bytes, max_bytes: int) -> bytes:
    wbits = _RAW if name == "deflate" and not _has_zlib_head(data) else _GZIP_OR_ZLIB
    result = bytearray()
    for _ in range(_MAX_MEMBERS):
        member = zlib.decompressobj(wbits)
        result += member.decompress(data, max_bytes + 1 - len(result))
        if len(result) > max_bytes:
            raise CodingError(CodingFault.TOO_LONG, name)
        data = member.unused_data.lstrip(b"\0")
        if not member.eof or not data:
            break
    if not member.eof or data:
        raise CodingError(CodingFault.BROKEN, name)
    return bytes(result)


def _has_zlib_head(data: bytes) -> bool:
    """Tell ``deflate`` as the standard has it (RFC 1950) from the bare stream that some send (RFC 1951)."""
    return len(data) > 1 and data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0
