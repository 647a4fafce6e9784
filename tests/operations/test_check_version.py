"""The check before traffic, with the real handlers behind the versions."""

import importlib
import io
import json
from types import SimpleNamespace

import check_version
import pytest
from picture import WrongCutoutError

from tests.support.local_service import LIVE_KEY

VERSIONS = {"REMOVE_VERSION": "remove_background", "UPLOAD_VERSION": "process_upload", "JOBS_VERSION": "jobs"}


class Functions:
    """Lambda's invoke, which runs the handler of that name here; ``answers`` stand in for some."""

    def __init__(self, **answers):
        self.answers = answers

    def invoke(self, FunctionName, Payload):  # noqa: N803 - boto3's names
        event = json.loads(Payload)
        if FunctionName in self.answers:
            answer = self.answers[FunctionName]
        else:
            context = SimpleNamespace(
                get_remaining_time_in_millis=lambda: 29_000,
                function_name=FunctionName,
                memory_limit_in_mb=3008,
                invoked_function_arn=f"arn:aws:lambda:us-east-1:123456789012:function:{FunctionName}:7",
                aws_request_id="3992c417-1461-5d3f-ac67-bc7d3b2d29c0",
            )
            answer = importlib.import_module(f"functions.{FunctionName}.app").handler(event, context)
        failed = {"FunctionError": "Unhandled"} if "errorMessage" in answer else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **failed}


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("key", ["", LIVE_KEY])
def test_versions_that_work_may_have_traffic(key):
    check_version.check(Functions(), VERSIONS, key)


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize(
    ("function", "answer"),
    [
        ("remove_background", {"statusCode": 503, "body": "{}"}),
        ("remove_background", {"errorMessage": "Unable to import module"}),
        ("jobs", {"statusCode": 500, "body": "{}"}),
        ("process_upload", {"batchItemFailures": [{"itemIdentifier": "1"}]}),
    ],
)
def test_a_version_that_does_not_work_may_not(function, answer):
    with pytest.raises(check_version.WrongAnswerError):
        check_version.check(Functions(**{function: answer}), VERSIONS, "")


def test_a_picture_without_a_cutout_ends_the_deployment():
    wrong = {"statusCode": 200, "body": "bm8gcGljdHVyZQ=="}
    with pytest.raises(WrongCutoutError):
        check_version.check(Functions(remove_background=wrong), VERSIONS, LIVE_KEY)


@pytest.mark.parametrize("works", [True, False])
def test_codedeploy_gets_a_verdict_either_way(works, monkeypatch):
    told = []

    def client(_):
        return SimpleNamespace(put_lifecycle_event_hook_execution_status=lambda **verdict: told.append(verdict))

    def check(*_):
        if not works:
            raise check_version.WrongAnswerError

    monkeypatch.setattr(check_version.boto3, "client", client)
    monkeypatch.setattr(check_version, "check", check)
    event = {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}
    if works:
        assert check_version.handler(event, None) == "Succeeded"
    else:
        with pytest.raises(check_version.WrongAnswerError):
            check_version.handler(event, None)
    status = "Succeeded" if works else "Failed"
    assert told == [{"deploymentId": "d-1", "lifecycleEventHookExecutionId": "e-1", "status": status}]
