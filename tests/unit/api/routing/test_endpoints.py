import pytest

from cutout.api.request import Request, Response
from cutout.api.routing import Endpoint, find_endpoint
from cutout.errors import MethodNotAllowedError, NotFoundError

OK = Response(200, "text/plain", b"ok")
TEAPOT = Response(418, "text/plain", b"teapot")
ENDPOINTS = [
    Endpoint("GET", "/a", lambda _: OK),
    Endpoint("POST", "/b", lambda _: OK, lambda _error, _request: TEAPOT),
]


@pytest.mark.parametrize(("method", "route"), [("GET", "/a"), ("HEAD", "/a"), ("POST", "/b")])
def test_a_known_method_of_a_known_route_is_handled(method, route):
    request = Request(method, route, route)
    assert find_endpoint(ENDPOINTS, request).handle(request) is OK


def test_another_method_is_refused_in_the_shape_of_the_route_and_names_what_is_allowed():
    request = Request("GET", "/b", "/b")
    endpoint = find_endpoint(ENDPOINTS, request)
    with pytest.raises(MethodNotAllowedError) as caught:
        endpoint.handle(request)
    assert caught.value.details == {"allow": "POST"}
    assert endpoint.problem(caught.value, request) is TEAPOT


def test_an_unknown_route_is_not_found():
    request = Request("GET", "/c", "/c")
    with pytest.raises(NotFoundError):
        find_endpoint(ENDPOINTS, request).handle(request)


def test_options_names_what_is_allowed_instead_of_asking_the_endpoint():
    request = Request("OPTIONS", "/a", "/a")
    response = find_endpoint(ENDPOINTS, request).handle(request)
    assert (response.status, response.body, response.headers["allow"]) == (204, b"", "GET, HEAD")


def test_what_a_dialect_does_at_the_same_path_in_another_function_is_allowed_too():
    request = Request("DELETE", "/v2", "/v2")
    refusal = find_endpoint([Endpoint("GET", "/v2", lambda _: OK)], request)
    with pytest.raises(MethodNotAllowedError) as caught:
        refusal.handle(request)
    assert caught.value.details == {"allow": "GET, HEAD, POST"}


def test_options_of_an_unknown_route_is_not_found():
    with pytest.raises(NotFoundError):
        find_endpoint(ENDPOINTS, Request("OPTIONS", "/c", "/c")).handle(Request("OPTIONS", "/c", "/c"))
