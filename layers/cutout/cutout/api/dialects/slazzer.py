"""Slazzer: ``POST /v2.0/remove_image_background`` answers with the image, the older route of ``/api/v1`` with JSON.

``POST /v2.0/account_balance`` reports the credits.

The image is one of ``source_image_file``, ``source_image_url`` and ``source_image_base64``, in a form or (older
clients) in JSON. Errors are ``{"error": text}``, with the vendor's texts if they are known.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from cutout import errors
from cutout.api.answers import base64_of, image_answer, json_answer
from cutout.api.body.fields import Fields, form_fields
from cutout.api.dialects.base import Dialect, Outcome, RemovalRequest
from cutout.api.options import boolean, parse_options
from cutout.api.problems import refusal_headers, status_of
from cutout.api.request import Request, Response
from cutout.api.sources import InputKind, find_source
from cutout.errors import CutoutError, InvalidOptionError
from cutout.imaging.spec import CutoutSpec
from cutout.usage import AccountStatus

_V1_ROUTE: Final = "/api/v1/remove_image_background"
_BALANCE_ROUTE: Final = "/v2.0/account_balance"
_SOURCES: Final = {
    "source_image_file": InputKind.BYTES,
    "source_image_url": InputKind.URL,
    "source_image_base64": InputKind.BASE64,
}
_BACKGROUNDS: Final = {
    "bg_image_file": InputKind.BYTES,
    "bg_image_url": InputKind.URL,
    "bg_image_base64": InputKind.BASE64,
}
_BINARY, _URL, _BASE64 = "binary", "url", "base64"
_WRONG_FORMAT: Final = "Wrong output format"
_WRONG_COLOR: Final = "Invalid background color code format"


def _one_of(text: str, values: tuple[str, ...]) -> str:
    """Require one of several values; return it in lower case. Raises InvalidOptionError."""
    value = text.strip().lower()
    if value not in values:
        raise InvalidOptionError(_WRONG_FORMAT)
    return value


def _color(text: str) -> str:
    if not text.strip().startswith("#"):
        raise InvalidOptionError(_WRONG_COLOR)
    return text


def _margins(text: str) -> str:
    """Reorder margins: the vendor's are left, top, right, bottom (or sides, top and bottom), ours begin at the top."""
    values = text.replace(",", " ").split()
    indices = {2: (1, 0), 4: (1, 2, 3, 0)}.get(len(values))
    return text if indices is None else " ".join(values[index] for index in indices)


def _if_true(name: str, value: str) -> Callable[[str], str]:
    return lambda text: value if boolean(name, text) else ""


_OPTIONS: Final[Mapping[str, tuple[str, Callable[[str], str]]]] = {
    "format": ("format", lambda text: _one_of(text, ("png", "jpg", "zip"))),
    "channel": ("channels", str),
    "bg_color_code": ("bg_color", _color),
    "preview": ("size", _if_true("preview", "preview")),
    "crop": ("crop", _if_true("crop", "true")),
    "crop_margin": ("crop_margin", _margins),
    "scale": ("scale", str),
    "position": ("position", str),
    "roi": ("roi", str),
    "car_shadow": ("shadow", _if_true("car_shadow", "car")),
}
"""By option of the vendor: our option, and the conversion of the value."""
_THEIRS: Final = {ours: theirs for theirs, (ours, _) in _OPTIONS.items()}
_ONLY_WITH: Final = {"crop_margin": "crop", "position": "scale"}
"""Options that this contract ignores unless another one is set."""

_TEXTS: Final[Mapping[type[CutoutError], tuple[int, str]]] = {
    errors.MissingImageError: (400, "Source image file not found"),
    errors.MultipleSourcesError: (400, "Only one source image and one background image can be used"),
    errors.MissingApiKeyError: (401, "invalid api key"),
    errors.InvalidApiKeyError: (401, "invalid api key"),
    errors.QuotaExceededError: (402, "No credits remaining"),
    errors.RateLimitedError: (429, "Api rate limit crossed"),
}
_BAD_REQUESTS: Final = frozenset({413, 415, 422})
"""Statuses that this contract does not have: faulty parameters and images are 400."""


class Slazzer(Dialect):
    """The contract of the vendor's API page for v2.0, and of its public clients for the older route."""

    name = "slazzer"
    title = "Slazzer v2.0"
    routes = frozenset({("POST", "/v2.0/remove_image_background"), ("POST", _V1_ROUTE)})

    def __init__(self) -> None:
        self.status_routes = {("POST", _BALANCE_ROUTE): show_balance}

    def credential(self, request: Request, *, legacy: bool) -> str | None:  # noqa: ARG002
        """Find the key in ``API-KEY`` or, of the balance, in the field ``api_key``."""
        field = form_fields(request).text("api_key") if request.route == _BALANCE_ROUTE else None
        return request.headers.get("api-key", "").strip() or field

    def parse(self, request: Request) -> RemovalRequest:
        """Parse a form or JSON; fields that the contract does not know are ignored."""
        fields = form_fields(request)
        background = find_source(fields, _BACKGROUNDS) if _BACKGROUNDS.keys() & set(fields) else None
        shape = fields.text("output_image_format") or (_URL if request.route == _V1_ROUTE else _BINARY)
        reply = _one_of(shape, (_BINARY, _URL, _BASE64))
        return RemovalRequest(_spec(fields), find_source(fields, _SOURCES), reply, background=background)

    def answer(self, request: Request, outcome: Outcome) -> Response:  # noqa: ARG002
        """Write the image, or JSON with ``status`` and a public URL or a data URL."""
        result = outcome.result
        if outcome.request.reply == _BINARY:
            return image_answer(result)
        if outcome.request.reply == _URL:
            return json_answer({"status": True, "output_image_url": outcome.publish()})
        return json_answer(
            {"status": True, "output_image_base64": f"data:{result.media_type};base64,{base64_of(result)}"}
        )

    def problem(self, error: CutoutError, request: Request) -> Response:
        """Write ``{"error": text}``; older clients and those of the balance also need ``status`` and ``message``."""
        status, text = _TEXTS.get(type(error), (status_of(error), _message(error)))
        body: dict[str, object] = {"error": text}
        if request.route in {_V1_ROUTE, _BALANCE_ROUTE}:
            body |= {"status": False, "message": text}
        answer = json_answer(body, 400 if status in _BAD_REQUESTS else status)
        return replace(answer, headers=refusal_headers(error))


def show_balance(_: Request, status: AccountStatus) -> Response:
    """Write ``{"total_credits": number}``: the images left this month."""
    return json_answer({"total_credits": status.credits_left})


def _spec(fields: Fields) -> CutoutSpec:
    options: dict[str, str] = {}
    for theirs, (ours, convert) in _OPTIONS.items():
        text = fields.text(theirs)
        if text is not None and (value := convert(text)):
            options[ours] = value
    for name, other in _ONLY_WITH.items():
        if other not in options:
            options.pop(name, None)
    return parse_options(Fields(options.items()))


def _message(error: CutoutError) -> str:
    """Adapt our message to the vendor's names."""
    if isinstance(error, errors.ImageTooLargeError) and "image" not in error.details:
        return f"Source image file can not be greater than {int(str(error.details['max_bytes'])) // 2**20}mb"
    ours = str(error.details.get("option", ""))
    if ours == "bg_color":
        return _WRONG_COLOR
    return error.message.replace(ours, _THEIRS.get(ours, ours), 1) if ours else error.message


DIALECT = Slazzer()
