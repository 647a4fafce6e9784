"""``make deploy-container``: the HTTP container on Fargate, beside a deployed stack (container.yaml)."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deploy import ROOT, DeployError
from deploy.parameters import declared, resolve
from deploy.up import SAM, Ask, run, stack_parameters

TEMPLATE = ROOT / "container.yaml"
IMPORTED = ("AccountsTable", "JobsTable", "UploadsBucket", "ResultsBucket", "JobsQueue")
"""Outputs of the main stack that are parameters of this one."""
SHARED = ("RemoveTimeout", "Synchronous", "LegacyKeys", "OpenAccount", "KeyGrace", "LogLevel", "LogRetention")
"""Parameters that begin with the main stack's values."""
LEAST_ZONES = 2
"""Availability zones that an Application Load Balancer wants (its user guide, "Availability Zones")."""


@dataclass(frozen=True, slots=True)
class ContainerPlan:
    """What will be deployed.

    Attributes:
        stack: Name of the stack.
        region: AWS region.
        model: Row of the manifest, which the main stack runs, too.
        parameters: Every parameter of the template and its value, ``ImageDigest`` left out.
    """

    stack: str
    region: str
    model: str
    parameters: Mapping[str, str]


def plan_container(session: boto3.Session, main: str, given: Mapping[str, str], ask: Ask) -> ContainerPlan:
    """Find out what to deploy, without changing anything.

    Args:
        session: Credentials and region.
        main: Name of the main stack.
        given: Parameters of the command line.
        ask: Asks the operator for the certificate, where nothing else tells.

    Returns:
        The plan.

    Raises:
        DeployError: Something is missing or does not fit; nothing was changed.
    """
    if session.region_name is None:
        raise DeployError("No AWS region is set: answer the question, or set AWS_REGION.")
    try:
        outputs = _outputs(session, main)
        of_main = stack_parameters(session, main)
        before = stack_parameters(session, f"{main}-container")
        known = {name: value for name, value in before.items() if name in declared(TEMPLATE)}
        network = {} if "Vpc" in {**known, **given} else _default_network(session)
    except (BotoCoreError, ClientError) as error:
        raise DeployError(
            f"AWS cannot be asked: {error}. Credentials come from the shell (AWS_PROFILE, `aws sso login`)."
        ) from error
    shared = {name: of_main[name] for name in SHARED if name in of_main}
    answers = {}
    if "CertificateArn" not in {**known, **given}:
        answers["CertificateArn"] = ask(f"ACM certificate of the domain, its ARN in {session.region_name}", "")
    imported = {name: outputs[name] for name in IMPORTED}
    values = _resolved(shared, network, known, answers, given, imported)
    _check_certificate(session, values["CertificateArn"])
    return ContainerPlan(f"{main}-container", session.region_name, of_main.get("Model") or "cutout-s", values)


