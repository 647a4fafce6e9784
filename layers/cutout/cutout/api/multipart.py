"""multipart/form-data (RFC 7578) to fields. The parser is the ``multipart`` package; limits are ours."""

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from cutout.api.fields import MAX_FIELDS, Fields
from cutout.api.request import Request
from cutout.errors import InvalidRequestError

_CHUNK_BYTES = 1 << 20


def multipart_fields(request: Request) -> Fields:
    """Fields of a multipart body; file parts and text parts alike as bytes.

    Raises InvalidRequestError: no boundary, broken framing, more than MAX_FIELDS parts, a part without a name.
    """
    _, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get("boundary", "")
    if not boundary:
        raise InvalidRequestError("The Content-Type of a multipart body must name its boundary.")
    try:
        return _fields(boundary, request.body)
    except MultipartError as error:
        raise InvalidRequestError("The multipart body is malformed.", {"reason": str(error)[:200]}) from error


def _fields(boundary: str, body: bytes) -> Fields:
    parts: list[tuple[str, bytes]] = []
    file_names: dict[str, str] = {}
    with PushMultipartParser(boundary, max_segment_count=MAX_FIELDS) as parser:
        name, data = "", bytearray()
        for start in range(0, len(body), _CHUNK_BYTES):
            for event in parser.parse(body[start : start + _CHUNK_BYTES]):
                if isinstance(event, MultipartSegment):
                    if not event.name:
                        raise InvalidRequestError("A part of the form has no name.")
                    name = event.name
                    if event.filename:
                        file_names[name.strip().lower()] = event.filename
                elif event:
                    data += event
                else:  # the end of a part
                    parts.append((name, bytes(data)))
                    data.clear()
    return Fields(parts, file_names)
