"""The templates as they are written, and the main one as the SAM transform makes it for CloudFormation."""

import copy
import re
from typing import Any

import pytest
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from local import ROOT
from local.intrinsics import read_yaml
from local.template import REGION

ARTIFACTS = "artifacts"
"""The bucket in which `sam deploy` would have put the zips."""
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/cutout:remove-background"
MANAGED_POLICIES = {
    name: f"arn:aws:iam::aws:policy/{path}{name}"
    for name, path in {
        "AWSLambdaBasicExecutionRole": "service-role/",
        "AWSXRayDaemonWriteAccess": "",
        "AWSXrayWriteOnlyAccess": "",
    }.items()
}
"""Those that SAM adds to the roles it makes."""


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """template.yaml, short tags in their long form."""
    return read_yaml((ROOT / "template.yaml").read_text())


@pytest.fixture(scope="session")
def monitoring(document: dict[str, Any]) -> dict[str, Any]:
    """monitoring.yaml; in place of its parameters stands what template.yaml gives it for them."""
    nested = read_yaml((ROOT / "monitoring.yaml").read_text())
    given = document["Resources"]["Monitoring"]["Properties"]["Parameters"]
    assert given.keys() == nested["Parameters"].keys()

    def filled(match: re.Match[str]) -> str:
        value = given.get(match[1])
        if value is None:
            return match[0]
        return "${" + (value["Ref"] if "Ref" in value else ".".join(value["Fn::GetAtt"])) + "}"

    def resolved(value: Any) -> Any:
        if isinstance(value, list):
            return [resolved(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {"Ref"}:
            return given.get(value["Ref"], value)
        if value.keys() == {"Fn::Sub"}:
            return {"Fn::Sub": re.sub(r"\$\{([\w:.]+)\}", filled, value["Fn::Sub"])}
        return {key: resolved(item) for key, item in value.items()}

    resources: dict[str, Any] = resolved(nested)
    return resources


def translate(document: dict[str, Any], parameters: dict[str, str] | None = None) -> dict[str, Any]:
    """What CloudFormation gets when `sam deploy` has packaged a document and gives it these parameters."""
    packaged = copy.deepcopy(document)
    for logical_id, resource in packaged["Resources"].items():
        properties = resource.get("Properties", {})
        if properties.get("PackageType") == "Image":
            properties["ImageUri"] = IMAGE
        if resource["Type"] == "AWS::Serverless::Application":
            properties["Location"] = f"https://{ARTIFACTS}.s3.us-east-1.amazonaws.com/{logical_id}.template"
        for name in {"CodeUri", "ContentUri"} & properties.keys():
            properties[name] = f"s3://{ARTIFACTS}/{logical_id}.zip"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        translated: dict[str, Any] = Translator(MANAGED_POLICIES, Parser()).translate(packaged, parameters or {})
    return translated


@pytest.fixture(scope="session")
def stack(document: dict[str, Any]) -> dict[str, Any]:
    """What CloudFormation gets when `sam deploy` has packaged the template."""
    return translate(document)
