"""Who may do what: every right of every function, told once more and compared."""

import re
from collections.abc import Iterator
from typing import Any

from local import ROOT
from local.intrinsics import read_yaml

Right = tuple[str, str, str]
"""An action, what it is done to, and the leading keys that it is bound to."""

UPLOADS = "arn:${AWS::Partition}:s3:::${AWS::StackName}-uploads-${AWS::AccountId}-${AWS::Region}"
BUCKETS = {"UploadsBucket": "uploads", "ResultsBucket": "results"}
ADDED_BY_SAM = {"AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess"}

CALLER = {
    ("dynamodb:GetItem", "AccountsTable", "KEY#* ACCOUNT#*"),
    ("dynamodb:UpdateItem", "AccountsTable", "KEY#* last_used_day"),
    ("dynamodb:UpdateItem", "AccountsTable", "RATE#*"),
    ("dynamodb:BatchGetItem", "AccountsTable", "USAGE#*"),
}
CHARGE = {
    ("dynamodb:PutItem", "AccountsTable", "CHARGE#*"),
    ("dynamodb:UpdateItem", "AccountsTable", "USAGE#*"),
}
KEEP_KEYS = {
    (f"dynamodb:{action}", "AccountsTable", "KEY#* ACCOUNT#*")
    for action in ("BatchGetItem", "ConditionCheckItem", "GetItem", "PutItem", "Query", "UpdateItem")
}
SERVICE_KEY = {(f"dynamodb:{action}", "AccountsTable", "SERVICE") for action in ("GetItem", "PutItem")}
JOBS = {(f"dynamodb:{action}", "JobsTable", "") for action in ("GetItem", "PutItem", "UpdateItem")}

SEE = {
    ("s3:ListBucket", "uploads", ""),
    ("s3:ListBucket", "results", ""),
    ("s3:GetObject", "results/results/*", ""),
}
"""To read results, and to be told when something is missing."""


def messages(queue: str) -> set[Right]:
    """What Lambda does in the name of a function that a queue feeds, and the function itself: say when to come back."""
    actions = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility")
    return {(f"sqs:{action}", queue, "") for action in actions}


RIGHTS: dict[str, set[Right]] = {
    "RemoveBackgroundFunction": CALLER
    | CHARGE
    | JOBS
    | SEE
    | {
        ("sqs:SendMessage", "JobsQueue", ""),
        ("s3:GetObject", "uploads/direct/*", ""),
        ("s3:PutObject", "uploads/direct/*", ""),
        ("s3:PutObject", "results/results/*", ""),
        ("s3:DeleteObject", "results/results/*", ""),
    },
    "AccountFunction": CALLER | KEEP_KEYS | {("dynamodb:Query", "AccountsTable", "USAGE#*")},
    "AdminFunction": CALLER | KEEP_KEYS | {("dynamodb:Query", "AccountsTable/index/accounts", "ACCOUNT")},
    "JobsFunction": CALLER
    | SERVICE_KEY
    | JOBS
    | SEE
    | {
        ("dynamodb:Query", "JobsTable/index/by_account", ""),
        ("sqs:SendMessage", "JobsQueue", ""),
        ("s3:PutObject", "uploads/uploads/*", ""),
        ("s3:PutObject", "uploads/direct/*", ""),
        ("s3:GetObject", "uploads/uploads/*", ""),
        ("s3:GetObject", "uploads/direct/*", ""),
        ("s3:DeleteObject", "uploads/uploads/*", ""),
        ("s3:DeleteObject", "uploads/direct/*", ""),
        ("s3:DeleteObject", "uploads/retained/*", ""),
        ("s3:DeleteObject", "results/results/*", ""),
    },
    "ProcessUploadFunction": messages("JobsQueue")
    | CHARGE
    | JOBS
    | SEE
    | {
        ("dynamodb:GetItem", "AccountsTable", "ACCOUNT#*"),
        ("dynamodb:BatchGetItem", "AccountsTable", "USAGE#*"),
        ("sqs:SendMessage", "WebhooksQueue", ""),
        ("s3:GetObject", "uploads/uploads/*", ""),
        ("s3:GetObject", "uploads/direct/*", ""),
        ("s3:GetObjectTagging", "uploads/uploads/*", ""),
        ("s3:GetObjectTagging", "uploads/direct/*", ""),
        ("s3:DeleteObject", "uploads/uploads/*", ""),
        ("s3:DeleteObject", "uploads/direct/*", ""),
        ("s3:PutObject", "uploads/retained/*", ""),
        ("s3:DeleteObject", "uploads/retained/*", ""),
        ("s3:PutObject", "results/results/*", ""),
        ("s3:DeleteObject", "results/results/*", ""),
    },
    "WebhookFunction": messages("WebhooksQueue")
    | SERVICE_KEY
    | {
        ("dynamodb:GetItem", "JobsTable", ""),
        ("dynamodb:GetItem", "AccountsTable", "ACCOUNT#*"),
        ("dynamodb:PutItem", "AccountsTable", "ACCOUNT#*"),
        ("s3:GetObject", "results/results/*", ""),
    },
    "HealthFunction": {("lambda:InvokeFunction", "RemoveBackgroundFunction:live", "")},
}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def name_of(resource: Any) -> str:
    """A resource as the table above calls it."""
    if "Fn::GetAtt" in resource:
        logical_id, attribute = resource["Fn::GetAtt"]
        assert attribute == "Arn"
        return BUCKETS.get(logical_id, str(logical_id))
    text: str = resource["Fn::Sub"]
    return re.sub(r"\$\{(\w+)\.Arn\}", lambda match: BUCKETS.get(match[1], match[1]), text)