def push_image(session: boto3.Session, wanted: ContainerPlan) -> str:
    """Build the image and push it into the account's ECR, whose repository is made where there is none.

    Returns:
        The digest under which ECR has it.

    Raises:
        DeployError: A step failed; Docker has said why.
    """
    ecr: Any = session.client("ecr")
    address = _repository(ecr, wanted.parameters["Repository"])
    image = f"{address}:latest"
    run(sys.executable, "tools/fetch_model.py", wanted.model)
    run("docker", "build", "--target", "server", "--build-arg", f"MODEL={wanted.model}", "--tag", image, ".")
    (token,) = ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(token["authorizationToken"]).decode().partition(":")
    login = ["docker", "login", "--username", user, "--password-stdin", address.partition("/")[0]]
    done = subprocess.run(login, input=password, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise DeployError(f"docker login failed: {done.stderr.strip()}")
    run("docker", "push", image)
    return _digest(image, address)


def deploy_container(wanted: ContainerPlan, digest: str, *, confirmed: bool) -> None:
    """Deploy container.yaml.

    Args:
        wanted: What to deploy.
        digest: Of the pushed image.
        confirmed: Apply the change set without asking.

    Raises:
        DeployError: It failed; SAM has said why.
    """
    values = {**wanted.parameters, "ImageDigest": digest}
    run(
        *(str(SAM), "deploy", "--template-file", str(TEMPLATE), "--config-env", "container"),
        *("--stack-name", wanted.stack, "--region", wanted.region),
        *(("--no-confirm-changeset",) if confirmed else ()),
        "--parameter-overrides",
        *(f"{name}={json.dumps(value)}" for name, value in sorted(values.items())),
    )


def _resolved(*layers: Mapping[str, str]) -> dict[str, str]:
    """Lay values over each other; what has no default must be given."""
    parameters = {name: item for name, item in declared(TEMPLATE).items() if name != "ImageDigest"}
    layers = tuple({name: value for name, value in layer.items() if name != "ImageDigest"} for layer in layers)
    given = {name for layer in layers for name in layer}
    missing = [name for name, item in parameters.items() if "Default" not in item and name not in given]
    if missing:
        raise DeployError(f"PARAMETERS must name {', '.join(missing)}.")
    return resolve({name: {"Default": "", **item} for name, item in parameters.items()}, *layers)


def _outputs(session: boto3.Session, main: str) -> dict[str, str]:
    formation: Any = session.client("cloudformation")
    try:
        (found,) = formation.describe_stacks(StackName=main)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            raise DeployError(f"There is no stack {main}, beside which the container works: `make deploy`.") from error
        raise
    outputs = {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])}
    if not set(IMPORTED) <= outputs.keys():
        raise DeployError(f"The stack {main} has no output {min(set(IMPORTED) - outputs.keys())}: is it Cutout's?")
    return outputs


def _check_certificate(session: boto3.Session, arn: str) -> None:
    acm: Any = session.client("acm")
    try:
        status = acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"]
    except ClientError as error:
        raise DeployError(f"ACM has no certificate {arn} in {session.region_name}: {error}") from error
    if status != "ISSUED":
        raise DeployError(f"The certificate {arn} is {status}: a load balancer takes it once it is ISSUED.")


def _default_network(session: boto3.Session) -> dict[str, str]:
    """The region's default VPC and one of its subnets a zone, which are public."""
    ec2: Any = session.client("ec2")
    own = [{"Name": "is-default", "Values": ["true"]}]
    vpcs = ec2.describe_vpcs(Filters=own)["Vpcs"]
    if not vpcs:
        raise DeployError("The region has no default VPC: PARAMETERS must name Vpc, VpcCidr and the subnets.")
    vpc = vpcs[0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    zones = {item["AvailabilityZone"]: item["SubnetId"] for item in subnets if item["DefaultForAz"]}
    if len(zones) < LEAST_ZONES:
        raise DeployError(f"{vpc} has default subnets in {len(zones)} zones, and a load balancer wants two.")
    places = ",".join(sorted(zones.values()))
    return {
        "Vpc": vpc,
        "VpcCidr": vpcs[0]["CidrBlock"],
        "BalancerSubnets": places,
        "TaskSubnets": places,
        "AssignPublicIp": "ENABLED",
    }


def _repository(ecr: Any, name: str) -> str:
    """Address of the repository; its images are scanned when they are pushed."""
    try:
        (found,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    except ecr.exceptions.RepositoryNotFoundException:
        found = ecr.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": True})[
            "repository"
        ]
    return str(found["repositoryUri"])


def _digest(image: str, address: str) -> str:
    """The digest that a push has given an image."""
    command = ["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", image]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    names: Sequence[str] = json.loads(done.stdout) if done.returncode == 0 else []
    for name in names:
        if re.fullmatch(re.escape(address) + r"@sha256:[0-9a-f]{64}", name):
            return name.partition("@")[2]
    raise DeployError(f"{image} has no digest although it was pushed: {done.stderr.strip()}")
