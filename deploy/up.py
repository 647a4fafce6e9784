"""``make deploy``: check, choose parameters, ask at most three questions, and run ``sam deploy``."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cutout.imaging.models.manifest import load_manifest
from deploy import ROOT, DeployError
from deploy.names import check_stack_name
from deploy.parameters import Environment, declared, resolve
from deploy.preflight import Account, fitting, problems, read_account, warnings
from deploy.revision import built_image_id, revision
from deploy.sizing import size_for

Ask = Callable[[str, str], str]
"""Asks a person: a question and its default, to the answer."""
SAM = ROOT / ".venv-sam/bin/sam"
_DEAD = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"}
"""States of a stack that can only be deleted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be deployed.

    Attributes:
        stack: Name of the stack.
        region: AWS region.
        parameters: Every parameter of the template and its value, ``Revision`` left out.
        warnings: What the operator should know, a sentence each.
    """

    stack: str
    region: str
    parameters: Mapping[str, str]
    warnings: tuple[str, ...]


def plan(environment: Environment, session: boto3.Session, model: str, given: Mapping[str, str], ask: Ask) -> Plan:
    """Find out what to deploy, without changing anything.

    Values come, weakest first, from the template, the account's limits, the model, the stack as it is, samconfig.toml,
    the answers, and the command line.

    Args:
        environment: Part of samconfig.toml.
        session: Credentials and region.
        model: Row of the manifest; empty for that of the stack, or the default one.
        given: Parameters of the command line.
        ask: Asks the operator what nothing else tells.

    Returns:
        The plan, whose parameters fit the account and the model.

    Raises:
        DeployError: Something does not fit; nothing was changed.
    """
    region = session.region_name
    if region is None:
        raise DeployError("No AWS region is set: answer the question, or set AWS_REGION.")
    check_stack_name(environment.stack, region)
    account = _account(session)
    before = stack_parameters(session, environment.stack)
    parameters = declared()
    known = {name: value for name, value in before.items() if name in parameters and name != "Revision"}
    chosen = model or known.get("Model", "") or parameters["Model"]["Default"]
    sizing = size_for(load_manifest(ROOT / "models").select(chosen))
    fits = {**fitting(account), **sizing.parameters(), "Model": chosen}
    if known.get("Model", chosen) != chosen:
        known = {name: value for name, value in known.items() if name not in {*sizing.parameters(), "Model"}}
    fixed = {**environment.overrides, **given, **({"Model": chosen} if model else {})}
    answers = {} if before or "AlarmEmail" in fixed else {"AlarmEmail": _alarm_email(environment, ask)}
    values = resolve(parameters, fits, known, answers, fixed)
    del values["Revision"]
    wrong = problems(account, values)
    if int(values["RemoveMemory"]) < load_manifest(ROOT / "models").select(chosen).peak_mb:
        wrong.append(f"{chosen} needs RemoveMemory={sizing.memory_mb}.")
    if wrong:
        raise DeployError("\n".join(wrong))
    said = list(warnings(account, values))
    if values["Synchronous"] == "false":
        said.append(
            f"{chosen} takes about {sizing.inference_s:.0f} s at {values['RemoveMemory']} MB, too long for "
            "API Gateway's 300 s: images are made as jobs (POST /v2/jobs, Prefer: respond-async, the uploads bucket)."
        )
    return Plan(environment.stack, region, values, tuple(said))


def build(plan: Plan) -> str:
    """Fetch the model and run ``sam build``.

    Returns:
        Docker's id of the image.

    Raises:
        DeployError: The model cannot be fetched, or the build failed.
    """
    run(sys.executable, "tools/fetch_model.py", plan.parameters["Model"])
    used = (f"{name}={plan.parameters[name]}" for name in ("Model", "BaseImage"))
    run(str(SAM), "build", "--parameter-overrides", *used)
    return built_image_id()


def region_of(session: boto3.Session, environment: Environment, ask: Ask) -> str | None:
    """The region to deploy to: samconfig.toml's, the shell's or the profile's, or the answer to a question, if any."""
    return environment.region or session.region_name or ask("AWS region, such as us-east-1", "") or None


def deploy(plan: Plan, environment: Environment, image_id: str, *, confirmed: bool) -> None:
    """Run ``sam deploy`` with all parameters.

    Args:
        plan: What to deploy.
        environment: Its part of samconfig.toml.
        image_id: Docker's id of the built image.
        confirmed: Apply the change set without asking, whatever samconfig.toml says.

    Raises:
        DeployError: It failed; SAM has said why.
    """
    values = {**plan.parameters, "Revision": revision(image_id, plan.parameters)}
    command = [
        *(str(SAM), "deploy", "--config-env", environment.name, "--stack-name", plan.stack, "--region", plan.region),
        *(("--no-confirm-changeset",) if confirmed else ()),
        "--parameter-overrides",
        *(
            f"{name}={json.dumps(value)}" for name, value in sorted(values.items())
        ),  # an empty one too: SAM would keep the old
    ]
    run(*command)


def run(*command: str) -> None:
    """Run a command of the repository with its output on the terminal.

    Raises:
        DeployError: It failed, and has said why.
    """
    if subprocess.run(command, cwd=ROOT, check=False, env=os.environ | {"SAM_CLI_TELEMETRY": "0"}).returncode != 0:
        tool = " ".join(command[:2]).removeprefix(f"{SAM.parent}/")
        raise DeployError(f"{tool} failed; docs/operations.md#a-deployment-that-fails names the usual reasons.")


def stack_parameters(session: boto3.Session, stack: str) -> dict[str, str]:
    """Read the parameters of a stack as it is; empty where there is none.

    Raises:
        DeployError: The stack is a ruin that must be deleted first, or is being changed.
    """
    try:
        (found,) = session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return {}
        raise
    status = found["StackStatus"]
    if status in _DEAD:
        raise DeployError(f"The stack {stack} is in {status}: `make destroy` removes it, then deploy again.")
    if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        raise DeployError(f"The stack {stack} is in {status}: wait until that has ended.")
    if status == "REVIEW_IN_PROGRESS":  # a change set was made and never applied
        return {}
    return {item["ParameterKey"]: item["ParameterValue"] for item in found.get("Parameters", [])}


def asking(question: str, default: str) -> str:
    """Ask on the terminal; where there is none, take the default."""
    if not sys.stdin.isatty():
        return default
    answer = input(f"{question} [{default or 'none'}]: ").strip()
    return answer or default


def _alarm_email(environment: Environment, ask: Ask) -> str:
    answer = ask("Whom shall alarms be mailed to?", os.environ.get("ALARM_EMAIL", ""))
    if not answer and environment.name == "prod":
        raise DeployError("Nobody would hear of alarms: set ALARM_EMAIL, or PARAMETERS=AlarmEmail= to go without.")
    if answer and not re.fullmatch(r"[^@ ]+@[^@ ]+", answer):
        raise DeployError(f"{answer} is no mail address.")
    return answer


def _account(session: boto3.Session) -> Account:
    client: Any = session.client
    try:
        client("sts").get_caller_identity()
        return read_account(client("lambda"), client("apigateway"))
    except (BotoCoreError, ClientError) as error:
        raise DeployError(
            f"AWS cannot be asked: {error}. Credentials come from the shell (AWS_PROFILE, `aws sso login`)."
        ) from error
