from collections.abc import Iterator

import pytest

from cutout import errors
from cutout.api.problems import STATUS
from cutout.errors import ClientFaultError, CutoutError, InvalidOptionError, ServiceFaultError

CONTRACT = {
    "invalid_request": 400,
    "missing_image": 400,
    "multiple_sources": 400,
    "invalid_base64": 400,
    "invalid_image": 400,
    "unsupported_image_format": 400,
    "invalid_option": 400,
    "image_url_fetch_failed": 400,
    "image_too_large": 413,
    "resolution_too_high": 413,
    "animation_too_large": 413,
    "unsupported_media_type": 415,
    "missing_api_key": 401,
    "invalid_api_key": 403,
    "forbidden": 403,
    "account_suspended": 403,
    "rate_limited": 429,
    "quota_exceeded": 402,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "job_running": 409,
    "job_ended": 409,
    "gone": 410,
    "idempotency_mismatch": 422,
    "nothing_found": 422,
    "processing_failed": 422,
    "internal_error": 500,
    "service_unavailable": 503,
    "timeout": 504,
}
"""The closed set of codes in the contract, and the statuses they are answered with."""


def family(root: type[CutoutError]) -> Iterator[type[CutoutError]]:
    if "code" in vars(root):
        yield root
    for child in root.__subclasses__():
        yield from family(child)


ERRORS = list(family(CutoutError))


def test_every_code_of_the_contract_has_one_error_and_one_status():
    assert {error.code: STATUS[error] for error in ERRORS} == CONTRACT
    assert len(ERRORS) == len(CONTRACT)


def test_there_is_one_root_and_one_place():
    assert {error.__module__ for error in ERRORS} == {"cutout.errors"}
    own = [thing for thing in vars(errors).values() if getattr(thing, "__module__", "") == "cutout.errors"]
    assert all(issubclass(thing, CutoutError) for thing in own)


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_says_in_its_docstring_when_it_is_raised(error):
    assert error.__doc__


def test_an_error_carries_its_message_and_a_copy_of_its_details():
    details: dict[str, object] = {"option": "size"}

    error = InvalidOptionError("No such size.", details)
    details["option"] = "changed"

    assert (str(error), error.message, error.details) == ("No such size.", "No such size.", {"option": "size"})
    assert InvalidOptionError("x").details == {}


@pytest.mark.parametrize("error", [error for error in ERRORS if error is not CutoutError])
def test_an_error_says_whose_fault_it_is_and_its_status_agrees(error):
    is_ours = STATUS[error] >= 500

    assert issubclass(error, ServiceFaultError) is is_ours
    assert issubclass(error, ClientFaultError) is not is_ours


def test_an_error_about_an_image_is_a_copy():
    error = InvalidOptionError("No such size.", {"option": "size"})

    about = error.about(b"image").about_background()

    assert (error.image, error.details) == (None, {"option": "size"})
    assert (type(about), about.message, about.image) == (InvalidOptionError, "No such size.", b"image")
    assert about.details == {"option": "size", "image": "background"}
