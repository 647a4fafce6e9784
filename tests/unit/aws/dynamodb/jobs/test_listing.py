"""The jobs of an account, page by page."""

import pytest

from cutout.aws.dynamodb import job_listing
from cutout.errors import (
    InvalidOptionError,
)
from cutout.jobs.job import JobState
from tests.unit.aws.dynamodb.jobs.made import job


def test_an_account_sees_its_own_jobs_newest_first_in_pages(store, clock):
    made = []
    for number in range(7):
        clock.sleep(0 if number == 3 else 1)  # two are of the same millisecond
        made.append(job(clock))
        store.create(made[-1])
        store.create(job(clock, account_id="acct_2"))

    pages = []
    cursor = None
    while True:
        page = store.page("acct_1", 3, cursor)
        pages.append(page.jobs)
        cursor = page.cursor
        if cursor is None:
            break

    assert [len(page) for page in pages] == [3, 3, 1]
    listed = [one for page in pages for one in page]
    assert {one.id for one in listed} == {one.id for one in made}
    assert [one.created_at for one in listed] == sorted((one.created_at for one in made), reverse=True)
    assert listed[0] == made[-1]
    assert store.page("acct_3", 10).jobs == ()


def test_jobs_can_be_listed_by_state(store, clock):
    for number in range(6):
        clock.sleep(1)
        made = job(clock)
        store.create(made)
        if number % 2:
            store.start(made.id, 60)

    running = store.page("acct_1", 2, state=JobState.RUNNING)
    rest = store.page("acct_1", 2, running.cursor, JobState.RUNNING)

    assert [one.state for one in (*running.jobs, *rest.jobs)] == [JobState.RUNNING] * 3
    assert store.page("acct_1", 10, state=JobState.SUCCEEDED).jobs == ()


def test_rare_jobs_are_found_by_going_on_though_pages_may_be_short(dynamo_store, clock, monkeypatch):
    monkeypatch.setattr(job_listing, "QUERY_ITEMS", 2)
    monkeypatch.setattr(job_listing, "MAX_QUERIES", 2)
    rare = job(clock)
    dynamo_store.create(rare)
    dynamo_store.start(rare.id, 60)
    for _ in range(9):
        clock.sleep(1)
        dynamo_store.create(job(clock))

    pages = [dynamo_store.page("acct_1", 3, state=JobState.RUNNING)]
    while pages[-1].cursor:
        pages.append(dynamo_store.page("acct_1", 3, pages[-1].cursor, JobState.RUNNING))

    assert [[one.id for one in page.jobs] for page in pages] == [[], [], [rare.id]]


def test_a_cursor_of_another_account_shows_nothing_of_it(dynamo_store, clock):
    for account in ("acct_1", "acct_2"):
        for _ in range(3):
            clock.sleep(1)
            dynamo_store.create(job(clock, account_id=account))
    cursor = dynamo_store.page("acct_2", 1).cursor

    assert {one.account_id for one in dynamo_store.page("acct_1", 10, cursor).jobs} == {"acct_1"}


@pytest.mark.parametrize("cursor", ["?", "abc", "####", "Zm9v", "ä", "A" * 60])
def test_a_cursor_of_somebodys_own_making_is_refused(store, queued, cursor):
    with pytest.raises(InvalidOptionError):
        store.page("acct_1", 10, cursor)
