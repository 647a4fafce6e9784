"""What is watched: every queue, every function, and what nobody would see otherwise."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from cutout.aws import telemetry
from local import ROOT
from local.intrinsics import read_yaml
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


@pytest.fixture
def composites(monitoring: dict[str, Any]) -> Resources:
    """The properties of every alarm that is made of others."""
    resources = monitoring["Resources"].items()
    return {name: item["Properties"] for name, item in resources if item["Type"] == "AWS::CloudWatch::CompositeAlarm"}


def test_every_alarm_is_told_to_the_topic_and_so_is_its_end(alarms: Resources, composites: Resources) -> None:
    parts = {
        name for alarm in composites.values() for name in re.findall(r"\$\{(\w+)\}", alarm["AlarmRule"]["Fn::Sub"])
    }
    assert parts <= alarms.keys()
    for name, alarm in (alarms | composites).items():
        told = [] if name in parts else [{"Ref": "AlarmsTopic"}]
        assert alarm.get("AlarmActions", []) == alarm.get("OKActions", []) == told, name
    for name, alarm in alarms.items():
        missing = "breaching" if name == "CanaryAlarm" else "notBreaching"  # a service that nobody uses is well
        assert alarm["TreatMissingData"] == missing, name


def test_every_alarm_leads_to_an_entry_of_the_runbook(alarms: Resources, composites: Resources) -> None:
    lines = (ROOT / "docs/operations.md").read_text().splitlines()
    headings = [line.lstrip("# ").lower() for line in lines if line.startswith("#")]
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading).replace(" ", "-") for heading in headings}
    operations = read_yaml((ROOT / "operations.yaml").read_text())["Resources"]
    stops = {name: item["Properties"] for name, item in operations.items() if item["Type"] == "AWS::CloudWatch::Alarm"}
    assert len(stops) == 3
    for name, alarm in (alarms | composites | stops).items():
        found = re.search(r"docs/operations\.md#([a-z0-9-]+)", alarm["AlarmDescription"])
        assert found, name
        assert found[1] in anchors, f"{name}: docs/operations.md has no heading for #{found[1]}"


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
    sweeper = {"Operations"}  # the nested template that has it
    assert {name for space, metric, name in seen if (space, metric) == ("AWS/Lambda", "Errors")} == fed | sweeper
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
        for metric in ("Errors", "Throttles", "Duration"):
            assert f'["AWS/Lambda", "{metric}", "FunctionName", "<{function}>"]' in text
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
    written = set(re.findall(r'(?:add_metric|single_metric|_count)\("(\w+)"', source))
    canary = (ROOT / "operations/canary.py").read_text()
    written |= {f"Canary{way}{what}" for way in set(re.findall(r'"(\w+)": a[ts]_', canary))
                for what in re.findall(r"Canary\{name\}(\w+)", canary)}  # fmt: skip
    assert shown | alarmed <= written
    assert alarmed


def test_metrics_of_our_own_are_those_of_this_stack_alone(
    monitoring: dict[str, Any], alarms: Resources, document: dict[str, Any]
) -> None:
    variables = document["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}
    ours = {name: alarm["Dimensions"] for name, alarm in alarms.items() if alarm.get("Namespace") == "Cutout"}
    for name, dimensions in ours.items():
        assert {"Name": "service", "Value": {"Ref": "AWS::StackName"}} in dimensions, name
    shown = [
        metric
        for widget in dashboard(monitoring)["widgets"]
        for metric in widget["properties"]["metrics"]
        if metric[0] == telemetry.NAMESPACE
    ]
    assert {tuple(metric[2:4]) for metric in shown} == {("service", "<AWS::StackName>")}
