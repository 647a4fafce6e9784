"""The limiter over a fake clock: one environment on real tables, many environments on counters in memory."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from cutout.aws.dynamodb.rate_limiter import SHARD_LIMIT, DynamoRateLimiter, split_limit
from cutout.usage import RateState


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.25

    def __call__(self) -> float:
        return self.now_s


class Counters:
    """What DynamoDB does with the limiter's one kind of call; ``errors`` come before anything is counted."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.errors: Callable[[str], Exception | None] = lambda _: None
        self.calls = 0

    def update_item(self, **arguments: Any) -> Any:
        self.calls += 1
        name = arguments["Key"]["pk"]["S"]
        if error := self.errors(name):
            raise error
        self.hits[name] += 1
        return {"Attributes": {"hits": {"N": str(self.hits[name])}}}


def refused(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "UpdateItem")


class Fleet:
    """Environments that share counters and a clock, as Lambda's do."""

    def __init__(self, environments: int, seed: int = 1) -> None:
        self.clock = Clock()
        self.counters = Counters()
        self.failures: list[Exception] = []
        self.random = random.Random(seed)
        self.limiters = [self._limiter() for _ in range(environments)]

    def _limiter(self) -> DynamoRateLimiter:
        client: Any = self.counters
        return DynamoRateLimiter(client, "Accounts", self.failures.append, self.clock, self.random.randrange)

    def take(self, limit: int, account: str = "acct_1") -> RateState:
        return self.random.choice(self.limiters).consume(account, limit)

    def admitted_in(self, seconds: int, limit: int, offered_per_s: int) -> int:
        """Requests at random moments, each to a random environment."""
        moments = sorted(self.random.uniform(0, seconds) for _ in range(seconds * offered_per_s))
        admitted = 0
        for moment in moments:
            self.clock.now_s = 2_000 + moment
            admitted += self.take(limit).admitted
        return admitted


@pytest.mark.parametrize("limit", [1_000, 600, 2_500])
@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("environments", [1, 40, 1_000])
def test_many_environments_admit_within_five_percent_of_the_limit(limit, times, environments):
    seconds = 2

    admitted = Fleet(environments).admitted_in(seconds, limit, offered_per_s=times * limit)

    assert 0.95 * limit * seconds <= admitted <= 1.0 * limit * seconds


@pytest.mark.parametrize("limit", [1, 2, 7, 100, 499, 500, 501, 1_000, 3_333])
def test_a_second_never_admits_more_than_the_limit_and_the_next_admits_again(limit):
    fleet = Fleet(5)

    for second in range(3):
        fleet.clock.now_s = 1_000 + second
        admitted = sum(fleet.take(limit).admitted for _ in range(4 * limit + 50))
        assert admitted == limit


@pytest.mark.parametrize("offered_per_s", [400, 900])
def test_below_the_limit_nobody_is_refused_but_by_the_chance_of_the_shards(offered_per_s):
    admitted = Fleet(20).admitted_in(5, 1_000, offered_per_s)

    assert admitted >= 0.995 * offered_per_s * 5


@pytest.mark.parametrize(
    ("limit", "split"),
    [(1, [1]), (2, [2]), (500, [500]), (501, [251, 250]), (1_000, [500, 500]), (1_100, [367, 367, 366])],
)
def test_a_limit_is_split_evenly_over_as_few_shards_as_can_take_it(limit, split):
    assert split_limit(limit) == split


@pytest.mark.parametrize("limit", [1, 499, 501, 999, 12_345, 100_000])
def test_the_shares_add_up_to_the_limit(limit):
    split = split_limit(limit)

    assert sum(split) == limit
    assert max(split) <= SHARD_LIMIT
    assert min(split) > 0


def test_a_request_costs_one_write_and_a_full_second_costs_an_environment_one_more():
    fleet = Fleet(1)

    for _ in range(100):
        fleet.take(2)

    assert fleet.counters.calls == 2
    fleet.clock.now_s += 1
    fleet.take(2)
    assert fleet.counters.calls == 3


