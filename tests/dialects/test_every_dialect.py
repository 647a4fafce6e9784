"""What holds for every dialect, whichever there are."""

from cutout.api.dialects.registry import every_dialect
from tests.support.in_process_api import URL


def test_every_route_of_a_dialect_is_in_the_template_and_no_two_dialects_share_one(template):
    routes = [route for dialect in every_dialect() for route in dialect.every_route()]
    assert len(routes) == len(set(routes))
    assert {route for _, route in routes} <= {route.path for route in template.routes}


def test_a_dialect_is_named_as_its_file():
    assert all(type(dialect).__module__.rpartition(".")[2] == dialect.name for dialect in every_dialect())


def test_the_dialects_are_listed_for_everyone(api):
    answer = api.get(f"{URL}/v2/dialects")
    assert answer.status_code == 200
    listed = {dialect["name"]: dialect for dialect in answer.json()["dialects"]}
    assert listed.keys() == {dialect.name for dialect in every_dialect()}
    assert listed["backgrounderase"]["routes"] == ["POST /v2", "GET /v2/dialects"]
