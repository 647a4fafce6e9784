"""schemathesis holds every dialect, in this process, to its document: no 5xx, no undocumented status, type or body."""

import pytest
from hypothesis import HealthCheck, settings
from schemathesis.checks import ignored_auth, negative_data_rejection, positive_data_acceptance

from tests.dialects import documents
from tests.dialects.written import asked_of
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

PATHS = {*documents.dialect_paths(), "/v2/dialects"}
OURS = "getRoot"
"""The health check at a dialect's path; asked deeply it calls a function, which in this process is nowhere."""
schema = documents.schema().include(lambda context: context.operation.path in PATHS).exclude(operation_id=OURS)
LOOSE = [
    # Real clients send more than is documented, and forms have no types: what must be refused stands in the tests of
    # the dialect.
    negative_data_rejection,
    # Generated "images" are text, so a body that fits the schema is still refused.
    positive_data_acceptance,
    # It asks again by a client of its own, which would look for our host in the network.
    ignored_auth,
]


def key_headers(operation) -> dict[str, str]:
    """The first key that the operation takes, as its document spells it; none where it takes none."""
    asked = asked_of(documents.dialect_paths().get(operation.path, "backgrounderase"))
    (keys,) = (each.keys for each in asked if (each.method, each.path) == (operation.method.upper(), operation.path))
    return {name: spelling.replace("KEY", LIVE_KEY) for name, spelling in keys[0].items()} if keys else {}


@pytest.fixture(autouse=True)
def _covers(request) -> None:
    path = request.node.name.partition(" ")[2].removesuffix("]")
    request.node.user_properties.append(
        ("covers", f"{documents.dialect_paths().get(path, 'backgrounderase')} document")
    )


@schema.parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_answer_is_one_that_the_document_names(case, api):
    headers = key_headers(case.operation)
    case.call_and_validate(base_url=URL, session=api, headers=headers, excluded_checks=LOOSE, timeout=30)
