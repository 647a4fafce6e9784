"""What `make destroy` deletes, and what it says of the rest."""

import json

import pytest

from deploy import DeployError
from deploy.destroy import destroy
from deploy.images import limit_images

TEMPLATE = {
    "Resources": {
        "UploadsBucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "cutout-dev-uploads"}},
        "AccountsTable": {
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "Retain",
            "Properties": {
                "TableName": "accounts",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            },
        },
    }
}
IMAGES = {"Resources": {"Repository": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "cutoutdev"}}}}


@pytest.fixture
def made(cloud):
    formation = cloud.session.client("cloudformation")
    formation.create_stack(StackName="cutout-dev", TemplateBody=json.dumps(TEMPLATE))
    formation.create_stack(StackName="cutout-dev-0a1b2c3d-CompanionStack", TemplateBody=json.dumps(IMAGES))
    s3 = cloud.session.client("s3")
    for name in ("uploads/a/photo.jpg", "direct/b"):
        s3.put_object(Bucket="cutout-dev-uploads", Key=name, Body=b"x")
    s3.create_multipart_upload(Bucket="cutout-dev-uploads", Key="never ended")
    return cloud


def push(cloud, count):
    ecr = cloud.session.client("ecr")
    for number in range(count):
        digest = {"digest": f"sha256:{number:064}", "size": 1, "mediaType": "application/vnd.oci.image.config.v1+json"}
        kind = "application/vnd.oci.image.manifest.v1+json"
        manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": digest, "layers": []})
        ecr.put_image(repositoryName="cutoutdev", imageManifest=manifest, imageTag=str(number))


def stacks(cloud):
    return {item["StackName"] for item in cloud.session.client("cloudformation").describe_stacks()["Stacks"]}


def test_a_filled_stack_goes_and_its_images_with_it(made):
    push(made, 3)
    destroy(made.session, "cutout-dev", "cutout-dev")
    assert stacks(made) == set()
    assert made.session.client("s3").list_buckets()["Buckets"] == []
    assert made.session.client("ecr").describe_repositories()["repositories"] == []


def test_what_stays_is_listed_with_the_way_to_remove_it(made):
    dynamodb = made.session.client("dynamodb")

    def retain(**_):
        """Do what CloudFormation does and moto 5.2 does not: heed the DeletionPolicy."""
        if not dynamodb.list_tables()["TableNames"]:
            dynamodb.create_table(**TEMPLATE["Resources"]["AccountsTable"]["Properties"])

    made.session.events.register("after-call.cloudformation.DeleteStack", retain)
    table, shared = destroy(made.session, "cutout-dev", "cutout-dev")
    assert table.endswith("aws dynamodb delete-table --table-name accounts")
    assert "aws-sam-cli-managed-default" in shared


def test_a_repository_keeps_the_images_of_the_last_deployments(made):
    limit_images(made.session, "cutout-dev")
    text = made.session.client("ecr").get_lifecycle_policy(repositoryName="cutoutdev")["lifecyclePolicyText"]
    (rule,) = json.loads(text)["rules"]
    assert (rule["selection"]["countNumber"], rule["action"]["type"]) == (20, "expire")


def test_without_the_stacks_name_nothing_happens(made):
    with pytest.raises(DeployError, match="Nothing was deleted"):
        destroy(made.session, "cutout-dev", "yes")
    assert len(stacks(made)) == 2


def test_a_stack_that_is_not_there_is_told(cloud):
    with pytest.raises(DeployError, match="There is no stack cutout-dev"):
        destroy(cloud.session, "cutout-dev", "cutout-dev")
