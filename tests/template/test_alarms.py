"""What is watched: every queue, every function, and what nobody would see otherwise."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from cutout.aws import telemetry
from local import ROOT
from local.resources import Template

Resources = dict[str, dict[str, Any]]


@pytest.fixture
def alarms(monitoring: dict[str, Any]) -> Resources:
    """The properties of every alarm."""
    resources = monitoring["Resources"].items()
    return {name: item["Properties"] for name, item in resources if item["Type"] == "AWS::CloudWatch::Alarm"}


def watched(alarm: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Namespace, metric and the logical id of what an alarm watches."""
    metrics = [item["MetricStat"]["Metric"] for item in alarm.get("Metrics", []) if "MetricStat" in item]
    for metric in metrics or [alarm]:
        for dimension in metric["Dimensions"]:
            value = dimension["Value"]
            if not isinstance(value, str):
                value = value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0]
            yield metric["Namespace"], metric["MetricName"], value


def test_every_alarm_is_told_to_the_topic_and_so_is_its_end(alarms: Resources) -> None:
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmsTopic"}], name
        assert alarm["TreatMissingData"] == "notBreaching", f"{name}: a service that nobody uses is well"
        assert alarm["AlarmDescription"], name


def test_every_queue_is_watched_for_waiting_and_for_giving_up(alarms: Resources, template: Template) -> None:
    seen = {found for alarm in alarms.values() for found in watched(alarm)}
    dead = {queue.name: name for name, queue in template.queues.items()}
    for source in template.sources.values():
        letters = dead[template.queues[source.queue].dead_letter_arn.rpartition(":")[2]]
        assert ("AWS/SQS", "ApproximateAgeOfOldestMessage", source.queue) in seen
        assert ("AWS/SQS", "ApproximateNumberOfMessagesVisible", letters) in seen


def test_every_function_is_watched_for_errors_and_throttles(alarms: Resources, template: Template) -> None:
    seen = {found for alarm in alarms.values() for found in watched(alarm)}
    fed = {source.function for source in template.sources.values()}
    assert {name for space, metric, name in seen if (space, metric) == ("AWS/Lambda", "Errors")} == fed
    assert ("AWS/ApiGateway", "5XXError", "Api.Stage") in seen, "the errors of all others are seen at the gateway"
    throttled = {name for space, metric, name in seen if (space, metric) == ("AWS/Lambda", "Throttles")}
    assert throttled == set(template.functions)


def test_mail_is_sent_only_where_an_address_is_given(monitoring: dict[str, Any]) -> None:
    subscription = monitoring["Resources"]["AlarmsTopic"]["Properties"]["Subscription"]["Fn::If"]
    assert subscription[0] == "HasAlarmEmail"
    assert subscription[1] == [{"Protocol": "email", "Endpoint": {"Ref": "AlarmEmail"}}]
    assert subscription[2] == {"Ref": "AWS::NoValue"}


def dashboard(monitoring: dict[str, Any]) -> dict[str, Any]:
    text = monitoring["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    body: dict[str, Any] = json.loads(re.sub(r"\$\{([^}]+)\}", r"<\1>", text))
    return body


def test_the_dashboard_shows_every_function_and_queue(monitoring: dict[str, Any], template: Template) -> None:
    text = json.dumps(dashboard(monitoring))
    for function in template.functions:
        assert text.count(f'"<{function}>"') == 3, f"{function}: errors, throttles, duration"
    for queue in template.queues:
        assert f'"<{queue}.QueueName>"' in text


def test_the_widgets_of_the_dashboard_do_not_overlap(monitoring: dict[str, Any]) -> None:
    cells = [
        (widget["x"] + x, widget["y"] + y)
        for widget in dashboard(monitoring)["widgets"]
        for x in range(widget["width"])
        for y in range(widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


def test_metrics_of_our_own_are_some_that_the_code_writes(monitoring: dict[str, Any], alarms: Resources) -> None:
    shown = {
        metric[1]
        for widget in dashboard(monitoring)["widgets"]
        for metric in widget["properties"]["metrics"]
        if metric[0] == telemetry.NAMESPACE
    }
    alarmed = {metric for alarm in alarms.values() for space, metric, _ in watched(alarm) if space == "Cutout"}
    source = (ROOT / "layers/cutout/cutout/aws/telemetry.py").read_text()
    assert shown | alarmed <= set(re.findall(r'(?:add_metric|single_metric)\("(\w+)"', source))
    assert alarmed
