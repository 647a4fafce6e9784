"""A table restored from a backup becomes the stack's."""

import json

import pytest

from deploy import DeployError
from deploy.restore import restore

KEY = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
TABLE = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    "KeySchema": KEY,
}
TEMPLATE = {
    "Resources": {"Accounts": {"Type": "AWS::DynamoDB::Table", "Properties": {**TABLE, "TableName": "accounts"}}},
    "Outputs": {"AccountsTable": {"Value": {"Ref": "Accounts"}}},
}


@pytest.fixture
def tables(cloud):
    cloud.session.client("cloudformation").create_stack(StackName="cutout-dev", TemplateBody=json.dumps(TEMPLATE))
    cloud.session.client("dynamodb").create_table(TableName="restored", **TABLE)
    return cloud.session.resource("dynamodb")


def test_items_become_as_they_were_and_newer_ones_stay(cloud, tables):
    old = [{"pk": f"ACCOUNT#{n}", "sk": "PROFILE", "plan": "free", "note": "x" * 3_000} for n in range(500)]
    with tables.Table("restored").batch_writer() as writer:
        for item in old:
            writer.put_item(Item=item)
    tables.Table("accounts").put_item(Item={"pk": "ACCOUNT#0", "sk": "PROFILE", "plan": "broken"})
    newer = {"pk": "ACCOUNT#new", "sk": "PROFILE", "plan": "metered"}
    tables.Table("accounts").put_item(Item=newer)
    assert restore(cloud.session, "cutout-dev", "restored") == 500
    page = tables.Table("accounts").scan()
    found = page["Items"] + tables.Table("accounts").scan(ExclusiveStartKey=page["LastEvaluatedKey"])["Items"]
    assert sorted(found, key=str) == sorted([*old, newer], key=str)


def test_a_table_of_another_kind_or_the_stacks_own_is_refused(cloud, tables):
    other = {**TABLE, "KeySchema": KEY[:1], "AttributeDefinitions": TABLE["AttributeDefinitions"][:1]}
    tables.meta.client.create_table(TableName="other", **other)
    with pytest.raises(DeployError, match="no copy"):
        restore(cloud.session, "cutout-dev", "other")
    with pytest.raises(DeployError, match="own table"):
        restore(cloud.session, "cutout-dev", "accounts")
