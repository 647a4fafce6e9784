"""One removal: what is sent for it, and what comes of the answer. Pure, but for reading the image's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from cutout_client import documents
from cutout_client.documents import Upload, UploadForm
from cutout_client.errors import ImageTooLargeError, IncompleteAnswerError, UnexpectedAnswerError
from cutout_client.images import ImageInput, Picture, RemoteImage, read_image
from cutout_client.messages import Answer, Flow, Request, json_request, multipart
from cutout_client.options import to_fields
from cutout_client.results import Result, is_whole, result_of
from cutout_client.retries import RetryPolicy, send

DIRECT_LIMIT_BYTES = 4_400_000
"""What goes up directly through AWS Lambda (6 MB a call, binary bodies as base64); larger images are uploaded."""
_SEE_OTHER = 303
_INCOMPLETE_TRIES = 3


@dataclass(frozen=True)
class Removal:
    """A removal that is ready to be sent.

    Attributes:
        image: The image, or a reference to it.
        background: The background image, or a reference to it.
        fields: Options as text.
        idempotency_key: Name of the request: sent again under it, it is done and charged once. Empty: none.
    """

    image: Picture | RemoteImage
    background: Picture | RemoteImage | None
    fields: Mapping[str, str]
    idempotency_key: str

    @property
    def direct_bytes(self) -> int:
        """Bytes of images in a direct request."""
        return sum(len(each.data) for each in (self.image, self.background) if isinstance(each, Picture))


def prepare(
    image: ImageInput, background: ImageInput | None, options: Mapping[str, Any], idempotency_key: str | None
) -> Removal:
    """Read the images and check the options' names.

    Args:
        image: The image.
        background: A background image, or None.
        options: By name.
        idempotency_key: None for a new one, an empty text for none.

    Raises:
        OSError: A file cannot be read.
        TypeError: An option does not exist, or an image is none.
    """
    behind = None if background is None else read_image(background)
    if isinstance(behind, RemoteImage) and behind.field != "image_url":
        raise TypeError("a background cannot be an upload: give its bytes, its file or a URL")
    key = f"cutout-client-{uuid4()}" if idempotency_key is None else idempotency_key
    return Removal(read_image(image), behind, to_fields(options), key)


def remove(removal: Removal, policy: RetryPolicy, direct_limit_bytes: int = DIRECT_LIMIT_BYTES) -> Flow[Result]:
    """Remove the background of one image; an image above the limit is uploaded first.

    Raises:
        CutoutError: Any of :mod:`cutout_client.errors`.
    """
    image = removal.image
    if isinstance(image, Picture) and removal.direct_bytes > direct_limit_bytes:
        upload = yield from upload_image(image, policy)
        image = RemoteImage("upload_id", upload.id)
    request = removal_request(removal, image)
    for tries_left in reversed(range(_INCOMPLETE_TRIES if request.repeatable else 1)):
        facts = yield from send(request, policy)
        answer = facts
        if facts.status == _SEE_OTHER:
            answer = yield from send(Request("GET", _location(facts), stage="download"), policy)
        if not answer.media_type.startswith("image/") and answer.media_type != "application/zip":
            raise UnexpectedAnswerError(f"HTTP {answer.status} with {answer.media_type or 'no type'}, not an image")
        if is_whole(answer):
            return result_of(answer, facts)
        if not tries_left:
            break
    raise IncompleteAnswerError("the image in the answer ends too early")


def removal_request(removal: Removal, image: Picture | RemoteImage) -> Request:
    """Return the request of a removal, with this image in the place of its own."""
    fields = dict(removal.fields)
    files = []
    for source, name in ((image, "image"), (removal.background, "bg_image")):
        if isinstance(source, Picture):
            files.append((f"{name}_file", source.name, source.media_type, source.data))
        elif isinstance(source, RemoteImage):
            fields["bg_image_url" if name == "bg_image" else source.field] = source.value
    body, content_type = multipart(fields, files)
    headers = {"content-type": content_type}
    if removal.idempotency_key:
        headers["idempotency-key"] = removal.idempotency_key
    return Request("POST", "/v2", headers, body, repeatable=bool(removal.idempotency_key), stage="remove")


def upload_image(picture: Picture, policy: RetryPolicy) -> Flow[Upload]:
    """Upload an image by a presigned form. Raises CutoutError."""
    # A form that is asked for twice costs nothing, and the second one is used.
    request = json_request("POST", "/v2/uploads", {"content_type": picture.media_type})
    document = (yield from send(request, policy)).document()
    form = documents.read(UploadForm, document)
    yield from post_form(form, picture, policy)
    return Upload(str(document.get("upload_id")), form.expires_at)


def post_form(form: UploadForm, picture: Picture, policy: RetryPolicy) -> Flow[None]:
    """Post an image by a form of the service.

    Raises:
        ImageTooLargeError: It has more bytes than the form takes; nothing was sent.
        CutoutError: Any other of :mod:`cutout_client.errors`.
    """
    if len(picture.data) > form.max_bytes:
        details = {"size_bytes": len(picture.data), "max_bytes": form.max_bytes}
        raise ImageTooLargeError("The image has too many bytes.", details=details)
    fields = {name: picture.media_type if name.lower() == "content-type" else v for name, v in form.fields.items()}
    body, content_type = multipart(fields, [("file", picture.name, picture.media_type, picture.data)])
    yield from send(Request("POST", form.url, {"content-type": content_type}, body, stage="upload"), policy)


def _location(answer: Answer) -> str:
    url = answer.headers.get("location", "")
    if not url.lower().startswith(("http://", "https://")):
        raise UnexpectedAnswerError("HTTP 303 without the URL of the image")
    return url
