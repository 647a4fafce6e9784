"""What a stack is encrypted by: the services' own keys, or one of the stack's where that is asked for."""

from typing import Any

HOLDERS = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue"}
KEY = {"Fn::GetAtt": ["Key", "Arn"]}


def values(value: Any, *, own_key: bool) -> Any:
    """A property as CloudFormation sees it: conditions of the key decided, what has no value left out."""
    if isinstance(value, list):
        return [values(item, own_key=own_key) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Fn::If"} and value["Fn::If"][0] == "HasOwnKey":
        return values(value["Fn::If"][1 if own_key else 2], own_key=own_key)
    kept = {key: values(item, own_key=own_key) for key, item in value.items()}
    return {key: item for key, item in kept.items() if item != {"Ref": "AWS::NoValue"}}


def encryption(document: dict[str, Any], *, own_key: bool) -> dict[str, Any]:
    """How each table, bucket and queue is encrypted."""
    found = {}
    for name, resource in document["Resources"].items():
        if resource["Type"] in HOLDERS:
            properties = values(resource["Properties"], own_key=own_key)
            names = ("SSESpecification", "BucketEncryption", "SqsManagedSseEnabled", "KmsMasterKeyId")
            found[name] = {key: properties[key] for key in names if key in properties}
    return found


def test_everything_that_holds_data_is_encrypted_by_the_services_own_keys(document: dict[str, Any]) -> None:
    rule = [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    assert list(encryption(document, own_key=False).values()) == [
        {"SSESpecification": {"SSEEnabled": True}},
        {"SSESpecification": {"SSEEnabled": True}},
        {"BucketEncryption": {"ServerSideEncryptionConfiguration": rule}},
        {"BucketEncryption": {"ServerSideEncryptionConfiguration": rule}},
        *[{"SqsManagedSseEnabled": True}] * 4,
    ]


def test_a_key_of_the_stack_encrypts_all_of_it(document: dict[str, Any]) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    rule = [{"ServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    assert list(encryption(document, own_key=True).values()) == [
        {"SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}},
        {"SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}},
        {"BucketEncryption": {"ServerSideEncryptionConfiguration": rule}},
        {"BucketEncryption": {"ServerSideEncryptionConfiguration": rule}},
        *[{"SqsManagedSseEnabled": False, "KmsMasterKeyId": KEY}] * 4,
    ]


def test_the_key_works_through_the_services_of_this_account_alone_and_outlives_the_stack(
    document: dict[str, Any],
) -> None:
    key = document["Resources"]["Key"]
    assert (key["Condition"], key["DeletionPolicy"], key["Properties"]["EnableKeyRotation"]) == (
        "HasOwnKey",
        "Retain",
        True,
    )
    owner, users, tables, notifier = key["Properties"]["KeyPolicy"]["Statement"]
    assert owner["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    bound = users["Condition"]["StringEquals"]
    services = [item["Fn::Sub"].split(".")[0] for item in bound["kms:ViaService"]]
    assert (bound["kms:CallerAccount"], services) == ({"Ref": "AWS::AccountId"}, ["dynamodb", "s3", "sqs"])
    assert not {"kms:*", "kms:CreateGrant"} & set(users["Action"])
    assert tables["Action"] == "kms:CreateGrant"
    assert tables["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}
    assert tables["Condition"]["StringEquals"].keys() == {"kms:CallerAccount", "kms:ViaService"}
    assert notifier["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_domains_speak_the_tls_that_is_asked_for(document: dict[str, Any]) -> None:
    for name in ("Domain", "QueueDomain"):
        properties = document["Resources"][name]["Properties"]
        assert properties["SecurityPolicy"] == {"Ref": "TlsPolicy"}
        assert properties["EndpointAccessMode"]["Fn::If"] == ["HasEnhancedTls", "BASIC", {"Ref": "AWS::NoValue"}]


def test_both_images_are_built_on_the_base_that_is_asked_for(document: dict[str, Any]) -> None:
    images = [item.get("Metadata", {}) for item in document["Resources"].values()]
    bases = [image["DockerBuildArgs"]["BASE_IMAGE"] for image in images if "DockerBuildArgs" in image]
    assert bases == [{"Ref": "BaseImage"}] * 2
