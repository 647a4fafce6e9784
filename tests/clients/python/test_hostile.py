"""Both Python clients behind a proxy that spoils answers: every call ends right or typed, and is charged once."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from cutout_client import AsyncCutout, Cutout, CutoutError, Result, RetryPolicy
from cutout_client.errors import ConnectionFailedError, IncompleteAnswerError, TimedOutError, UnexpectedAnswerError
from tests.clients.python.hostile import (
    AWAY,
    DRIPS,
    DROPS_AFTER,
    DROPS_BEFORE,
    FAULTS,
    GARBAGE,
    GATEWAY,
    HALF,
    HALF_CLOSED,
    SILENT,
    TOO_MANY,
    hostile,
)
from tests.dialects.pictures import cat
from tests.support.local_service import Service

SLOW = {SILENT, DRIPS}
QUICK = RetryPolicy(base_s=0.05)
NEVER = RetryPolicy(retries=0, base_s=0.05, patience_s=0.01)
ENDS = {
    DROPS_BEFORE: (ConnectionFailedError, IncompleteAnswerError),
    DROPS_AFTER: (ConnectionFailedError, IncompleteAnswerError),
    HALF: IncompleteAnswerError,
    HALF_CLOSED: IncompleteAnswerError,
    GARBAGE: IncompleteAnswerError,
    GATEWAY: UnexpectedAnswerError,
    SILENT: TimedOutError,
    DRIPS: TimedOutError,
}
"""Fault to what a client raises that does not try again."""


def blocking(service: Service, url: str, policy: RetryPolicy, timeout_s: float, **options: Any) -> Result:
    with Cutout(service.key, url, retry=policy, timeout_s=timeout_s) as cutout:
        return cutout.remove(cat(), **options)


def awaited(service: Service, url: str, policy: RetryPolicy, timeout_s: float, **options: Any) -> Result:
    async def one() -> Result:
        async with AsyncCutout(service.key, url, retry=policy, timeout_s=timeout_s) as cutout:
            return await cutout.remove(cat(), **options)

    return asyncio.run(one())


CLIENTS = pytest.mark.parametrize("client", [blocking, awaited])
Client = Callable[..., Result]


def images_charged(service: Service) -> int:
    with Cutout(service.key, service.url) as cutout:
        return cutout.usage().images


@CLIENTS
@pytest.mark.parametrize("fault", FAULTS)
def test_a_spoiled_answer_is_asked_for_again_and_charged_once(service: Service, client: Client, fault: str) -> None:
    before = images_charged(service)
    with hostile(service.url, fault) as proxy:
        result = client(service, proxy.url, QUICK, 5.0 if fault in SLOW else 60.0)
    assert result.image.size == (120, 80)
    assert len(set(proxy.keys)) == 1
    assert len(proxy.keys) >= 2
    assert images_charged(service) == before + 1


@CLIENTS
def test_a_row_of_faults_is_survived_and_charged_once(service: Service, client: Client) -> None:
    before = images_charged(service)
    faults = (AWAY, DROPS_BEFORE, TOO_MANY, TOO_MANY, DROPS_AFTER, HALF)
    with hostile(service.url, *faults) as proxy:
        result = client(service, proxy.url, QUICK, 60.0)
    assert result.replayed, "the work was done when the connection was dropped"
    assert len(proxy.keys) == 7
    assert len(set(proxy.keys)) == 1
    assert images_charged(service) == before + 1


@pytest.mark.parametrize(
    ("client", "fault"), [*((blocking, fault) for fault in ENDS if fault != DRIPS), (awaited, HALF), (awaited, DRIPS)]
)
def test_a_client_without_patience_ends_with_a_typed_error(service: Service, client: Client, fault: str) -> None:
    # The key is the caller's, so that the last call pays for all: what was charged is charged once.
    before, key = images_charged(service), f"test-{client.__name__}-{fault}".replace(" ", "-")
    with hostile(service.url, *[fault] * 3) as proxy, pytest.raises(ENDS[fault]) as caught:
        client(service, proxy.url, NEVER, 3.0 if fault in SLOW else 60.0, idempotency_key=key)
    assert isinstance(caught.value, CutoutError)
    assert client(service, service.url, QUICK, 60.0, idempotency_key=key).image.size == (120, 80)
    assert images_charged(service) == before + 1


@CLIENTS
def test_nobody_there_is_a_connection_that_never_arrived(service: Service, client: Client) -> None:
    with hostile(service.url) as proxy:
        url = proxy.url
    with pytest.raises(ConnectionFailedError) as caught:
        client(service, url, RetryPolicy(retries=1, base_s=0.01), 5.0)
    assert caught.value.may_have_arrived is False
    assert url in str(caught.value)


def test_a_batch_through_a_bad_network_is_whole_in_order_and_charged_once_each(service: Service) -> None:
    before = images_charged(service)
    sizes = [(60 + n, 40) for n in range(8)]
    faults = [DROPS_AFTER, HALF, AWAY, TOO_MANY, DROPS_BEFORE, GATEWAY, HALF_CLOSED]
    with hostile(service.url, *faults) as proxy, Cutout(service.key, proxy.url, retry=QUICK) as cutout:
        results = list(cutout.map((cat(*size) for size in sizes), concurrency=3))
    assert [result.image.size for result in results] == sizes
    assert len(set(proxy.keys)) == len(sizes)
    assert images_charged(service) == before + len(sizes)