def rights_of(statement: dict[str, Any]) -> Iterator[Right]:
    assert statement["Effect"] == "Allow"
    conditions = statement.get("Condition", {})
    assert conditions.keys() <= {"ForAllValues:StringLike", "ForAllValues:StringEquals"}
    equal = conditions.get("ForAllValues:StringEquals", {})
    keys = conditions.get("ForAllValues:StringLike", equal).get("dynamodb:LeadingKeys", [])
    bound = " ".join([*keys, *(name for name in equal.get("dynamodb:Attributes", []) if name not in {"pk", "sk"})])
    for action in as_list(statement["Action"]):
        for resource in as_list(statement["Resource"]):
            yield action, name_of(resource), bound


def granted(stack: dict[str, Any]) -> dict[str, set[Right]]:
    """The rights of every function's role: its own, and those of the shared policies that it has."""
    resources = stack["Resources"]
    found = {}
    for name, resource in resources.items():
        if resource["Type"] != "AWS::Lambda::Function":
            continue
        role = resources[f"{name}Role"]["Properties"]
        documents = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
        for policy in role["ManagedPolicyArns"]:
            if isinstance(policy, dict) and "Ref" in policy:
                documents.append(resources[policy["Ref"]]["Properties"]["PolicyDocument"])
            else:
                assert str(policy).rpartition("/")[2].rstrip("']}") in ADDED_BY_SAM, policy
        statements = [statement for document in documents for statement in document["Statement"]]
        found[name] = {right for statement in statements for right in rights_of(statement)}
    return found


def test_functions_have_the_rights_that_they_need_and_no_other(stack: dict[str, Any]) -> None:
    found = granted(stack)
    assert found.keys() == RIGHTS.keys()
    for name, rights in found.items():
        assert rights == RIGHTS[name], name


def test_no_right_is_a_wildcard(stack: dict[str, Any]) -> None:
    for name, rights in granted(stack).items():
        for action, resource, _ in rights:
            assert "*" not in action, f"{name}: {action}"
            assert resource not in {"*", "uploads/*", "results/*"}, f"{name}: {action}"


def test_every_right_over_accounts_is_bound_to_leading_keys(stack: dict[str, Any]) -> None:
    for name, rights in granted(stack).items():
        assert all(bound for _, resource, bound in rights if resource == "AccountsTable"), name


def test_only_the_uploads_of_this_stack_may_be_told_to_the_queue_from_outside(stack: dict[str, Any]) -> None:
    allowed, denied = stack["Resources"]["JobsQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "s3.amazonaws.com"}, "sqs:SendMessage")
    assert allowed["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
        "ArnEquals": {"aws:SourceArn": {"Fn::Sub": UPLOADS}},
    }
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_whatever_holds_data_is_reached_by_tls_only(stack: dict[str, Any]) -> None:
    covered = set()
    for resource in stack["Resources"].values():
        if resource["Type"] in {"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"}:
            properties = resource["Properties"]
            denied = [item for item in properties["PolicyDocument"]["Statement"] if item["Effect"] == "Deny"]
            assert [item["Condition"] for item in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
            covered |= {target["Ref"] for target in properties.get("Queues", [properties.get("Bucket")])}
    kinds = {"AWS::S3::Bucket", "AWS::SQS::Queue"}
    assert covered == {name for name, item in stack["Resources"].items() if item["Type"] in kinds}


NESTED = {
    "CheckVersionFunction": {
        "lambda:InvokeFunction",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "ssm:GetParameter",
    },
    "SweepFunction": {"s3:ListBucket", "s3:DeleteObject"},
    "CanaryFunction": {"ssm:GetParameter", "s3:GetObject", "s3:PutObject", "s3:ListBucket"},
}


def test_nested_functions_have_few_rights_over_things_of_this_stack_alone() -> None:
    found: dict[str, set[str]] = {}
    for name in ("operations.yaml", "monitoring.yaml"):
        document = read_yaml((ROOT / name).read_text())
        for logical_id, resource in document["Resources"].items():
            if resource["Type"] != "AWS::Serverless::Function":
                continue
            found[logical_id] = set()
            for policy in resource["Properties"]["Policies"]:
                for entry in policy["Statement"]:
                    statement = entry["Fn::If"][1] if "Fn::If" in entry else entry
                    found[logical_id] |= set(as_list(statement["Action"]))
                    for target in as_list(statement["Resource"]):
                        parameters = set(re.findall(r"\$\{(\w+)\}", target["Fn::Sub"]))
                        assert parameters & document["Parameters"].keys(), f"{logical_id}: {target}"
    assert found == NESTED
