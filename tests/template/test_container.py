"""container.yaml: the routes of the main stack from Fargate, with the same rights over the same resources."""

import re
from typing import Any

import pytest

from local import ROOT
from local.intrinsics import read_yaml
from local.template import load_template
from server.configuration import Configuration
from tests.template.test_rights import RIGHTS, Right, as_list

LATER = {"CUTOUT_SYNCHRONOUS", "CUTOUT_LEGACY_KEYS", "CUTOUT_KEY_GRACE_S"}
"""Variables that the container passes on to the functions."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return read_yaml((ROOT / "container.yaml").read_text())


@pytest.fixture(scope="module")
def resources(document: dict[str, Any]) -> dict[str, Any]:
    return document["Resources"]


@pytest.fixture(scope="module")
def container(resources: dict[str, Any]) -> dict[str, Any]:
    (definition,) = resources["Task"]["Properties"]["ContainerDefinitions"]
    return definition


def name_of(resource: Any) -> str:
    """A resource as tests/template/test_rights.py calls it."""
    text = resource["Fn::Sub"]
    if isinstance(text, list):
        assert text[1] == {"Name": {"Fn::Select": [4, {"Fn::Split": ["/", {"Ref": "JobsQueue"}]}]}}
        return "JobsQueue"
    name = re.sub(r"^arn:.*?:(?:table/|::|repository/)\$\{(\w+)\}", r"\1", text)
    return name.replace("UploadsBucket", "uploads").replace("ResultsBucket", "results")


def rights(role: dict[str, Any]) -> set[Right]:
    found = set()
    for policy in role["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            condition = statement.get("Condition", {})
            (bound,) = [value["dynamodb:LeadingKeys"] for value in condition.values()] or [[]]
            for action in as_list(statement["Action"]):
                found |= {(action, name_of(place), " ".join(bound)) for place in as_list(statement["Resource"])}
    return found


def test_a_task_has_the_rights_of_the_functions_with_routes_and_no_other(resources: dict[str, Any]) -> None:
    routed = {route.function for route in load_template(ROOT / "template.yaml").routes} - {"HealthFunction"}
    wanted = {right for name in routed for right in RIGHTS[name]}
    wanted -= {("dynamodb:GetItem", "AccountsTable", "KEY#* ACCOUNT#*")}  # the same is in a wider one
    wanted -= {("dynamodb:UpdateItem", "AccountsTable", "KEY#* last_used_day")}
    assert rights(resources["TaskRole"]) >= wanted
    extra = rights(resources["TaskRole"]) - {right for name in routed for right in RIGHTS[name]}
    assert extra == set()


def test_what_fargate_may_do_ends_at_the_image_and_the_log(resources: dict[str, Any]) -> None:
    statements = resources["ExecutionRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert [statement["Action"] for statement in statements if statement["Resource"] == "*"] == [
        "ecr:GetAuthorizationToken"
    ]
    assert {action.partition(":")[0] for statement in statements for action in as_list(statement["Action"])} == {
        "ecr",
        "logs",
    }


def test_the_container_starts_with_these_variables(container: dict[str, Any]) -> None:
    given = {item["Name"]: item["Value"] for item in container["Environment"]}
    texts = {name: value if isinstance(value, str) else "5" for name, value in given.items()}
    configuration = Configuration.from_env(texts)
    assert configuration.resources.keys() < given.keys()
    assert (configuration.key, configuration.open_account) == ("", "5")
    read = (ROOT / "server/configuration.py").read_text()
    assert {name for name in given if name.startswith("CUTOUT_") and f'"{name}"' not in read} == LATER


def test_the_container_is_that_of_the_dockerfile(container: dict[str, Any]) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert f"USER {container['User']}\nVOLUME {container['MountPoints'][0]['ContainerPath']}\n" in dockerfile
    assert f"EXPOSE {container['PortMappings'][0]['ContainerPort']}\n" in dockerfile
    assert '"' + '", "'.join(container["HealthCheck"]["Command"][1:]) + '"' in dockerfile
    assert container["ReadonlyRootFilesystem"] is True
    drain_s = {item["Name"]: item["Value"] for item in container["Environment"]}["CUTOUT_DRAIN_S"]
    assert container["StopTimeout"] > int(drain_s)


def test_nothing_but_the_load_balancer_reaches_a_task_and_it_speaks_tls(resources: dict[str, Any]) -> None:
    (way_in,) = resources["TaskGroup"]["Properties"]["SecurityGroupIngress"]
    assert way_in["SourceSecurityGroupId"] == {"Ref": "BalancerGroup"}
    (public,) = resources["BalancerGroup"]["Properties"]["SecurityGroupIngress"]
    assert (public["FromPort"], public["ToPort"]) == (443, 443)
    assert [item for item in resources.values() if item["Type"].endswith("::Listener")] == [resources["Listener"]]
    assert resources["Listener"]["Properties"]["Protocol"] == "HTTPS"


def test_parameters_that_the_main_template_has_too_are_the_same(document: dict[str, Any]) -> None:
    main = read_yaml((ROOT / "template.yaml").read_text())
    shared = document["Parameters"].keys() & main["Parameters"].keys() - {
        "DomainName",
        "HostedZoneId",
        "CertificateArn",
    }
    assert shared == {
        *("KeyGrace", "LegacyKeys", "LogLevel", "LogRetention", "OpenAccount", "RemoveTimeout", "Synchronous"),
    }
    for name in shared - {"RemoveTimeout"}:  # no gateway ends a request here
        assert document["Parameters"][name] == main["Parameters"][name], name
    imported = document["Parameters"].keys() & main["Outputs"].keys()
    assert imported == {"AccountsTable", "JobsTable", "UploadsBucket", "ResultsBucket", "JobsQueue"}
