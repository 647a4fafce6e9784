"""What `make deploy-container` decides before it builds anything, and what it hands to Docker and SAM."""

import base64
import json
import subprocess

import pytest
from moto import settings

from deploy import DeployError, container_stack
from deploy.container_stack import IMPORTED, deploy_container, plan_container, push_image

OUTPUTS = {
    **{name: name.lower() for name in IMPORTED},
    "JobsQueue": "https://sqs.us-east-1.amazonaws.com/123456789012/jobs",
}
DIGEST = "sha256:" + "0123456789abcdef" * 4


def main_stack(cloud, outputs=OUTPUTS, **parameters):
    template = {
        "Parameters": {name: {"Type": "String"} for name in parameters},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    cloud.session.client("cloudformation").create_stack(
        StackName="cutout-dev",
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )


@pytest.fixture(autouse=True)
def certificates_are_issued_at_once(monkeypatch):
    monkeypatch.setattr(settings, "ACM_VALIDATION_WAIT", -1)


def decide(cloud, **given):
    arn = cloud.session.client("acm").request_certificate(DomainName="api.example.com")["CertificateArn"]
    return plan_container(cloud.session, "cutout-dev", {"CertificateArn": arn, **given}, cloud.ask)


def test_a_certificate_that_is_not_there_or_not_issued_is_refused(cloud, monkeypatch):
    main_stack(cloud)
    with pytest.raises(DeployError, match="ACM has no certificate"):
        decide(cloud, CertificateArn="arn:aws:acm:us-east-1:123456789012:certificate/none")
    monkeypatch.setattr(settings, "ACM_VALIDATION_WAIT", 600)
    with pytest.raises(DeployError, match="is PENDING_VALIDATION"):
        decide(cloud)


def test_all_but_the_certificate_is_found(cloud):
    main_stack(cloud, LogLevel="DEBUG", Model="u2netp", StageName="dev")
    wanted = decide(cloud)
    assert cloud.asked == []
    assert (wanted.stack, wanted.region, wanted.model) == ("cutout-dev-container", "us-east-1", "u2netp")
    assert {name: wanted.parameters[name] for name in IMPORTED} == OUTPUTS
    assert wanted.parameters["LogLevel"] == "DEBUG"
    assert wanted.parameters["VpcCidr"] == "172.31.0.0/16"
    assert len(wanted.parameters["TaskSubnets"].split(",")) >= 2
    assert wanted.parameters["AssignPublicIp"] == "ENABLED"
    assert "ImageDigest" not in wanted.parameters


def test_the_certificate_is_the_one_question_and_no_answer_is_refused(cloud):
    main_stack(cloud)
    with pytest.raises(DeployError, match="CertificateArn cannot be ''"):
        plan_container(cloud.session, "cutout-dev", {}, cloud.ask)
    assert cloud.asked == ["ACM certificate of the domain, its ARN in us-east-1"]


def test_without_the_main_stack_there_is_nothing_to_stand_beside(cloud):
    with pytest.raises(DeployError, match=r"no stack cutout-dev, .*make deploy"):
        decide(cloud)


def test_a_stack_of_another_kind_is_refused(cloud):
    main_stack(cloud, {"Other": "x"})
    with pytest.raises(DeployError, match="no output AccountsTable"):
        decide(cloud)


def test_a_region_without_a_default_vpc_asks_for_a_network(cloud):
    main_stack(cloud)
    ec2 = cloud.session.client("ec2")
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    with pytest.raises(DeployError, match="wants two"):
        decide(cloud)
    ec2.delete_vpc(VpcId=ec2.describe_vpcs()["Vpcs"][0]["VpcId"])
    with pytest.raises(DeployError, match="must name Vpc"):
        decide(cloud)


def test_a_vpc_that_is_named_needs_its_subnets(cloud):
    main_stack(cloud)
    with pytest.raises(DeployError, match="must name VpcCidr, BalancerSubnets, TaskSubnets"):
        decide(cloud, Vpc="vpc-1")


def test_the_image_is_pushed_and_deployed_by_its_digest(cloud, monkeypatch):
    main_stack(cloud)
    wanted = decide(cloud)
    ran, address = [], "123456789012.dkr.ecr.us-east-1.amazonaws.com/cutout"

    def docker(command, **more):
        ran.append(tuple(command))
        return subprocess.CompletedProcess(command, 0, json.dumps([f"{address}@{DIGEST}"]), "")

    monkeypatch.setattr(container_stack, "run", lambda *command: ran.append(command))
    monkeypatch.setattr(container_stack.subprocess, "run", docker)
    assert push_image(cloud.session, wanted) == DIGEST
    names = [item["repositoryName"] for item in cloud.session.client("ecr").describe_repositories()["repositories"]]
    assert names == ["cutout"]
    assert [command[:2] for command in ran if command[0] == "docker"] == [
        ("docker", word) for word in ("build", "login", "push", "image")
    ]
    token = cloud.session.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    secret = base64.b64decode(token).decode().partition(":")[2]
    assert not any(secret in word for command in ran for word in command), "no password on a command line"
    deploy_container(wanted, DIGEST, confirmed=True)
    assert f'ImageDigest="{DIGEST}"' in ran[-1]
    assert f'CertificateArn="{wanted.parameters["CertificateArn"]}"' in ran[-1]


def test_an_image_without_a_digest_of_the_registry_is_not_deployed(cloud, monkeypatch):
    main_stack(cloud)
    wanted = decide(cloud)
    monkeypatch.setattr(container_stack, "run", lambda *_: None)
    nothing = subprocess.CompletedProcess([], 0, "[]", "")
    monkeypatch.setattr(container_stack.subprocess, "run", lambda *_, **__: nothing)
    with pytest.raises(DeployError, match="no digest"):
        push_image(cloud.session, wanted)
