"""What is a day old goes at the hour, and nothing else."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import pytest
import sweep

KEYS = {"UPLOADS_BUCKET": ("uploads/a/x", "direct/y", "retained/z"), "RESULTS_BUCKET": ("results/a/x/cutout.png",)}


def context(left_ms=900_000):
    return SimpleNamespace(get_remaining_time_in_millis=lambda: left_ms)


@pytest.fixture
def filled(buckets, monkeypatch):
    s3 = boto3.client("s3")
    for variable, name in buckets.items():
        monkeypatch.setenv(variable, name)
        for key in KEYS[variable]:
            s3.put_object(Bucket=name, Key=key, Body=b"x")
    return buckets


def keys(buckets):
    s3 = boto3.client("s3")
    return {item["Key"] for name in buckets.values() for item in s3.list_objects_v2(Bucket=name).get("Contents", [])}


@pytest.fixture
def later(monkeypatch):
    """Let a time pass before the sweep."""

    def wait(hours):
        now = datetime.now(UTC) + timedelta(hours=hours)
        monkeypatch.setattr(sweep, "datetime", SimpleNamespace(now=lambda _: now))

    return wait


def test_what_is_younger_than_a_day_stays(filled, later):
    later(23.9)
    assert sweep.handler({}, context()) == 0
    assert len(keys(filled)) == 4


def test_after_a_day_all_is_gone_but_what_was_opted_in(filled, later):
    later(24.1)
    assert sweep.handler({}, context()) == 3
    assert keys(filled) == {"retained/z"}


def test_many_pages_are_swept(filled, later):
    s3 = boto3.client("s3")
    for number in range(1_100):
        s3.put_object(Bucket=filled["RESULTS_BUCKET"], Key=f"results/{number}", Body=b"")
    later(25)
    assert sweep.handler({}, context()) == 1_103
    assert keys(filled) == {"retained/z"}


def test_a_run_that_is_short_of_time_leaves_the_rest_to_the_next(filled, later, capsys):
    later(25)
    sweep.handler({}, context(left_ms=1_000))
    assert '"finished": false' in capsys.readouterr().out
    sweep.handler({}, context())
    assert keys(filled) == {"retained/z"}


def test_an_object_that_cannot_be_deleted_is_an_error():
    errors = [{"Key": "results/x", "Code": "AccessDenied"}]
    s3 = SimpleNamespace(delete_objects=lambda **_: {"Errors": errors})
    with pytest.raises(RuntimeError, match="results/x was not deleted: AccessDenied"):
        sweep.delete(s3, "bucket", ["results/x"])
