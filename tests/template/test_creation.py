"""The stack, created in moto as far as moto goes, and what came of it."""

import ast
import copy
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cutout.accounts import KeyMode
from cutout.api.request import Response
from cutout.authentication import authenticate, new_key
from cutout.aws.dynamodb.audited_transaction import AuditedTable
from cutout.aws.dynamodb.keys import DynamoKeyStore
from cutout.aws.s3.bucket import Bucket
from cutout.aws.s3.results import S3ResultStore
from local import ROOT
from local.cloud import LOCAL_ACCOUNT, client
from local.template import load_template
from tests.template.conftest import ARTIFACTS

NOT_IN_MOTO = {
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::Deployment",  # it wants methods, which moto does not take from the body of the API
    "AWS::ApiGateway::Stage",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::CloudFormation::Stack",  # it would fetch the nested template from S3
    "AWS::Lambda::Alias",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
}
NAME = "cutout-test"


@dataclass(frozen=True, slots=True)
class Created:
    """A stack in moto. names: physical ids by logical id; outputs: values by name."""

    names: dict[str, str]
    outputs: dict[str, str]
    wanted: dict[str, Any]


def without_moto_gaps(stack: dict[str, Any]) -> dict[str, Any]:
    """The stack less what moto cannot make; what named an alias names the function behind it."""
    text = json.dumps(stack)
    for alias in (name for name, item in stack["Resources"].items() if item["Type"] == "AWS::Lambda::Alias"):
        function = alias.removesuffix("Aliaslive")
        text = text.replace(f"${{{alias}}}", f"${{{function}.Arn}}")
        text = text.replace(f'{{"Ref": "{alias}"}}', f'{{"Ref": "{function}"}}')
    document: dict[str, Any] = json.loads(text)
    resources = document["Resources"]
    document["Resources"] = {name: item for name, item in resources.items() if item["Type"] not in NOT_IN_MOTO}
    for output in ("ApiUrl", "Dashboard", "Alarms"):
        del document["Outputs"][output]  # they name what is left out
    resources["ProcessUploadSource"]["Properties"]["FunctionName"] = {"Ref": "ProcessUploadFunction"}
    for name in ("UploadsBucket", "ProcessUploadSource"):
        del resources[name]["DependsOn"]  # a queue's policy, an alias
    for name in ("RemoveTimeout", "UploadTimeout"):  # moto looks mappings up by parameters as they stand
        document["Parameters"][name]["Default"] = str(document["Parameters"][name]["Default"])
    return document


@pytest.fixture(scope="module")
def created(stack: dict[str, Any]) -> Iterator[Created]:
    wanted = without_moto_gaps(stack)
    with mock_aws():
        s3 = client("s3")
        s3.create_bucket(Bucket=ARTIFACTS)
        for name, resource in wanted["Resources"].items():
            if resource["Type"].startswith("AWS::Lambda::"):
                s3.put_object(Bucket=ARTIFACTS, Key=f"{name}.zip", Body=b"zip")
        s3.put_object(Bucket=ARTIFACTS, Key="CutoutLayer.zip", Body=b"zip")
        formation = client("cloudformation")
        formation.create_stack(StackName=NAME, TemplateBody=json.dumps(wanted), Capabilities=["CAPABILITY_IAM"])
        (description,) = formation.describe_stacks(StackName=NAME)["Stacks"]
        assert description["StackStatus"] == "CREATE_COMPLETE"
        resources = formation.describe_stack_resources(StackName=NAME)["StackResources"]
        names = {item["LogicalResourceId"]: item.get("PhysicalResourceId", "") for item in resources if len(item) > 1
                 and "LogicalResourceId" in item}  # fmt: skip
        outputs = {output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]}
        yield Created(names, outputs, wanted)


def test_everything_that_moto_knows_is_created(created: Created) -> None:
    conditional = {f"{kind}{part}" for kind in ("Domain", "QueueDomain") for part in ("", "Mapping", "Record")}
    conditional |= {"GatewayLoggingRole", "Key", "WebAcl"}
    unconditional = {name for name in created.wanted["Resources"] if name not in conditional}
    # moto 5.2 leaves versions, permissions and layers of a stack without a name, so that they are not in the list
    nameless = ("AWS::Lambda::Version", "AWS::Lambda::Permission", "AWS::Lambda::LayerVersion")
    named = {name for name in unconditional if created.wanted["Resources"][name]["Type"] not in nameless}
    assert named <= set(created.names)
    assert not conditional & set(created.names)


def test_keys_live_in_the_created_table(created: Created) -> None:
    store = DynamoKeyStore(AuditedTable(boto3.client("dynamodb"), created.outputs["AccountsTable"]))
    store.create_account(LOCAL_ACCOUNT)
    key = new_key(KeyMode.LIVE)
    store.create_key(LOCAL_ACCOUNT.id, key, KeyMode.LIVE)
    assert authenticate(key, store).account == LOCAL_ACCOUNT


