"""Picsart tools 1.0: ``POST /tools/1.0/removebg``, its asynchronous results, and the balance.

The answer is a URL that works without a key, never the image. Clients send all options with their defaults, so these
are accepted and have no effect. All lengths are pixels of the answer.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from cutout import errors
from cutout.api import headers as auth
from cutout.api.answers import foreground_of, json_answer
from cutout.api.body.fields import Fields, json_fields, multipart_fields, urlencoded_fields
from cutout.api.colors import color, opaque_color
from cutout.api.dialects.base import Dialect, Outcome, RemovalRequest
from cutout.api.dialects.context import AccountContext
from cutout.api.headers import APPLIED, preferred, wants_async
from cutout.api.job_documents import Links
from cutout.api.jobs import unknown_job
from cutout.api.measures import MAX_SIDE_PX, whole
from cutout.api.options import boolean, choice
from cutout.api.problems import error_of, refusal_headers, status_of
from cutout.api.request import Request, Response
from cutout.api.sources import InputKind, Source, find_source, is_data_url
from cutout.errors import CutoutError
from cutout.imaging.spec import (
    Canvas,
    Channels,
    CutoutSpec,
    Fit,
    ImageFormat,
    Length,
    Position,
    Shadow,
    Stroke,
)
from cutout.jobs.ids import is_job_id
from cutout.jobs.job import Job, JobState
from cutout.usage import AccountStatus, RateState

_ROOT: Final = "/tools/1.0"
_KEY: Final = "x-picsart-api-key"
_JSON: Final = "application/json"
_URLENCODED: Final = "application/x-www-form-urlencoded"
_MAX_URL_CHARS: Final = 2083
"""The longest URL, unless it is a data URL."""
_FORMATS: Final = {"png": ImageFormat.PNG, "jpg": ImageFormat.JPEG, "jpeg": ImageFormat.JPEG, "webp": ImageFormat.WEBP}
_OUTPUTS: Final = {"cutout": Channels.RGBA, "mask": Channels.ALPHA}
_SCALES: Final = {"fit": Fit.FIT, "fill": Fit.COVER}
_PRESET_PX: Final = 10
"""The offset of a shadow with a direction."""
_DIRECTIONS: Final = {
    "bottom-right": (1, 1),
    "bottom": (0, 1),
    "bottom-left": (-1, 1),
    "left": (-1, 0),
    "right": (1, 0),
    "top-left": (-1, -1),
    "top": (0, -1),
    "top-right": (1, -1),
}
_DISABLED, _CUSTOM = "disabled", "custom"
_OFFSETS: Final = ("shadow_offset_x", "shadow_offset_y")
_SHADOWS: Final = {name: name for name in (_DISABLED, _CUSTOM, *_DIRECTIONS)}
_STATUSES: Final[Mapping[type[CutoutError], int]] = {
    errors.InvalidApiKeyError: 401,
    errors.InvalidOptionError: 422,
    errors.MultipleSourcesError: 422,
    errors.InvalidBase64Error: 422,
    errors.InvalidImageError: 422,
    errors.UnsupportedImageFormatError: 422,
    errors.GoneError: 404,
}
"""The statuses that differ from our own contract."""
_PASSED_ON: Final = frozenset({404, 429})
"""Statuses of the server of an image URL that are reported as 422."""


class Picsart(Dialect):
    """A contract that answers with URLs, and with rate and credit headers."""

    name = "picsart"
    title = "Picsart Remove Background, tools 1.0"
    routes = frozenset({("POST", f"{_ROOT}/removebg")})

    def __init__(self) -> None:
        self.status_routes = {("GET", f"{_ROOT}/balance"): show_balance}
        self.account_routes = {("GET", f"{_ROOT}/image/{{transaction_id}}"): self.show_result}

    def credential(self, request: Request, *, legacy: bool) -> str | None:
        """Find the key in ``X-Picsart-API-Key`` (if ``legacy``, in the query string too), or as in our own contract."""
        given = [value for name, values in request.query.items() if legacy and name.lower() == _KEY for value in values]
        key = next(filter(None, [request.headers.get(_KEY, "").strip(), *given]), None)
        return key or auth.request_key(request, legacy=legacy)

    def parse(self, request: Request) -> RemovalRequest:
        """Parse a multipart, urlencoded or JSON body; in the latter two an image is a URL or base64.

        ``Prefer: respond-async`` is not honoured for a background that is not a URL.

        Args:
            request: The request.

        Returns:
            The parsed request.

        Raises:
            ClientFaultError: The contract refuses the request.
        """
        if preferred(request.headers.get("accept", ""), [_JSON]) is None:
            raise errors.InvalidOptionError(f"Accept must allow {_JSON}.", {"option": "accept"})
        fields, file_kind = _fields(request)
        background = _source(fields, "bg_image", file_kind)
        source = _source(fields, "image", file_kind)
        if source is None:
            names = ["image", "image_url", "image_id"]
            raise errors.MissingImageError(f"Send one of {', '.join(names)}.", {"expected_one_of": names})
        respond_async = wants_async(request) and (background is None or background.kind is InputKind.URL)
        return RemovalRequest(
            _spec(fields, background), source, "url", respond_async=respond_async, background=background
        )

    def answer(self, request: Request, outcome: Outcome) -> Response:
        """Write ``{"status": "success", "data": {"id", "url"}}``."""
        left = max(outcome.status.credits_left - int(outcome.charged), 0)
        return _success(request, request.request_id, outcome.publish(), left)

    def accepted(self, request: Request, job: Job, links: Links, *, repeated: bool) -> Response:  # noqa: ARG002
        """Write 202 with ``{"transaction_id", "status"}``."""
        return _waiting(request, job).with_headers(APPLIED)

    def rate_headers(self, rate: RateState) -> Mapping[str, str]:
        """Add the contract's own headers to ours; their reset time is in seconds from now."""
        return {
            **rate.headers,
            "x-picsart-ratelimit-limit": str(rate.limit),
            "x-picsart-ratelimit-available": str(rate.remaining),
            "x-picsart-ratelimit-reset-time": str(max(rate.reset_epoch_s - int(time.time()), 1)),
        }

    def show_result(self, request: Request, context: AccountContext) -> Response:
        """Answer with the result of a transaction.

        Args:
            request: The request.
            context: The account's jobs.

        Returns:
            200 with the URL, or 202 while the job has not ended.

        Raises:
            CutoutError: The error of the job, or NotFoundError for an unknown or deleted one.
        """
        job_id = request.path_parameters.get("transaction_id", "")
        if not is_job_id(job_id):
            raise unknown_job()
        job = context.find(job_id)
        if not job.state.is_final:
            return _waiting(request, job)
        if job.result is not None:
            answer = _success(request, job.id, context.links().url(job.result.key))
            return answer.with_headers({"x-foreground": foreground_of(job.result.foreground)})
        if job.error is None:  # it was cancelled or deleted
            raise unknown_job()
        raise error_of(job.error.code, job.error.message, job.error.details)

    def problem(self, error: CutoutError, request: Request) -> Response:
        """Write ``{"code": status, "message": its name, "detail": text}``."""
        status = _status(error, request)
        body = {"code": status, "message": HTTPStatus(status).phrase, "detail": error.message}
        left = 0 if isinstance(error, errors.QuotaExceededError) else None
        headers = {**_headers(request, left), **refusal_headers(error)}
        return Response(status, _JSON, json.dumps(body).encode(), headers)


