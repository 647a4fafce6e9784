import pytest

from cutout.api.body.fields import form_fields
from cutout.api.request import Headers, Request
from cutout.errors import InvalidRequestError
from tests.support.builders import multipart

FORM, FORM_KIND = multipart({"size": "full"})


def request(body: bytes, kind: str) -> Request:
    return Request("POST", "/", "/", Headers([("Content-Type", kind)] if kind else []), body=body)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (FORM, FORM_KIND),
        (b'{"size": "full"}', "application/json; charset=utf-8"),
        (b'{"size": "full"}', "application/vnd.api+json"),
        (b"size=full", "Application/X-WWW-Form-Urlencoded"),
    ],
)
def test_a_form_is_read_by_its_content_type(body: bytes, kind: str) -> None:
    assert form_fields(request(body, kind)).text("size") == "full"


@pytest.mark.parametrize("kind", ["", "text/plain", "image/png"])
def test_another_body_has_no_fields(kind: str) -> None:
    assert list(form_fields(request(b"size=full", kind))) == []


@pytest.mark.parametrize("kind", ["multipart/form-data", "application/json", "application/x-www-form-urlencoded"])
def test_a_broken_form_is_the_client_s_error(kind: str) -> None:
    with pytest.raises(InvalidRequestError):
        form_fields(request(b"\xff", kind))
