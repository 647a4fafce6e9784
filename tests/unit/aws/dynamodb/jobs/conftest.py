"""The store on DynamoDB, twice, and the one in memory: the same rules hold for all three."""

from typing import Any

import pytest

from cutout.aws.dynamodb.jobs import DynamoJobStore
from cutout.aws.dynamodb.usage import DynamoUsageStore
from cutout.jobs.job import Job
from local.resources import Template
from tests.support.dynalite_server import IMPLEMENTATIONS
from tests.support.job_stores import MemoryJobStore
from tests.unit.aws.dynamodb.jobs.made import Clock, Store, job


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tables(template: Template) -> tuple[str, str]:
    return template.tables["JobsTable"].name, template.tables["AccountsTable"].name


@pytest.fixture(params=["memory", *IMPLEMENTATIONS])
def store(request: pytest.FixtureRequest, tables: tuple[str, str], clock: Clock) -> Store:
    if request.param == "memory":
        return MemoryJobStore(clock)
    return DynamoJobStore(request.getfixturevalue(request.param), *tables, clock)


@pytest.fixture
def queued(store: Store, clock: Clock) -> Job:
    made = job(clock)
    assert store.create(made)
    return made


@pytest.fixture
def dynamo_store(dynamodb: Any, tables: tuple[str, str], clock: Clock) -> DynamoJobStore:
    return DynamoJobStore(dynamodb, *tables, clock)


@pytest.fixture
def usage(dynamodb: Any, tables: tuple[str, str]) -> DynamoUsageStore:
    return DynamoUsageStore(dynamodb, tables[1])