def show_balance(request: Request, status: AccountStatus) -> Response:
    """Write ``{"credits": number}``."""
    answer = json_answer({"credits": status.credits_left})
    return replace(answer, headers=_headers(request, status.credits_left))


def _success(request: Request, name: str, url: str, credits_left: int | None = None) -> Response:
    answer = json_answer({"status": "success", "data": {"id": name, "url": url}})
    return replace(answer, headers=_headers(request, credits_left))


def _waiting(request: Request, job: Job) -> Response:
    status = "queued" if job.state is JobState.QUEUED else "processing"
    answer = json_answer({"transaction_id": job.id, "status": status}, 202)
    return replace(answer, headers=_headers(request))


def _headers(request: Request, credits_left: int | None = None) -> dict[str, str]:
    """Make the headers of every answer: the request's id, and the credits if they are known."""
    headers = {"x-picsart-correlation-id": request.request_id}
    if credits_left is not None:
        headers["x-picsart-credit-available"] = str(credits_left)
    return headers


def _status(error: CutoutError, request: Request) -> int:
    if error.details.get("option") == "accept":
        return 406
    if isinstance(error, errors.NotFoundError) and request.method == "POST":
        return 422  # the route exists; the upload of an id does not
    if error.details.get("upstream_status") in _PASSED_ON:
        return 422
    return _STATUSES.get(type(error), status_of(error))


