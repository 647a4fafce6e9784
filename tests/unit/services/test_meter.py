from datetime import UTC, datetime
from typing import Any

from cutout.aws import telemetry
from cutout.errors import ServiceUnavailableError
from cutout.imaging.spec import Limits
from cutout.services.removal import RemovalService
from cutout.usage import Charge, Usage
from tests.support.usage_stores import MemoryUsageStore

CHARGE = Charge("req_1", "acct_1", Usage.of_image(40, 30, 5_000, 4_000), datetime(2026, 11, 20, 12, tzinfo=UTC))


class AwayStore(MemoryUsageStore):
    def record(self, charge: Charge) -> bool:
        raise ServiceUnavailableError("away")


def service(usage: MemoryUsageStore) -> RemovalService:
    """A service of which only the counting is used."""
    nothing: Any = None
    return RemovalService(
        nothing, nothing, nothing, Limits(), usage=usage, results=nothing,
        account_status=nothing, require_quota=nothing, later=nothing, idempotent=nothing, observer=telemetry,
    )  # fmt: skip


def test_a_charge_is_counted_once():
    store = MemoryUsageStore()

    for _ in range(2):
        service(store).count(CHARGE)

    assert store.total("acct_1", "2026-11") == CHARGE.usage


def test_where_there_is_nothing_to_charge_nothing_is_counted():
    store = MemoryUsageStore()

    service(store).count(None)

    assert store.charges == {}


def test_an_image_is_delivered_though_its_charge_cannot_be_counted_and_the_log_has_the_charge(caplog):
    service(AwayStore()).count(CHARGE)

    (logged,) = [record.charge for record in caplog.records if record.message == "charge not counted"]
    assert logged == {
        "id": "req_1",
        "account": "acct_1",
        "at": "2026-11-20T12:00:00+00:00",
        "images": 1,
        "pixels": 1_200,
        "bytes_in": 5_000,
        "bytes_out": 4_000,
    }
