"""The canary, against the whole local service."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import canary
import pytest
from moto import mock_aws
from picture import WrongCutoutError

from tests.support.local_service import LIVE_KEY

DAY = timedelta(days=1)


@pytest.fixture
def stack(service, monkeypatch):
    """The environment of the canary of a stack that is the local service."""
    monkeypatch.setenv("API_URL", f"{service.url}/")
    monkeypatch.setenv("STACK", "cutout-test")
    monkeypatch.setenv("SYNCHRONOUS", "true")
    monkeypatch.setenv("SYNTHETIC_KEY", "/cutout/key")
    answer = {"Parameter": {"Value": LIVE_KEY}}
    client = type("Client", (), {"get_parameter": lambda self, **_: answer})
    monkeypatch.setattr(canary.boto3, "client", lambda _: client())
    monkeypatch.setattr(canary, "_PAUSE_S", 0.1)
    return monkeypatch


def metrics(text):
    lines = [json.loads(line) for line in text.splitlines()]
    assert {line["service"] for line in lines} == {"cutout-test"}
    named = [metric["Name"] for line in lines for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    return {name: value for line in lines for name, value in line.items() if name in named}


def test_both_ways_work_and_their_times_are_metrics(stack, capsys):
    times = canary.handler({}, None)
    assert times.keys() == {"Direct", "Job"}
    found = metrics(capsys.readouterr().out)
    assert (found["CanaryDirectFailed"], found["CanaryJobFailed"]) == (0, 0)
    assert found["CanaryJobTime"] == times["Job"] > 0


def test_of_a_stack_for_jobs_alone_nothing_is_asked_at_once(stack, capsys):
    stack.setenv("SYNCHRONOUS", "false")
    assert canary.handler({}, None).keys() == {"Job"}
    assert "CanaryDirectTime" not in metrics(capsys.readouterr().out)


def test_a_refused_request_is_a_failure_in_the_metrics_and_of_the_function(stack, service, capsys):
    stack.setattr(canary, "at_once", lambda url, _: canary.send(f"{url}/v2", "wrong", b"", "image/jpeg"))
    with pytest.raises(RuntimeError, match="403"):
        canary.handler({}, None)
    assert metrics(capsys.readouterr().out)["CanaryDirectFailed"] == 1


def test_the_status_page_gets_a_day_of_checks(monkeypatch):
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="page")
        check = {"at": "2026-11-20T12:00:00.000+00:00", "way": "direct", "ok": True, "ms": 700.0}
        canary.publish(s3, "page", [check], now)
        canary.publish(s3, "page", [check | {"ok": False, "at": "2026-11-21T11:59:00.000+00:00"}], now + DAY)
        canary.publish(s3, "page", [check | {"at": "2026-11-21T12:01:00.000+00:00"}], now + DAY + timedelta(minutes=1))
        found = s3.get_object(Bucket="page", Key="status.json")
    document = json.loads(found["Body"].read())
    assert (document["source"], found["ContentType"]) == ("canary", "application/json")
    assert [(each["at"][8:16], each["ok"]) for each in document["checks"]] == [("21T11:59", False), ("21T12:01", True)]


def test_a_failed_check_is_on_the_status_page(stack, capsys):
    published = []
    stack.setenv("STATUS_BUCKET", "page")
    stack.setattr(canary, "publish", lambda _, bucket, checks, __: published.append((bucket, checks)))
    stack.setattr(canary, "at_once", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        canary.handler({}, None)
    ((bucket, (check,)),) = published
    assert (bucket, check["way"], check["ok"]) == ("page", "direct", False)


def test_an_answer_that_is_no_cutout_is_a_failure(stack):
    stack.setattr(canary, "send", lambda *_, **__: b"200, but no picture")
    with pytest.raises(WrongCutoutError):
        canary.handler({}, None)
