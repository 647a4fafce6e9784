import pytest

from cutout.api.request import Request, Response
from cutout.api.routes import Endpoint, find_endpoint
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
