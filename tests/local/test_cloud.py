import json
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
from moto import mock_aws

from cutout.accounts import KeyMode
from cutout.authentication import hash_key
from cutout.aws.dynamodb.audited_transaction import AuditedTable
from cutout.aws.dynamodb.keys import DynamoKeyStore
from local.cloud import aws_environment, client, create_cloud, seed_account
from local.intrinsics import TemplateError
from local.template import load_template

TOY = Path(__file__).parent / "toy.yaml"


def test_tables_have_the_keys_indexes_and_ttl_of_the_template():
    with mock_aws():
        create_cloud(load_template(TOY))
        dynamodb = client("dynamodb")
        table = dynamodb.describe_table(TableName="cutout-local-Things")["Table"]
        ttl = dynamodb.describe_time_to_live(TableName="cutout-local-Things")["TimeToLiveDescription"]
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by-time"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}


def test_buckets_have_the_lifecycle_of_the_template():
    with mock_aws():
        create_cloud(load_template(TOY))
        rules = client("s3").get_bucket_lifecycle_configuration(Bucket="cutout-local-files-123456789012")["Rules"]
    assert rules == [
        {
            "ID": "expire",
            "Status": "Enabled",
            "Filter": {"Prefix": "results/"},
            "Expiration": {"Days": 1},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
    ]


def test_queues_have_the_times_and_the_dead_letter_queue_of_the_template():
    with mock_aws():
        create_cloud(load_template(TOY))
        sqs = client("sqs")
        url = sqs.get_queue_url(QueueName="cutout-local-Inbox")["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (attributes["VisibilityTimeout"], attributes["MessageRetentionPeriod"]) == ("12", "86400")
    assert json.loads(attributes["RedrivePolicy"]) == {
        "deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:cutout-local-lost",
        "maxReceiveCount": 3,
    }


def test_a_bucket_notifies_its_queue_of_objects_below_the_prefix():
    bucket = "cutout-local-files-123456789012"
    with mock_aws():
        create_cloud(load_template(TOY))
        for key in ("in/1", "out/2"):
            client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
        sqs = client("sqs")
        url = sqs.get_queue_url(QueueName="cutout-local-Inbox")["QueueUrl"]
        bodies = [
            json.loads(message["Body"])
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        ]
    assert [body.get("Event") for body in bodies] == ["s3:TestEvent", None]
    assert [record["s3"]["object"]["size"] for record in bodies[1]["Records"]] == [1]
    assert unquote_plus(bodies[1]["Records"][0]["s3"]["object"]["key"]) == "in/1"


def test_a_bucket_answers_browsers_by_the_cors_rules_of_the_template():
    with mock_aws():
        create_cloud(load_template(TOY))
        rules = client("s3").get_bucket_cors(Bucket="cutout-local-files-123456789012")["CORSRules"]
    assert rules == [
        {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}
    ]


def test_a_cors_rule_that_is_not_understood_is_named(tmp_path):
    path = tmp_path / "template.yaml"
    path.write_text(TOY.read_text().replace("MaxAge: 60", "Shade: 60"))
    with mock_aws(), pytest.raises(TemplateError, match="Shade"):
        create_cloud(load_template(path))


def test_a_lifecycle_rule_that_is_not_understood_is_named(tmp_path):
    path = tmp_path / "template.yaml"
    path.write_text(TOY.read_text().replace("ExpirationInDays", "ExpirationDate"))
    with mock_aws(), pytest.raises(TemplateError, match="ExpirationDate"):
        create_cloud(load_template(path))


def test_the_seeded_key_belongs_to_the_local_account():
    table = "cutout-local-Accounts"
    with mock_aws():
        create_cloud(load_template(TOY))
        seed_account(table, "a-key")
        caller = DynamoKeyStore(AuditedTable(client("dynamodb"), table)).find(hash_key("a-key"))
    assert caller is not None
    assert (caller.account.id, caller.key.mode) == ("acct_local", KeyMode.LIVE)


def test_the_environment_of_a_function_reaches_moto_only(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    environment = aws_environment("http://127.0.0.1:1")
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"
    assert "AWS_PROFILE" not in environment
