"""An account's rate limit, asked for by more parallel clients than it admits, over the running service.

Seconds are told apart by what the answers say of them (``x-ratelimit-reset``), so that no clock of the test's is asked.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

import httpx
import pytest

from cutout.accounts import PLANS, Account, KeyMode
from cutout.aws.dynamodb.audited_transaction import AuditedTable
from cutout.aws.dynamodb.keys import DynamoKeyStore
from local.cloud import client
from local.resources import Template
from tests.support.local_service import Service

CLIENTS = 8
CHEAP = "/v2/jobs/job_" + "0" * 32
"""A job that is not there: admitted requests are answered by 404, after one read."""
KEY = "ct_live_of_an_account_with_a_limit"


@dataclass
class Crowd:
    """Clients that ask as fast as they can, and what they were answered in each second."""

    url: str
    key: str
    answers: list[httpx.Response] = field(default_factory=list)
    seconds: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, enough: Callable[["Crowd"], bool]) -> None:
        """Let all ask until it is enough."""
        with httpx.Client(base_url=self.url, timeout=60) as http, ThreadPoolExecutor(CLIENTS) as threads:
            list(threads.map(self._ask, [http] * CLIENTS, [enough] * CLIENTS))

    def whole_seconds(self) -> list[Counter[int]]:
        """The answers of each second but the first and the last, which may be cut short."""
        with self.lock:
            return [counts for _, counts in sorted(self.seconds.items())][1:-1]

    def _ask(self, http: httpx.Client, enough: Callable[["Crowd"], bool]) -> None:
        while not enough(self):
            answer = http.get(CHEAP, headers={"x-api-key": self.key})
            with self.lock:
                self.answers.append(answer)
                self.seconds[int(answer.headers["x-ratelimit-reset"])][answer.status_code] += 1


def crowded(crowd: Crowd) -> list[Counter[int]]:
    """The whole seconds in which more was asked for than is admitted."""
    return [counts for counts in crowd.whole_seconds() if counts[429]]


@pytest.fixture
def limit(service: Service, template: Template) -> int:
    """Half of what this machine answers now, as the limit of an account of its own."""
    unlimited = Crowd(service.url, service.key)
    unlimited.ask(lambda crowd: len(crowd.whole_seconds()) >= 5)
    limit = max(2, int(median(counts.total() for counts in unlimited.whole_seconds())) // 2)
    account = replace(Account.on_plan("acct_limited", "limited@localhost", PLANS["metered"]), requests_per_second=limit)
    store = DynamoKeyStore(
        AuditedTable(client("dynamodb", service.endpoints["aws"]), template.tables["AccountsTable"].name)
    )
    store.create_account(account)
    store.create_key(account.id, KEY, KeyMode.LIVE)
    return limit


def test_parallel_clients_get_what_the_limit_admits(service: Service, limit: int):
    crowd = Crowd(service.url, KEY)

    crowd.ask(lambda crowd: len(crowded(crowd)) >= 8 or len(crowd.answers) >= 200 * limit)

    assert len(crowded(crowd)) >= 8
    for counts in crowded(crowd):
        assert counts[404] == pytest.approx(limit, rel=0.05)
    assert {answer.status_code for answer in crowd.answers} == {404, 429}
    for answer in crowd.answers:
        assert answer.headers["x-ratelimit-limit"] == str(limit)
        assert 0 <= int(answer.headers["x-ratelimit-remaining"]) < limit
        assert ("retry-after" in answer.headers) == (answer.status_code == 429)
    refused = next(answer for answer in crowd.answers if answer.status_code == 429)
    problem: dict[str, Any] = refused.json()
    assert problem["error"]["code"] == "rate_limited"
    assert (refused.headers["retry-after"], refused.headers["x-ratelimit-remaining"]) == ("1", "0")
