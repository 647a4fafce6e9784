import pytest

from cutout.api.headers import idempotency_key, request_fingerprint
from cutout.api.request import Headers, Request
from cutout.errors import InvalidRequestError


def request(*keys: str) -> Request:
    return Request("POST", "/v2", "/v2", Headers(("Idempotency-Key", key) for key in keys))


def test_a_key_is_taken_as_it_is():
    assert idempotency_key(request(" 8e03978e-40d5-43dd-bc93-6894a57f9324 ")) == "8e03978e-40d5-43dd-bc93-6894a57f9324"
    assert idempotency_key(request('"quoted"')) == '"quoted"'
    assert idempotency_key(request("k" * 255)) == "k" * 255


def test_no_header_is_no_key():
    assert idempotency_key(request()) is None


@pytest.mark.parametrize("keys", [("",), (" ",), ("k" * 256,), ("a b",), ("kéy",), ("a\x00",), ("one", "two")])
def test_a_key_that_cannot_protect_is_refused(keys):
    with pytest.raises(InvalidRequestError, match="Idempotency-Key"):
        idempotency_key(request(*keys))


def test_the_same_request_has_one_name_and_any_other_has_another():
    names = {
        request_fingerprint("v2", {"a": 1, "data": b"x"}),
        request_fingerprint("jobs", {"a": 1, "data": b"x"}),
        request_fingerprint("v2", {"a": 2, "data": b"x"}),
        request_fingerprint("v2", {"a": 1, "data": b"y"}),
        request_fingerprint("v2", {"a": 1, "data": None}),
    }
    assert len(names) == 5
    assert request_fingerprint("v2", {"data": b"x", "a": 1}) in names


def test_what_has_no_json_form_is_a_mistake_of_ours():
    with pytest.raises(TypeError):
        request_fingerprint("v2", object())
