"""The parts of a multipart body (RFC 2046, RFC 7578), as real clients write them.

More is taken than the standards allow: a boundary that is not quoted although it has to be, lines that end with a bare
LF, white space after a delimiter, file names that are not UTF-8, and parts with a transfer encoding of mail. The
library ``multipart`` reads Content-Disposition; its parser of bodies takes none of these.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from multipart import parse_content_disposition

from cutout.errors import InvalidBase64Error, InvalidRequestError

MAX_BOUNDARY_CHARS: Final = 1_000
"""RFC 2046 allows 70."""
MAX_MARKS: Final = 10_000
"""The most places of the boundary, true delimiters or not; a file holds one by chance, if it is short."""
MAX_HEAD_BYTES: Final = 8_192
"""The most bytes of the headers of one part."""
_BOUNDARY: Final = re.compile(r';\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))', re.IGNORECASE)
_LINE_END: Final = re.compile(rb"[ \t]*(?:(\r?\n)|\Z)")
_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_FOLD: Final = re.compile(rb"\r?\n[ \t]+")
_SHIFT_JIS: Final = re.compile(rb"(?:[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]){2}")
"""Two characters of two bytes each, one after the other: names in Latin-1 have no such pairs."""
_PLAIN_ENCODINGS: Final = frozenset({"", "7bit", "8bit", "binary"})


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form.

    Attributes:
        name: The name of the field.
        file_name: The name of the file; empty: the part is none.
        data: The content, without its transfer encoding.
    """

    name: str
    file_name: str
    data: bytes


class _Delimiter(NamedTuple):
    """A line that separates two parts.

    Attributes:
        start: The index of the line break before it, which belongs to it.
        end: The index of what follows it.
        is_last: Whether it ends the body.
    """

    start: int
    end: int
    is_last: bool


def parse_parts(content_type: str, body: bytes, max_parts: int) -> list[Part]:
    """Parse a multipart body.

    Args:
        content_type: The value of the header Content-Type.
        body: The body.
        max_parts: The most parts.

    Returns:
        The parts, in order.

    Raises:
        InvalidRequestError: The body is malformed, incomplete, or has more parts.
        InvalidBase64Error: A part in base64 does not decode.
    """
    parts: list[Part] = []
    start = None
    for delimiter in _delimiters(body, _boundary(content_type)):
        if start is not None:
            if len(parts) == max_parts:
                raise _malformed(f"there are more than {max_parts} parts")
            parts.append(_part(body, start, delimiter.start))
        if delimiter.is_last:
            return parts
        start = delimiter.end
    raise _malformed("the boundary does not occur" if start is None else "the last boundary is missing")


def _boundary(content_type: str) -> bytes:
    match = _BOUNDARY.search(content_type)
    quoted, plain = match.groups() if match else (None, "")
    boundary = plain.strip() if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    if not boundary or len(boundary) > MAX_BOUNDARY_CHARS:
        raise InvalidRequestError("The Content-Type of a multipart body must name its boundary.")
    try:
        return boundary.encode("latin-1")  # as gateways decode headers
    except UnicodeEncodeError:
        return boundary.encode("utf-8", "surrogatepass")


def _delimiters(body: bytes, boundary: bytes) -> Iterator[_Delimiter]:
    """Find the lines that begin with the boundary. The first one decides how lines end: a file may end with CR."""
    mark = b"--" + boundary
    line_break = b""
    at = body.find(mark)
    for _ in range(MAX_MARKS):
        if at < 0:
            return
        end = at + len(mark)
        is_last = body.startswith(b"--", end)
        line_end = _LINE_END.match(body, end)
        if (at == 0 or body[at - 1 : at] == b"\n") and (is_last or line_end):
            line_break = line_break or (line_end and line_end[1]) or b"\r\n"
            broken = line_break if body.endswith(line_break, 0, at) else b"\n"
            yield _Delimiter(max(at - len(broken), 0), line_end.end() if line_end else end, is_last)
        at = body.find(mark, end)
    raise _malformed("the boundary stands in too many places")


def _part(body: bytes, start: int, end: int) -> Part:
    blank = _BLANK_LINE.search(body, start - 1, min(end + 2, start + MAX_HEAD_BYTES))
    if blank is None:
        raise _malformed("a part has no end of its headers, or too long ones")
    headers = _headers(body[start : blank.start()])
    name, file_name = _names(headers.get("content-disposition", b""))
    return Part(name, file_name, _decoded(headers, body[blank.end() : max(end, blank.end())]))


def _headers(head: bytes) -> Mapping[str, bytes]:
    lines = (line.partition(b":") for line in _FOLD.sub(b" ", head).splitlines())
    return {name.strip().lower().decode("latin-1"): value.strip() for name, _, value in lines}


def _names(disposition: bytes) -> tuple[str, str]:
    _, name, file_name = parse_content_disposition(_text(disposition))
    if not name:
        raise InvalidRequestError("A part of the form has no name.")
    return name, file_name or ""


def _text(value: bytes) -> str:
    """Decode a header: UTF-8, as all current clients write it, or else Shift-JIS or Windows-1252 (a Latin-1)."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        encoding = "cp932" if _SHIFT_JIS.search(value) else "cp1252"
        return value.decode(encoding, "replace")


def _decoded(headers: Mapping[str, bytes], data: bytes) -> bytes:
    encoding = headers.get("content-transfer-encoding", b"").decode("latin-1").lower()
    if encoding in _PLAIN_ENCODINGS:
        return data
    if encoding == "quoted-printable":
        return quopri.decodestring(data)
    if encoding != "base64":
        raise InvalidRequestError(f"The Content-Transfer-Encoding {encoding[:40]!r} is not supported.")
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error as error:
        raise InvalidBase64Error("A part of the form is not valid base64.") from error


def _malformed(reason: str) -> InvalidRequestError:
    return InvalidRequestError("The multipart body is malformed.", {"reason": reason})