def _fields(request: Request) -> tuple[Fields, InputKind]:
    """Parse the body; return its fields, and the kind of ``image`` in them. Raises UnsupportedMediaTypeError."""
    kind = request.media_type
    if kind.startswith("multipart/"):
        return multipart_fields(request), InputKind.BYTES
    if kind == _JSON:
        return json_fields(request.body), InputKind.BASE64
    if kind == _URLENCODED or not (kind or request.body):
        return urlencoded_fields(request.body), InputKind.BASE64
    raise errors.UnsupportedMediaTypeError(f"Send multipart/form-data, {_URLENCODED} or {_JSON}.")


def _source(fields: Fields, name: str, file_kind: InputKind) -> Source | None:
    """Find the only image of ``name``, ``name_url`` and ``name_id``, or None."""
    url = fields.text(f"{name}_url") or ""
    is_data = is_data_url(url)
    if len(url) > _MAX_URL_CHARS and not is_data:
        message = f"{name}_url is longer than {_MAX_URL_CHARS} characters."
        raise errors.InvalidOptionError(message, {"option": f"{name}_url"})
    kinds = {
        name: file_kind,
        f"{name}_url": InputKind.URL,
        f"{name}_id": InputKind.UPLOAD,
    }
    given = {field: kind for field, kind in kinds.items() if field in fields}
    if len(given) > 1:
        raise errors.MultipleSourcesError(f"Send one of {', '.join(given)} only.", {"fields": list(given)})
    return find_source(fields, given) if given else None


def _spec(fields: Fields, background: Source | None) -> CutoutSpec:
    """Parse all options, also those without effect beside others."""
    image_format = choice("format", fields.text("format") or "png", _FORMATS)
    channels = choice("output_type", fields.text("output_type") or "cutout", _OUTPUTS)
    bg_color = color("bg_color", fields.text("bg_color") or "transparent")
    blur = _number(fields, "bg_blur", "0")
    spec = CutoutSpec(
        format=image_format,
        bg_color=bg_color,
        bg_blur=0 if bg_color and not background else blur,  # a colour blurs to itself
        canvas=_canvas(fields, background),
        position=Position() if boolean("auto_center", fields.text("auto_center") or "false") else None,
        stroke=_stroke(fields),
        shadow=_shadow(fields),
    )
    if channels is Channels.ALPHA and background is None:
        return CutoutSpec(format=image_format, mask_format=image_format, channels=channels)
    return spec


def _number(fields: Fields, name: str, default: str, low: int = 0, high: int = 100) -> int:
    return whole(name, fields.text(name) or default, low, high)


def _canvas(fields: Fields, background: Source | None) -> Canvas | None:
    """Parse the canvas: as large as the background unless a size is given; ``scale`` fits the photo into it."""
    fit = choice("scale", fields.text("scale") or "fit", _SCALES)
    width, height = (
        _number(fields, name, "", 1, MAX_SIDE_PX) if name in fields else None for name in ("bg_width", "bg_height")
    )
    return Canvas(width, height, fit) if background or width or height else None


def _stroke(fields: Fields) -> Stroke | None:
    size = _number(fields, "stroke_size", "0")
    paint = opaque_color("stroke_color", fields.text("stroke_color") or "ffffff")
    opacity = _number(fields, "stroke_opacity", "100") / 100
    return Stroke(Length(size), paint, opacity) if size else None


def _shadow(fields: Fields) -> Shadow | None:
    kind = choice("shadow", fields.text("shadow") or _DISABLED, _SHADOWS)
    opacity, blur = _number(fields, "shadow_opacity", "20") / 100, _number(fields, "shadow_blur", "50")
    given = {name: _number(fields, name, "", -100) for name in _OFFSETS if name in fields}
    if kind == _DISABLED:
        return None
    if kind == _CUSTOM and (missing := [name for name in _OFFSETS if name not in given]):
        raise errors.InvalidOptionError(f"{missing[0]} is required with shadow=custom.", {"option": missing[0]})
    across, down = (
        [given[name] for name in _OFFSETS] if kind == _CUSTOM else (_PRESET_PX * step for step in _DIRECTIONS[kind])
    )
    return Shadow(offset_x=Length(across), offset_y=Length(down), blur=Length(blur), opacity=opacity)


DIALECT = Picsart()
