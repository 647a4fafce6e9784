"""The fields of a request, by the kinds of body that forms are sent in: multipart, JSON, urlencoded."""

from cutout.api.fields import Fields, json_fields, urlencoded_fields
from cutout.api.multipart import multipart_fields
from cutout.api.request import Request


def form_fields(request: Request) -> Fields:
    """The fields by the Content-Type; none where the body is of another kind. Raises InvalidRequestError."""
    kind = request.media_type
    if kind.startswith("multipart/"):
        return multipart_fields(request)
    if kind == "application/json" or kind.endswith("+json"):
        return json_fields(request.body)
    if kind == "application/x-www-form-urlencoded":
        return urlencoded_fields(request.body)
    return Fields()
