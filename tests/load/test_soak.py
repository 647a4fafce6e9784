"""The tool that holds the service under load, on a small load: ``make run``'s service and the container's process."""

import pytest

from local.pool import MAX_WAITING
from tools.load import photo
from tools.soak import soak

REQUESTS = 40
CROWD = 3 * MAX_WAITING


@pytest.mark.parametrize("service", ["local", "server"])
def test_every_request_is_answered_and_charged_once_also_where_more_come_than_may_wait(service):
    report = soak(service, photo(64), REQUESTS, CROWD)

    assert report["faults"] == []
    assert [report[load]["charged"] for load in ("steady", "crowd")] == [REQUESTS, CROWD]
    assert report["crowd"]["busy"] > 0
    assert report["steady"]["processes"]["workers of removals"]["cpu_ms"] > 0
