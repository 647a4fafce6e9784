"""The template as it is written, and as the SAM transform makes it for CloudFormation."""

import copy
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
def stack(document: dict[str, Any]) -> dict[str, Any]:
    """What CloudFormation gets when `sam deploy` has packaged the template."""
    packaged = copy.deepcopy(document)
    for logical_id, resource in packaged["Resources"].items():
        properties = resource.get("Properties", {})
        if properties.get("PackageType") == "Image":
            properties["ImageUri"] = IMAGE
        for name in {"CodeUri", "ContentUri"} & properties.keys():
            properties[name] = f"s3://{ARTIFACTS}/{logical_id}.zip"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        translated: dict[str, Any] = Translator(MANAGED_POLICIES, Parser()).translate(packaged, {})
    return translated
