import pytest

from cutout.api.headers import LEGACY_NAMES, header_key, legacy_key, request_key
from cutout.api.request import Headers, Request
from tests.support.builders import multipart


def request(
    headers: dict[str, str] | None = None, query: dict[str, tuple[str, ...]] | None = None, body: bytes = b""
) -> Request:
    return Request("POST", "/v2", "/v2", Headers((headers or {}).items()), query or {}, body=body)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "K"},
        {"X-API-KEY": " K "},
        {"Authorization": "Bearer K"},
        {"authorization": "bearer  K"},
        {"Authorization": "Token K"},
        {"Authorization": "Api-Key K"},
        {"Authorization": "Key K"},
        {"Authorization": "K"},
        {"x-api-key": "K", "Authorization": "Bearer other"},
    ],
)
def test_every_header_form_carries_the_key(headers):
    assert header_key(request(headers)) == "K"


@pytest.mark.parametrize(
    "headers", [{}, {"x-api-key": ""}, {"x-api-key": "  "}, {"authorization": ""}, {"authorization": "Bearer "}]
)
def test_no_key_is_none(headers):
    assert header_key(request(headers)) is None


def test_an_unknown_scheme_is_not_taken_for_a_key_of_its_own():
    assert header_key(request({"Authorization": "Basic dTpw"})) == "Basic dTpw"


@pytest.mark.parametrize("name", LEGACY_NAMES)
def test_legacy_keys_stand_in_query_or_body(name):
    assert legacy_key(request(query={name.upper(): ("", "K")})) == "K"
    form, form_type = multipart({name: "K", "size": "full"})
    bodies = {
        "application/json": b'{"%s": "K"}' % name.encode(),
        "application/x-www-form-urlencoded": f"{name}=K".encode(),
    }
    for media_type, body in (bodies | {form_type: form}).items():
        assert legacy_key(request({"content-type": media_type}, body=body)) == "K"
    assert legacy_key(request()) is None


def test_a_key_in_the_query_needs_no_look_at_the_body():
    picture = request({"content-type": "application/x-www-form-urlencoded"}, {"api_key": ("K",)}, b"\xff\xd8")
    assert legacy_key(picture) == "K"


def test_a_request_without_a_body_has_its_key_in_the_headers_or_where_allowed_in_the_query():
    old = request(query={"api_key": ("Q",)})
    assert (request_key(old, legacy=True), request_key(old, legacy=False)) == ("Q", None)
    assert request_key(request({"x-api-key": "H"}, {"api_key": ("Q",)}), legacy=True) == "H"
