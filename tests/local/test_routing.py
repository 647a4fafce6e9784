import pytest

from local.resources import Route
from local.routing import RouteTable

TABLE = RouteTable([
    Route("ANY", "/rest/{proxy+}", "Greedy"),
    Route("GET", "/things/{id}", "One"),
    Route("ANY", "/things/special", "Special"),
    Route("POST", "/things/special", "SpecialPost"),
    Route("ANY", "/", "Root"),
    Route("GET", "/a/{b}/c/{d}", "Two"),
])  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "function", "parameters"),
    [
        ("GET", "/", "Root", {}),
        ("HEAD", "", "Root", {}),
        ("GET", "/things/7", "One", {"id": "7"}),
        ("GET", "/things/7/", "One", {"id": "7"}),
        ("GET", "/things/a%20b%2Fc", "One", {"id": "a b/c"}),
        ("GET", "/things/special", "Special", {}),
        ("GET", "/things/spec%69al", "Special", {}),
        ("POST", "/things/special", "SpecialPost", {}),
        ("DELETE", "/rest/x", "Greedy", {"proxy": "x"}),
        ("DELETE", "/rest/x/y%20/z", "Greedy", {"proxy": "x/y /z"}),
        ("GET", "/a/1/c/2", "Two", {"b": "1", "d": "2"}),
    ],
)
def test_the_most_literal_route_matches_with_its_parameters_decoded(method, path, function, parameters):
    match = TABLE.match(method, path)
    assert match is not None
    assert match.route.function == function
    assert match.path_parameters == parameters


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nope"),
        ("POST", "/things/7"),
        ("GET", "/things"),
        ("GET", "/things/7/8"),
        ("GET", "/rest"),
        ("GET", "/rest/"),
        ("GET", "/a/1/c"),
        ("OPTIONS", "*"),
    ],
)
def test_a_path_or_method_without_a_route_is_not_found(method, path):
    assert TABLE.match(method, path) is None
