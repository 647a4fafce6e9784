"""The reading of a template agrees with AWS's SAM translator and moto's CloudFormation.

The service does not start by these two (docs/adr/0003-local-stack.md says why); here they create the same stack, and
their functions, tables, queues and buckets are equal to those of ``load_template``.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from local import ROOT
from local.cloud import client
from local.intrinsics import read_yaml
from local.resources import Template
from local.template import REGION, STACK, load_template

TEMPLATES = [Path(__file__).parent / "toy.yaml", ROOT / "template.yaml"]
ARTIFACTS = "artifacts"
ROLE = "arn:aws:iam::123456789012:role/functions"
NAME_PROPERTIES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueName",
}
"""Properties that give the name, by the types that are compared."""
COMPARED = {"Code", "Environment", "FunctionName", "Handler", "MemorySize", "PackageType", "Runtime", "Timeout"}
"""Properties of a function that moto carries over, or without which it makes none."""


def translated(path: Path) -> dict[str, Any]:
    """The CloudFormation template that SAM makes after `sam package`, with code and images by URL."""
    document = read_yaml(path.read_text())
    for logical_id, resource in document["Resources"].items():
        properties = resource.get("Properties", {})
        if properties.get("PackageType") == "Image":
            properties["ImageUri"] = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/cutout:latest"
        for name in {"CodeUri", "ContentUri", "Location"} & properties.keys():
            properties[name] = f"s3://{ARTIFACTS}/{logical_id}"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", REGION)
        stack: dict[str, Any] = Translator({}, Parser()).translate(document, {})
    return stack


def without_aliases(stack: dict[str, Any]) -> dict[str, Any]:
    """The stack with the function itself wherever its alias is named: moto's CloudFormation makes no aliases."""
    text = json.dumps(stack)
    for alias, resource in stack["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Alias":
            function = resource["Properties"]["FunctionName"]["Ref"]
            text = text.replace(f"${{{alias}}}", f"${{{function}}}")
            text = text.replace(f'{{"Ref": "{alias}"}}', f'{{"Ref": "{function}"}}')
    document: dict[str, Any] = json.loads(text)
    return document


def comparable(stack: dict[str, Any]) -> dict[str, Any]:
    """The part of a stack that moto can create, with the names that the local service gives."""
    resources = {}
    for logical_id, resource in stack["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        if kind == "AWS::Lambda::Function":
            properties = {name: properties[name] for name in COMPARED & properties.keys()} | {"Role": ROLE}
        if kind in NAME_PROPERTIES:
            named = {NAME_PROPERTIES[kind]: f"{STACK}-{logical_id}"} | properties
            resources[logical_id] = {"Type": kind, "Properties": named}
    parameters = {  # moto looks mappings up by parameters as they stand, and keys are text
        name: parameter | {"Default": str(parameter["Default"])} for name, parameter in stack["Parameters"].items()
    }
    sections = {name: stack.get(name, {}) for name in ("Conditions", "Mappings")}
    return {**sections, "Parameters": parameters, "Resources": resources}


@pytest.fixture(scope="module", params=TEMPLATES, ids=lambda path: path.stem)
def read(request: pytest.FixtureRequest) -> Iterator[Template]:
    """A template as the local service reads it, while its stack stands in moto."""
    stack = translated(request.param)
    with mock_aws():
        s3 = client("s3")
        s3.create_bucket(Bucket=ARTIFACTS)
        for logical_id in stack["Resources"]:
            s3.put_object(Bucket=ARTIFACTS, Key=logical_id, Body=b"zip")
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]}
        client("iam").create_role(RoleName=ROLE.rpartition("/")[2], AssumeRolePolicyDocument=json.dumps(trust))
        body = json.dumps(comparable(without_aliases(stack)))
        client("cloudformation").create_stack(StackName=STACK, TemplateBody=body)
        yield load_template(request.param)


def test_functions_have_the_settings_and_variables_of_the_created_ones(read):
    created = {function["FunctionName"]: function for function in client("lambda").list_functions()["Functions"]}
    assert created.keys() == {function.name for function in read.functions.values()}
    for function in read.functions.values():
        configuration = created[function.name]
        assert (configuration["Timeout"], configuration["MemorySize"]) == (function.timeout_s, function.memory_mb)
        variables = configuration.get("Environment", {}).get("Variables", {})
        as_text = {name: "true" if value is True else value for name, value in variables.items()}  # moto keeps booleans
        assert as_text == function.environment
        if function.package == "Zip":  # moto's CloudFormation carries no command of an image over, and no layers
            assert configuration["Handler"] == f"{function.module}.{function.attribute}"


def test_tables_have_the_keys_and_indexes_of_the_created_ones(read):
    dynamodb = client("dynamodb")
    assert set(dynamodb.list_tables()["TableNames"]) == {table.name for table in read.tables.values()}
    for table in read.tables.values():
        created = dynamodb.describe_table(TableName=table.name)["Table"]
        assert created["KeySchema"] == list(table.key_schema)
        assert created["AttributeDefinitions"] == list(table.attributes)
        indexes = created.get("GlobalSecondaryIndexes", [])
        assert [index["IndexName"] for index in indexes] == [index["IndexName"] for index in table.indexes]
        assert [index["KeySchema"] for index in indexes] == [index["KeySchema"] for index in table.indexes]
        assert [index["Projection"] for index in indexes] == [index["Projection"] for index in table.indexes]


def test_queues_have_the_times_and_the_dead_letter_queue_of_the_created_ones(read):
    sqs = client("sqs")
    assert len(sqs.list_queues().get("QueueUrls", [])) == len(read.queues)
    for queue in read.queues.values():
        url = sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]
        created = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        redrive = json.loads(created.get("RedrivePolicy", "{}"))
        assert int(created["VisibilityTimeout"]) == queue.visibility_s
        assert int(created["MessageRetentionPeriod"]) == queue.retention_s
        assert redrive.get("deadLetterTargetArn", "") == queue.dead_letter_arn
        assert int(redrive.get("maxReceiveCount", 0)) == queue.max_receives


def test_buckets_have_the_names_of_the_created_ones(read):
    created = {bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]} - {ARTIFACTS}
    assert created == {bucket.name for bucket in read.buckets.values()}


def test_motos_cloudformation_still_leaves_out_what_the_local_service_needs(read):
    """A failure means that moto creates them now: then review docs/adr/0003-local-stack.md."""
    dynamodb, s3 = client("dynamodb"), client("s3")
    for table in read.tables.values():
        ttl = dynamodb.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
        assert ttl["TimeToLiveStatus"] == "DISABLED"
    for bucket in read.buckets.values():
        for described in (s3.get_bucket_cors, s3.get_bucket_lifecycle_configuration):
            with pytest.raises(ClientError, match="does not exist"):
                described(Bucket=bucket.name)
        assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket.name)
