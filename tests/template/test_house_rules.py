"""Rules of this repository that no public linter knows."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from cutout.accounts import PLANS, new_account_id
from cutout.aws import telemetry
from cutout.imaging.models.manifest import load_manifest
from cutout.settings import Settings
from local import ROOT
from local.resources import Template
from local.template import ACCOUNT, REGION, load_template

Resources = dict[str, dict[str, Any]]


def of_type(resources: Resources, kind: str) -> Resources:
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}


def functions(document: dict[str, Any]) -> Resources:
    return of_type(document["Resources"], "AWS::Serverless::Function")


def test_every_function_writes_to_a_log_group_with_retention(document: dict[str, Any]) -> None:
    groups = of_type(document["Resources"], "AWS::Logs::LogGroup")
    assert all(group["Properties"]["RetentionInDays"] == {"Ref": "LogRetention"} for group in groups.values())
    used = [function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"] for function in functions(document).values()]
    assert len(used) == len(set(used)), "each function has a log group of its own"
    assert {*used, "ApiLogGroup"} == set(groups)


def test_zip_functions_have_one_runtime_and_it_is_that_of_layer_and_image(document: dict[str, Any]) -> None:
    zips = [f["Properties"] for f in functions(document).values() if f["Properties"].get("PackageType") != "Image"]
    layer = document["Resources"]["CutoutLayer"]
    runtimes = {zip_function["Runtime"] for zip_function in zips}
    assert runtimes == set(layer["Properties"]["CompatibleRuntimes"])
    (runtime,) = runtimes
    version = runtime.removeprefix("python")
    build = (ROOT / "layers/cutout/Makefile").read_text()
    assert layer["Metadata"]["BuildMethod"] == "makefile"
    assert f"\n\tpython{version} -m pip install " in build
    assert f"--python-version {version} " in build
    assert f"python:{runtime.removeprefix('python')}\n" in (ROOT / "Dockerfile").read_text()
    assert document["Globals"]["Function"]["Architectures"] == layer["Properties"]["CompatibleArchitectures"]


def test_every_function_exists_as_code_and_is_reached(template: Template) -> None:
    reached = {route.function for route in template.routes} | {source.function for source in template.sources.values()}
    assert reached == set(template.functions)
    for function in template.functions.values():
        module = Path(*function.module.split(".")).with_suffix(".py")
        source = function.folder / module
        assert f"\n{function.attribute} = " in source.read_text()


def test_a_queue_hides_a_message_for_six_timeouts_of_its_function(document: dict[str, Any]) -> None:
    for timeout in document["Parameters"]["UploadTimeout"]["AllowedValues"]:
        template = load_template(ROOT / "template.yaml", {"UploadTimeout": str(timeout)})
        for source in template.sources.values():
            function, queue = template.functions[source.function], template.queues[source.queue]
            assert queue.visibility_s == 6 * function.timeout_s
            assert source.partial
            assert source.concurrency > 0


def test_what_a_queue_gives_up_is_kept_longest_in_its_dead_letter_queue(template: Template) -> None:
    arns = {f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.name}": queue for queue in template.queues.values()}
    for source in template.sources.values():
        queue = template.queues[source.queue]
        assert queue.max_receives >= 5
        assert arns[queue.dead_letter_arn].retention_s == 14 * 24 * 3600 > queue.retention_s


def test_every_variable_is_one_that_the_settings_read(document: dict[str, Any]) -> None:
    source = (ROOT / "layers/cutout/cutout/settings.py").read_text()
    known = set(re.findall(r'env(?:\.get\(|, )"(CUTOUT_\w+)"', source))
    given = {
        name
        for function in functions(document).values()
        for name in function["Properties"]["Environment"]["Variables"]
        if name.startswith("CUTOUT_")
    }
    in_image = set(re.findall(r"(CUTOUT_\w+)=", (ROOT / "Dockerfile").read_text()))
    assert given | in_image <= known
    names = {name for name in known if name.endswith(("_TABLE", "_BUCKET", "_QUEUE_URL", "_FUNCTION"))}
    assert names <= given, "a name that the settings read and no function is given"


@pytest.mark.parametrize("name", ["ORT_DISABLE_TELEMETRY", "OPENBLAS_NUM_THREADS"])
def test_the_model_runtime_does_not_report_its_use_and_numpy_has_no_waiting_threads(
    name: str, template: Template
) -> None:
    for function in template.functions.values():
        assert function.package == "Zip" or function.environment[name] == "1"
    assert f" {name}=1" in (ROOT / "Dockerfile").read_text()


def test_defaults_agree_with_settings_and_manifest(document: dict[str, Any]) -> None:
    parameters = document["Parameters"]
    default = load_manifest(ROOT / "models").default
    assert parameters["Model"]["Default"] == default
    assert f"ARG MODEL={default}\n" in (ROOT / "Dockerfile").read_text()
    assert re.fullmatch(parameters["Model"]["AllowedPattern"], default)
    assert parameters["LegacyKeys"]["Default"] == str(Settings().legacy_keys).lower()
    assert parameters["OpenAccount"]["Default"] == Settings().open_account == ""
    assert parameters["PublicUrl"]["Default"] == Settings().public_url == ""
    assert re.fullmatch(parameters["OpenAccount"]["AllowedPattern"], new_account_id())
    assert parameters["KeyGrace"]["Default"] == Settings().key_grace_s
    namespace = document["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"]
    assert namespace == telemetry.NAMESPACE


def test_every_model_of_the_manifest_can_be_asked_for(document: dict[str, Any]) -> None:
    pattern = document["Parameters"]["Model"]["AllowedPattern"]
    assert [name for name in load_manifest(ROOT / "models").models if not re.fullmatch(pattern, name)] == []


def test_times_fit_into_each_other(document: dict[str, Any]) -> None:
    gateway_s = 29  # API Gateway: default integration timeout of a REST API
    silence_s = 300  # and the longest that a stream of a regional one may pause
    behind_gateway = [function["Properties"] for function in functions(document).values()]
    timeouts = [function["Timeout"] for function in behind_gateway if "Events" in function]
    removal = document["Parameters"]["RemoveTimeout"]["AllowedValues"]
    assert max(removal) <= silence_s
    waits = document["Mappings"]["Integrations"]
    assert {int(timeout): wait["Milliseconds"] for timeout, wait in waits.items()} == {s: 1000 * s for s in removal}
    assert all(timeout <= gateway_s for timeout in timeouts if isinstance(timeout, int))
    assert Settings().url_timeout_s < min(removal)


def test_what_answers_with_images_streams_and_nothing_else_does(
    document: dict[str, Any], stack: dict[str, Any]
) -> None:
    streaming = {
        (path, method)
        for path, methods in stack["Resources"]["Api"]["Properties"]["Body"]["paths"].items()
        for method, operation in methods.items()
        if operation["x-amazon-apigateway-integration"].get("responseTransferMode") == "STREAM"
    }
    events = functions(document)["RemoveBackgroundFunction"]["Properties"]["Events"].values()
    routes = {(event["Properties"]["Path"], event["Properties"]["Method"]) for event in events}
    assert streaming == {(path, "x-amazon-apigateway-any-method" if m == "ANY" else m.lower()) for path, m in routes}


def test_everything_expires_after_a_day_but_what_was_opted_in(template: Template) -> None:
    expiring = {
        (name, rule["Prefix"]): rule["ExpirationInDays"]
        for name, bucket in template.buckets.items()
        for rule in bucket.lifecycle
        if "ExpirationInDays" in rule
    }
    assert expiring == {("ResultsBucket", ""): 1, ("UploadsBucket", "uploads/"): 1, ("UploadsBucket", "direct/"): 1}
    assert max(Settings().result_url_s, Settings().upload_url_s) < 24 * 3600


def test_only_uploads_are_told_to_the_queue(template: Template) -> None:
    told = {name: bucket.notifications for name, bucket in template.buckets.items() if bucket.notifications}
    (notification,) = told.pop("UploadsBucket")
    assert told == {}, "results would be worked on again"
    assert notification.rules == (("prefix", "uploads/"),)
    assert notification.queue_arn.endswith(template.queues["JobsQueue"].name)


def test_parameters_are_described_and_bounded(document: dict[str, Any]) -> None:
    for name, parameter in document["Parameters"].items():
        assert parameter["Description"], name
        assert "Default" in parameter, name
        if parameter["Type"] == "Number":
            assert "AllowedValues" in parameter or {"MinValue", "MaxValue"} <= parameter.keys(), name
        else:
            assert "AllowedValues" in parameter or "AllowedPattern" in parameter, name


def test_access_log_lines_are_json_without_headers_or_query(document: dict[str, Any]) -> None:
    api = document["Resources"]["Api"]["Properties"]
    line = json.loads(api["AccessLogSetting"]["Format"])
    assert line["request_id"] == "req_$context.requestId"
    text = json.dumps(line).lower()
    assert all(word not in text for word in ("header", "query", "apikey", "authorizer", "$context.path"))
    assert [setting["LoggingLevel"] for setting in api["MethodSettings"]] == ["OFF"]
    assert [setting["DataTraceEnabled"] for setting in api["MethodSettings"]] == [False]


@pytest.mark.parametrize("name", ["default", "staging", "prod"])
def test_samconfig_sets_parameters_that_exist_to_values_that_are_allowed(document: dict[str, Any], name: str) -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    deploy = config[name]["deploy"]["parameters"]
    assert deploy["capabilities"] == ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    for override in deploy["parameter_overrides"]:
        key, _, value = override.partition("=")
        parameter = document["Parameters"][key]
        if "AllowedValues" in parameter:
            assert value in map(str, parameter["AllowedValues"]), override
        elif parameter["Type"] == "Number":
            assert parameter["MinValue"] <= int(value) <= parameter["MaxValue"], override
        else:
            assert re.fullmatch(parameter["AllowedPattern"], value), override


@pytest.mark.parametrize("name", ["default", "staging", "prod"])
def test_the_gateway_lets_through_what_every_plan_promises(document: dict[str, Any], name: str) -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    overrides = dict(text.split("=", 1) for text in config[name]["deploy"]["parameters"]["parameter_overrides"])
    rate, burst = (
        int(overrides.get(parameter, document["Parameters"][parameter]["Default"]))
        for parameter in ("ThrottleRate", "ThrottleBurst")
    )
    assert burst >= rate > max(plan.requests_per_second for plan in PLANS.values())


def test_production_moves_traffic_by_and_by() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())["prod"]["deploy"]["parameters"]
    assert "DeploymentType=Canary10Percent5Minutes" in config["parameter_overrides"]
    assert config["confirm_changeset"] is True


def test_samconfig_holds_no_account_number() -> None:
    assert re.search(r"\d{12}", (ROOT / "samconfig.toml").read_text()) is None


def test_the_stage_in_a_url_is_called_as_its_environment(document: dict[str, Any]) -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    for name, stage in (("default", "dev"), ("staging", "staging"), ("prod", "prod")):
        given = dict(text.split("=", 1) for text in config[name]["deploy"]["parameters"]["parameter_overrides"])
        assert given.get("StageName", document["Parameters"]["StageName"]["Default"]) == stage
