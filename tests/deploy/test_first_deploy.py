"""`make deploy` against a stand-in of an account, over HTTP as the command line does it; the transcript is in docs."""

import os
import subprocess
import sys

import pytest

from local import ROOT
from local.cloud import aws_environment


@pytest.fixture(scope="module")
def account():
    """The environment of a shell whose AWS is the stand-in of a new account."""
    command = [sys.executable, "-m", "tests.deploy.stand_in_aws"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ALARM_"))}
            yield {**kept, **aws_environment(process.stdout.readline().strip())}
        finally:
            process.terminate()


def deploy(account, *arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", "deploy", *arguments],
        cwd=ROOT,
        env={**account, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_new_account_is_shown_what_it_would_get_and_what_it_lacks(account):
    done = deploy(account, "check")
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(None, 1) for line in done.stdout.splitlines()[1:])
    assert done.stdout.startswith("cutout-dev in us-east-1\n")
    assert (lines["UploadConcurrency"], lines["WebhookConcurrency"]) == ("2", "2")
    assert lines["ManageGatewayLogging"] == "true"
    assert "runs 10 Lambda executions" in done.stderr


def test_prod_wants_somebody_to_hear_of_alarms_before_anything_is_built(account):
    silent = deploy(account, "check", "--config", "prod")
    assert (silent.returncode, silent.stdout) == (1, "")
    assert "set ALARM_EMAIL" in silent.stderr
    told = deploy(account, "check", "--config", "prod", ALARM_EMAIL="ops@example.com")
    assert "DeploymentType          Canary10Percent5Minutes" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "UploadConcurrency=20"], "the queues would starve the API"),
        (["check", "--stack", "Cutout"], "The stack cannot be called Cutout"),
        (["rollback"], "cutout-dev"),
        (["destroy", "--yes", "cutout-dev"], "There is no stack cutout-dev here"),
        (["check", "--model", "nope"], "no model 'nope'"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(account, arguments, said):
    done = deploy(account, *arguments)
    assert done.returncode == 1, done.stdout
    assert said in done.stderr
    assert "Traceback" not in done.stderr
