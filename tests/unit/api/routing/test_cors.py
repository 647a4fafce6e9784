import pytest

from cutout.api import routing as cors
from cutout.api.request import Headers, Request


def asked(names: str) -> Request:
    pairs = [("Origin", "https://shop.example"), ("Access-Control-Request-Method", "POST")]
    return Request("OPTIONS", "/v2", "/v2", Headers([*pairs, ("Access-Control-Request-Headers", names)]))


def test_a_preflight_names_the_methods_and_how_long_that_holds():
    response = cors.preflight(asked("x-api-key"), ["POST", "GET"])
    assert (response.status, response.body) == (204, b"")
    assert response.headers["access-control-allow-methods"] == "GET, POST"
    assert int(response.headers["access-control-max-age"]) > 3600
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize(
    "names",
    ["x-api-key", "authorization, content-type, x-fal-queue-priority", "X-Picsart-API-Key", "api-key,x-rapidapi-key"],
)
def test_every_header_that_a_page_wants_to_send_is_allowed_by_its_name(names):
    allowed = cors.preflight(asked(names), ["POST"]).headers["access-control-allow-headers"]
    assert set(allowed.split(", ")) == {name.strip().lower() for name in names.split(",")}


@pytest.mark.parametrize("names", ["", " , ,", "a b", "x-a\r\nset-cookie: b", "é", "x" * 65, "*:*"])
def test_what_cannot_be_a_header_name_is_not_sent_back(names):
    assert "access-control-allow-headers" not in cors.preflight(asked(names), ["POST"]).headers


def test_only_so_many_names_are_sent_back():
    many = ",".join(f"x-{number}" for number in range(500))
    allowed = cors.preflight(asked(many), ["POST"]).headers["access-control-allow-headers"]
    assert len(allowed.split(", ")) == cors.MAX_NAMES


def test_an_answer_is_open_to_every_page_with_the_headers_that_it_has():
    headers = cors.sharing(["Content-Type", "X-Model", "x-request-id", "access-control-max-age"])
    assert headers == {"access-control-allow-origin": "*", "access-control-expose-headers": "x-model, x-request-id"}
