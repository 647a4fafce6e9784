"""What `make deploy` decides before it builds anything."""

import json
from dataclasses import replace

import pytest

from deploy import DeployError
from deploy.parameters import Environment, declared, pairs, read_environment, resolve
from deploy.up import plan, region_of

DEV = Environment("default", "cutout-dev", None, {"LogLevel": "DEBUG"})


def stack(cloud, **values):
    """A stack of this name and these parameters, as an earlier deployment left it."""
    template = {
        "Parameters": {name: {"Type": "String"} for name in values},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
    }
    cloud.session.client("cloudformation").create_stack(
        StackName=DEV.stack,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
    )


def decide(cloud, model="", environment=DEV, **given):
    return plan(environment, cloud.session, model, given, cloud.ask)


def test_a_first_deployment_asks_for_the_mail_address_only(cloud):
    decided = decide(cloud)
    assert cloud.asked == ["Whom shall alarms be mailed to?"]
    assert (decided.stack, decided.region) == ("cutout-dev", "us-east-1")
    assert decided.parameters["LogLevel"] == "DEBUG"
    assert decided.warnings == ()


def test_where_no_region_is_set_it_is_the_second_question(cloud, monkeypatch):
    session = type("Session", (), {"region_name": None})()
    assert region_of(session, DEV, lambda *_: "eu-north-1") == "eu-north-1"
    assert region_of(session, DEV, cloud.ask) is None, "nobody is there to answer"
    assert region_of(session, replace(DEV, region="eu-west-1"), cloud.ask) == "eu-west-1"
    assert cloud.asked == ["AWS region, such as us-east-1"]


def test_without_a_region_nothing_is_deployed_anywhere(cloud):
    session = type("Session", (), {"region_name": None})()
    with pytest.raises(DeployError, match="No AWS region"):
        plan(DEV, session, "", {}, cloud.ask)


def test_a_new_account_keeps_half_of_its_ten_executions_for_the_api(cloud):
    cloud.concurrency = 10
    decided = decide(cloud)
    assert (decided.parameters["UploadConcurrency"], decided.parameters["WebhookConcurrency"]) == ("2", "2")
    assert "service-quotas" in " ".join(decided.warnings)


def test_workers_that_would_starve_the_api_are_refused(cloud):
    cloud.concurrency = 10
    with pytest.raises(DeployError, match=r"starve the API. Set both to 2, .* --desired-value 1000"):
        decide(cloud, UploadConcurrency="10")


def test_a_reservation_that_lambda_would_refuse_is_refused_before(cloud):
    cloud.concurrency = 50
    with pytest.raises(DeployError, match="must leave 100"):
        decide(cloud, ReservedConcurrency="10")


def test_the_gateways_logging_role_is_made_where_there_is_none_and_left_alone_where_there_is(cloud):
    assert decide(cloud).parameters["ManageGatewayLogging"] == "true"
    role = "arn:aws:iam::123456789012:role/theirs"
    patch = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
    cloud.session.client("apigateway").update_account(patchOperations=[patch])
    assert decide(cloud).parameters["ManageGatewayLogging"] == "false"


def test_a_stage_that_could_not_log_is_refused(cloud):
    with pytest.raises(DeployError, match="ManageGatewayLogging=true"):
        decide(cloud, ManageGatewayLogging="false")


def test_a_large_model_gets_the_memory_and_the_time_that_it_needs(cloud):
    decided = decide(cloud, "ben2")
    assert decided.parameters["Model"] == "ben2"
    assert [decided.parameters[name] for name in ("RemoveMemory", "RemoveTimeout", "Synchronous")] == [
        "10240",
        "60",
        "true",
    ]
    assert "New accounts may use 3008 MB" in " ".join(decided.warnings)


def test_memory_in_which_the_model_cannot_run_is_refused(cloud):
    with pytest.raises(DeployError, match="ben2 needs RemoveMemory=10240"):
        decide(cloud, "ben2", RemoveMemory="3008")


def test_what_a_stack_was_told_before_stays_and_nobody_is_asked_again(cloud):
    stack(cloud, AlarmEmail="ops@example.com", RemoveMemory="4096", Model="cutout-s", Gone="from an older template")
    decided = decide(cloud)
    assert cloud.asked == []
    assert (decided.parameters["AlarmEmail"], decided.parameters["RemoveMemory"]) == ("ops@example.com", "4096")
    assert decide(cloud, RemoveMemory="5000").parameters["RemoveMemory"] == "5000"


def test_another_model_brings_its_own_memory_and_the_next_deployment_keeps_it(cloud):
    stack(cloud, Model="u2netp", RemoveMemory="3008", AlarmEmail="ops@example.com")
    assert decide(cloud, "isnet-general-use").parameters["RemoveMemory"] == "4246"
    assert decide(cloud).parameters["Model"] == "u2netp"


def test_production_without_anybody_to_hear_of_alarms_is_refused(cloud, monkeypatch):
    prod = Environment("prod", "cutout-prod", None, {})
    with pytest.raises(DeployError, match="ALARM_EMAIL"):
        decide(cloud, environment=prod)
    monkeypatch.setenv("ALARM_EMAIL", "ops@example.com")
    assert decide(cloud, environment=prod).parameters["AlarmEmail"] == "ops@example.com"
    assert decide(cloud, environment=prod, AlarmEmail="").parameters["AlarmEmail"] == ""


def test_a_stack_in_ruins_is_named_before_anything_is_built(cloud, monkeypatch):
    stack(cloud, AlarmEmail="")
    describe = {"Stacks": [{"StackName": DEV.stack, "StackStatus": "ROLLBACK_COMPLETE"}]}
    register = cloud.session.events.register
    register("after-call.cloudformation.DescribeStacks", lambda parsed, **_: parsed.update(describe))
    with pytest.raises(DeployError, match="make destroy"):
        decide(cloud)


def test_a_name_for_which_no_bucket_can_be_is_refused(cloud):
    with pytest.raises(DeployError, match="STACK=cutout would do"):
        decide(cloud, environment=replace(DEV, stack="Cutout"))


@pytest.mark.parametrize(
    ("given", "said"),
    [({"RemoveMemory": "99"}, "RemoveMemory cannot be '99'"), ({"Nope": "1"}, "no parameter Nope")],
)
def test_a_parameter_that_the_template_refuses_is_refused_here(cloud, given, said):
    with pytest.raises(DeployError, match=said):
        decide(cloud, **given)


def test_every_environment_of_samconfig_can_be_read():
    for name in ("default", "staging", "prod"):
        environment = read_environment(name)
        assert environment.stack.startswith("cutout-")
        resolve(declared(), environment.overrides)
    with pytest.raises(DeployError, match="default, staging, prod"):
        read_environment("production")


def test_text_that_is_no_parameter_is_refused():
    assert pairs(["A=b=c", "D="]) == {"A": "b=c", "D": ""}
    with pytest.raises(DeployError, match="write Name=value"):
        pairs(["A"])
