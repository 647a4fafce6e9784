"""Direct uploads to storage: the form for a client, and the ids of uploads for ``POST /v2``.

Values only; the forms are signed in ``aws/s3/uploads.py``.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cutout.api.answers import json_answer
from cutout.api.body.fields import Fields, json_fields
from cutout.api.options import refuse_unknown
from cutout.api.request import Request, Response
from cutout.errors import InvalidOptionError, InvalidRequestError, UnsupportedMediaTypeError
from cutout.ids import UploadId

IMAGE_TYPES: Final = (
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/bmp",
    "image/tiff",
    "image/gif",
    "image/avif",
    "image/heic",
)
"""What a form may be made for, the first by default. The format of an image is still decided by its first bytes."""
_UPLOAD_ID: Final = re.compile(r"upl_[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A presigned POST of multipart/form-data: first all fields, and the image as ``file`` last.

    Attributes:
        url: The URL.
        fields: The fields of the form.
        expires_at: When the form expires (UTC, whole seconds).
        max_bytes: The most bytes of the image.
    """

    url: str
    fields: Mapping[str, str]
    expires_at: datetime
    max_bytes: int

    def document(self) -> dict[str, object]:
        """Write the form as JSON."""
        return {
            "url": self.url,
            "fields": dict(self.fields),
            "expires_at": self.expires_at.isoformat(),
            "max_bytes": self.max_bytes,
        }


def new_upload_id() -> UploadId:
    """Make an upload's id that nobody can guess: ``upl_`` and 32 hex digits."""
    return UploadId(f"upl_{secrets.token_hex(16)}")


def check_upload_id(text: str) -> UploadId:
    """Require the form of an upload's id, so that it cannot inject a path into an object key.

    Args:
        text: The id as sent.

    Returns:
        The id.

    Raises:
        InvalidRequestError: The text has another form.
    """
    if not _UPLOAD_ID.fullmatch(text):
        raise InvalidRequestError("upload_id must be an id that POST /v2/uploads gave: upl_ and 32 hex digits.")
    return UploadId(text)


def json_body(request: Request) -> Fields:
    """Parse a JSON body.

    Args:
        request: The request.

    Returns:
        The fields; none for an empty body.

    Raises:
        UnsupportedMediaTypeError: The body has another Content-Type.
        InvalidRequestError: The body is not an object of plain values.
    """
    if not request.body:
        return Fields()
    if request.media_type != "application/json" and not request.media_type.endswith("+json"):
        raise UnsupportedMediaTypeError("Send a JSON object.", {"expected_one_of": ["application/json"]})
    return json_fields(request.body)


def image_type(fields: Fields) -> str:
    """Parse the option ``content_type``. Raises InvalidOptionError."""
    value = (fields.text("content_type") or IMAGE_TYPES[0]).strip().lower()
    if value not in IMAGE_TYPES:
        details = {"option": "content_type", "value": value[:40], "allowed": list(IMAGE_TYPES)}
        raise InvalidOptionError(f"content_type must be one of {', '.join(IMAGE_TYPES)}.", details)
    return value


def parse_upload(request: Request) -> str:
    """Parse a request to ``POST /v2/uploads``.

    Args:
        request: The request.

    Returns:
        The media type of the form.

    Raises:
        InvalidOptionError: A field is unknown, or the media type is not supported.
        InvalidRequestError: The body is not a JSON object.
        UnsupportedMediaTypeError: The body has another Content-Type.
    """
    fields = json_body(request)
    refuse_unknown(fields, frozenset({"content_type"}))
    return image_type(fields)


def upload_answer(upload_id: UploadId, form: UploadForm) -> Response:
    """Write a new upload (201): its form, and the id for ``POST /v2``."""
    return json_answer({"upload_id": upload_id, **form.document()}, 201)
