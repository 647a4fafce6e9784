from pathlib import Path

import pytest
from moto import mock_aws

from cutout.accounts import KeyMode, hash_key
from cutout.aws.key_store import DynamoKeyStore
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


def test_a_lifecycle_rule_that_is_not_understood_is_named(tmp_path):
    path = tmp_path / "template.yaml"
    path.write_text(TOY.read_text().replace("ExpirationInDays", "ExpirationDate"))
    with mock_aws(), pytest.raises(TemplateError, match="ExpirationDate"):
        create_cloud(load_template(path))


def test_the_seeded_key_opens_the_local_account():
    table = "cutout-local-Accounts"
    with mock_aws():
        create_cloud(load_template(TOY))
        seed_account(table, "a-key")
        caller = DynamoKeyStore(client("dynamodb"), table).find(hash_key("a-key"))
    assert caller is not None
    assert (caller.account.id, caller.key.mode) == ("acct_local", KeyMode.LIVE)


def test_the_environment_of_a_function_reaches_moto_only(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    environment = aws_environment("http://127.0.0.1:1")
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"
    assert "AWS_PROFILE" not in environment