def test_an_environment_that_finds_a_shard_full_does_not_ask_it_again_in_that_second():
    fleet = Fleet(2)
    first, second = fleet.limiters
    for _ in range(2):
        first.consume("acct_1", 2)

    refusals = [second.consume("acct_1", 2).admitted for _ in range(10)]

    assert refusals == [False] * 10
    assert fleet.counters.calls == 3


def test_accounts_do_not_take_each_other_s_seconds():
    fleet = Fleet(1)
    for _ in range(5):
        fleet.take(2, "acct_1")

    assert fleet.take(2, "acct_2").admitted


def test_what_an_environment_remembers_is_of_one_second_only():
    fleet = Fleet(1)
    for number in range(1_000):
        fleet.clock.now_s = 1_000 + number
        fleet.take(2, f"acct_{number}")

    assert len(fleet.limiters[0]._seen) == 1


def test_the_state_tells_limit_what_is_left_and_when_the_next_second_begins():
    fleet = Fleet(1)

    states = [fleet.take(3) for _ in range(4)]

    assert states == [
        RateState(3, 2, 1_001, admitted=True),
        RateState(3, 1, 1_001, admitted=True),
        RateState(3, 0, 1_001, admitted=True),
        RateState(3, 0, 1_001, admitted=False),
    ]


def test_over_several_shards_what_is_left_is_a_fair_guess():
    fleet = Fleet(1)

    for taken in range(1, 1_001):
        state = fleet.take(1_000)
        assert 0 <= state.remaining < 1_000
        if taken > 20 and state.admitted:
            assert abs(state.remaining - (1_000 - taken)) <= 60

    assert fleet.take(1_000).remaining <= 60


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"]
)
def test_a_shard_that_is_throttled_is_full(code):
    fleet = Fleet(1)
    fleet.counters.errors = lambda name: refused(code) if name.endswith("#0") else None

    admitted = sum(fleet.take(1_000).admitted for _ in range(2_000))

    assert admitted == 500
    assert fleet.counters.calls == 501
    assert fleet.failures == []


@pytest.mark.parametrize(
    "error",
    [
        refused("InternalServerError", 500),
        refused("AccessDeniedException"),
        refused("ResourceNotFoundException"),
        ReadTimeoutError(endpoint_url="https://dynamodb.invalid"),
        EndpointConnectionError(endpoint_url="https://dynamodb.invalid"),
        NoCredentialsError(),
    ],
    ids=str,
)
def test_a_limiter_that_is_away_admits_and_says_so(error):
    fleet = Fleet(1)
    fleet.counters.errors = lambda _: error

    states = [fleet.take(2) for _ in range(5)]

    assert all(state.admitted for state in states)
    assert fleet.failures == [error] * 5
    assert all(state.limit == 2 and 0 <= state.remaining <= 2 for state in states)


def test_on_dynamodb_a_second_is_an_item_that_expires(dynamodb, template):
    table = template.tables["AccountsTable"].name
    clock = Clock()
    limiter = DynamoRateLimiter(dynamodb, table, pytest.fail, clock)

    assert [limiter.consume("acct_1", 2).admitted for _ in range(3)] == [True, True, False]
    clock.now_s += 1
    assert limiter.consume("acct_1", 2) == RateState(2, 1, 1_002)

    found = {item["pk"]["S"]: item for item in dynamodb.scan(TableName=table)["Items"]}
    assert found.keys() == {"RATE#acct_1#1000#0", "RATE#acct_1#1001#0"}
    assert found["RATE#acct_1#1000#0"]["hits"] == {"N": "2"}
    assert found["RATE#acct_1#1000#0"]["expires_at"] == {"N": "1120"}


def test_on_dynamodb_environments_share_the_count(dynamodb, template):
    table = template.tables["AccountsTable"].name
    fleet = [DynamoRateLimiter(dynamodb, table, pytest.fail, Clock()) for _ in range(4)]

    admitted = [limiter.consume("acct_1", 5).admitted for _ in range(3) for limiter in fleet]

    assert admitted == [True] * 5 + [False] * 7