def test_large_results_go_to_the_created_bucket(created: Created) -> None:
    bucket = created.outputs["ResultsBucket"]
    assert bucket == f"{NAME}-results-123456789012-us-east-1"
    s3 = boto3.client("s3")
    store = S3ResultStore(Bucket(lambda: s3, bucket, 60), 10)
    answer = store.deliver(Response(200, "image/png", b"p" * 100), "results/acct_a/req_b")
    assert answer.status == 303
    (item,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() == b"p" * 100


def test_functions_get_the_names_of_what_was_created(created: Created) -> None:
    functions = {f["FunctionName"]: f for f in boto3.client("lambda").list_functions()["Functions"]}
    assert len(functions) == 7
    removal = functions[created.names["RemoveBackgroundFunction"]]
    assert (removal["Timeout"], removal["MemorySize"]) == (29, 3008)
    upload = functions[created.names["ProcessUploadFunction"]]
    assert (upload["Timeout"], upload["MemorySize"]) == (60, 3008)
    assert [function["Runtime"] for function in functions.values() if "Runtime" in function] == ["python3.13"] * 5
    outputs = created.outputs
    expected = {
        "CUTOUT_ACCOUNTS_TABLE": outputs["AccountsTable"],
        "CUTOUT_JOBS_TABLE": outputs["JobsTable"],
        "CUTOUT_JOBS_QUEUE_URL": outputs["JobsQueue"],
        "CUTOUT_WEBHOOKS_QUEUE_URL": outputs["WebhooksQueue"],
        "CUTOUT_UPLOADS_BUCKET": outputs["UploadsBucket"],
        "CUTOUT_RESULTS_BUCKET": outputs["ResultsBucket"],
        "CUTOUT_REMOVE_FUNCTION": f"{outputs['RemoveBackgroundFunction']}:live",
    }
    given = [(name, value) for f in functions.values() for name, value in f["Environment"]["Variables"].items()]
    assert {(name, value) for name, value in given if name in expected} == set(expected.items())


def test_queues_are_created_with_their_dead_letter_queues_and_feed_their_functions(created: Created) -> None:
    sqs = boto3.client("sqs")
    for name, receives in (("JobsQueue", 5), ("WebhooksQueue", 10)):
        attributes = sqs.get_queue_attributes(QueueUrl=created.outputs[name], AttributeNames=["All"])["Attributes"]
        redrive = json.loads(attributes["RedrivePolicy"])
        assert redrive["maxReceiveCount"] == receives
        letters = created.outputs[name.replace("Queue", "DeadLetterQueue")]
        assert redrive["deadLetterTargetArn"].rpartition(":")[2] == letters.rpartition("/")[2]
    sources = boto3.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    fed = {(s["EventSourceArn"].rpartition(":")[2], s["FunctionArn"].rpartition(":")[2]) for s in sources}
    assert fed == {
        (created.outputs[queue].rpartition("/")[2], created.names[function])
        for queue, function in (("JobsQueue", "ProcessUploadFunction"), ("WebhooksQueue", "WebhookFunction"))
    }


def test_rights_name_the_created_things_and_nothing_else(created: Created) -> None:
    iam = boto3.client("iam")
    functions = [name for name, item in created.wanted["Resources"].items() if item["Type"] == "AWS::Lambda::Function"]
    resources = set()
    for function in functions:
        role = created.names[f"{function}Role"]
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            if isinstance(document, str):  # moto keeps a stack's policy in Python's notation, not in JSON
                document = ast.literal_eval(document)
            for statement in document["Statement"]:
                named = statement["Resource"]
                resources |= set(named if isinstance(named, list) else [named])
    names, account = created.outputs, "us-east-1:123456789012"
    uploads, results = f"arn:aws:s3:::{names['UploadsBucket']}", f"arn:aws:s3:::{names['ResultsBucket']}"
    queues = [created.names[name].rpartition("/")[2] for name in ("JobsQueue", "WebhooksQueue")]
    assert resources <= {
        *(f"arn:aws:dynamodb:{account}:table/{names[table]}" for table in ("AccountsTable", "JobsTable")),
        f"arn:aws:dynamodb:{account}:table/{names['AccountsTable']}/index/accounts",
        f"arn:aws:dynamodb:{account}:table/{names['JobsTable']}/index/by_account",
        *(f"arn:aws:sqs:{account}:{queue}" for queue in queues),
        f"arn:aws:lambda:{account}:function:{names['RemoveBackgroundFunction']}:live",
        *(f"{uploads}{prefix}" for prefix in ("", "/uploads/*", "/direct/*", "/retained/*")),
        *(f"{results}{prefix}" for prefix in ("", "/results/*")),
    }


def test_log_groups_are_kept_for_the_asked_days(created: Created) -> None:
    groups = boto3.client("logs").describe_log_groups(logGroupNamePrefix=f"/cutout/{NAME}/")["logGroups"]
    kept = {group["logGroupName"].rpartition("/")[2]: group["retentionInDays"] for group in groups}
    names = ("api", "remove-background", "process-upload", "jobs", "account", "admin", "webhook", "health")
    assert kept == dict.fromkeys(names, 30)
    assert set(created.names) >= {"ApiLogGroup"}


def test_the_api_document_has_every_route_and_calls_its_function(stack: dict[str, Any]) -> None:
    body = copy.deepcopy(stack["Resources"]["Api"]["Properties"]["Body"])
    body["info"] = {"title": NAME, "version": "1", "description": "as deployed"}  # moto wants plain text here
    with mock_aws():
        gateway = boto3.client("apigateway")
        wait = json.dumps({"Fn::FindInMap": ["Integrations", {"Ref": "RemoveTimeout"}, "Milliseconds"]})
        text = json.dumps(body).replace(wait, "29000")  # nor does it resolve anything
        api = gateway.import_rest_api(body=io.BytesIO(text.encode()))["id"]
        found = {
            (method, resource["path"]): integrated["methodIntegration"]
            for resource in gateway.get_resources(restApiId=api, limit=500)["items"]
            for method, integrated in resource.get("resourceMethods", {}).items()
        }
    targets = {route: (integration["type"], _function(integration["uri"])) for route, integration in found.items()}
    published = {"RemoveBackgroundFunction", "JobsFunction"}  # called by the alias, not as $LATEST
    version = {name: f"{name}Aliaslive" for name in published}
    assert targets == {
        (route.method.replace("ANY", "X-AMAZON-APIGATEWAY-ANY-METHOD"), route.path): (
            "aws_proxy",
            version.get(route.function, f"{route.function}.Arn"),
        )
        for route in load_template(ROOT / "template.yaml").routes
    }


def _function(uri: dict[str, str]) -> str:
    return uri["Fn::Sub"].rpartition("functions/${")[2].partition("}")[0]


def test_traffic_moves_to_versions_that_were_tried_and_comes_back_when_they_fail(stack: dict[str, Any]) -> None:
    resources = stack["Resources"]
    aliases = {name: item for name, item in resources.items() if item["Type"] == "AWS::Lambda::Alias"}
    functions = ("RemoveBackgroundFunction", "ProcessUploadFunction", "JobsFunction")
    assert set(aliases) == {f"{function}Aliaslive" for function in functions}
    for function in functions:
        policy = aliases[f"{function}Aliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        assert policy["BeforeAllowTrafficHook"] == {"Fn::GetAtt": ["Operations", "Outputs.CheckVersion"]}
        group = resources[policy["DeploymentGroupName"]["Ref"]]["Properties"]
        errors = {"Fn::GetAtt": ["Operations", f"Outputs.{function.removesuffix('Function')}Errors"]}
        assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": [{"Name": errors}]}
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    source = resources["ProcessUploadSource"]
    assert source["Properties"]["FunctionName"] == {"Fn::Sub": "${ProcessUploadFunction}:live"}
    assert source["DependsOn"] == "ProcessUploadFunctionAliaslive"


def test_the_stage_throttles_traces_and_logs(stack: dict[str, Any]) -> None:
    (stage,) = (item["Properties"] for item in stack["Resources"].values() if item["Type"] == "AWS::ApiGateway::Stage")
    (settings,) = stage["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == {"Ref": "ThrottleRate"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "ThrottleBurst"}
    assert stage["AccessLogSetting"]["DestinationArn"] == {"Fn::GetAtt": ["ApiLogGroup", "Arn"]}
    assert stage["TracingEnabled"]["Fn::If"][0] == "IsTraced"
    assert stage["Variables"]["gateway_logging"]["Fn::If"][1] == {"Ref": "GatewayLogging"}


def test_gateway_responses_and_binary_types_reach_the_api(stack: dict[str, Any]) -> None:
    body = stack["Resources"]["Api"]["Properties"]["Body"]
    assert body["x-amazon-apigateway-binary-media-types"] == ["*/*"]
    responses = body["x-amazon-apigateway-gateway-responses"]
    too_large = responses["REQUEST_TOO_LARGE"]
    assert int(too_large["statusCode"]) == 413
    assert too_large["responseParameters"] == {
        "gatewayresponse.header.x-request-id": "context.requestId",
        "gatewayresponse.header.access-control-allow-origin": "'*'",
        "gatewayresponse.header.access-control-expose-headers": "'x-request-id'",
    }


def test_data_is_private_and_kept_as_promised(stack: dict[str, Any]) -> None:
    resources = stack["Resources"]
    for name, kept in (("AccountsTable", "Retain"), ("JobsTable", "Delete")):
        table = resources[name]
        assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == (kept, kept)
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
        assert table["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    recovery = "PointInTimeRecoverySpecification"
    assert resources["AccountsTable"]["Properties"][recovery] == {"PointInTimeRecoveryEnabled": True}
    assert recovery not in resources["JobsTable"]["Properties"], "a backup would keep what is promised to be gone"
    for bucket in (resources["UploadsBucket"]["Properties"], resources["ResultsBucket"]["Properties"]):
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert "VersioningConfiguration" not in bucket, "an older version would outlive its day"
