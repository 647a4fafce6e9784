"""What `sam deploy` is told."""

import json
import subprocess
from types import SimpleNamespace

import pytest

from deploy import DeployError, up
from deploy.parameters import Environment, declared, resolve
from deploy.revision import revision
from deploy.up import SAM, Plan, build, deploy

PROD = Environment("prod", "cutout-prod", None, {})
READ = """
import json, sys
from samcli.cli.types import CfnParameterOverridesType
print(json.dumps(CfnParameterOverridesType().convert(tuple(sys.argv[1:]), None, None)))
"""


@pytest.fixture
def commands(monkeypatch):
    """The commands that are run, which all succeed unless ``status`` says otherwise."""
    seen = SimpleNamespace(run=[], status=0)

    def run(command, **_):
        seen.run.append(command)
        return subprocess.CompletedProcess(command, seen.status)

    monkeypatch.setattr(up, "subprocess", SimpleNamespace(run=run))
    monkeypatch.setattr(up, "built_image_id", lambda: "sha256:1")
    return seen


def planned(**values):
    parameters = resolve(declared(), values)
    del parameters["Revision"]
    return Plan("cutout-prod", "eu-west-1", parameters, ())


def overrides(command):
    return command[command.index("--parameter-overrides") + 1 :]


def test_every_parameter_is_told_so_that_none_keeps_an_older_value(commands):
    wanted = planned(OpenAccount="", AlarmEmail="ops+cutout@example.com")
    deploy(wanted, PROD, "sha256:1", confirmed=True)
    (command,) = commands.run
    assert list(command[:8]) == [
        str(SAM),
        "deploy",
        "--config-env",
        "prod",
        "--stack-name",
        "cutout-prod",
        "--region",
        "eu-west-1",
    ]
    assert "--no-confirm-changeset" in command
    told = dict(text.split("=", 1) for text in overrides(command))
    assert told.keys() == declared().keys()
    assert (told["OpenAccount"], told["RemoveMemory"]) == ('""', '"3008"')
    assert json.loads(told["Revision"]) == revision("sha256:1", wanted.parameters)


@pytest.mark.skipif(not SAM.exists(), reason="aws-sam-cli is not installed: make .venv-sam/sam.stamp")
def test_sam_reads_what_it_is_told(commands):
    wanted = planned(AlarmEmail="ops+cutout@example.com", CertificateArn="arn:aws:acm:x:123456789012:certificate/a-1")
    deploy(wanted, PROD, "sha256:1", confirmed=False)
    read = [SAM.with_name("python"), "-c", READ, *overrides(commands.run[0])]
    found = json.loads(subprocess.run(read, capture_output=True, text=True, check=True).stdout)
    del found["Revision"]
    assert found == wanted.parameters


def test_the_model_of_the_plan_is_fetched_and_built_in(commands):
    assert build(planned(Model="u2netp")) == "sha256:1"
    fetch, sam = commands.run
    assert fetch[1:] == ("tools/fetch_model.py", "u2netp")
    base = "BaseImage=public.ecr.aws/lambda/python:3.13"
    assert sam == (str(SAM), "build", "--parameter-overrides", "Model=u2netp", base)


def test_a_command_that_fails_leads_to_the_runbook(commands):
    commands.status = 1
    with pytest.raises(DeployError, match=r"docs/operations\.md#a-deployment-that-fails"):
        deploy(planned(), PROD, "sha256:1", confirmed=True)
