"""What `make rollback` changes, and when it changes nothing."""

import io
import json
import zipfile

import pytest

from deploy import DeployError
from deploy.rollback import Step, rollback

ROLE = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}


@pytest.fixture
def functions(cloud):
    """A stack with a function that has an alias and one that has none; a way to publish versions."""
    s3 = cloud.session.client("s3")
    s3.create_bucket(Bucket="zips")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("app.py", "")
    s3.put_object(Bucket="zips", Key="app.zip", Body=buffer.getvalue())
    role = cloud.session.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(ROLE))
    properties = {
        "Code": {"S3Bucket": "zips", "S3Key": "app.zip"},
        "Handler": "app.handler",
        "Runtime": "python3.13",
        "Role": role["Role"]["Arn"],
    }
    resources = {
        name: {"Type": "AWS::Lambda::Function", "Properties": {**properties, "FunctionName": name}}
        for name in ("remove", "health")
    }
    formation = cloud.session.client("cloudformation")
    formation.create_stack(StackName="cutout-dev", TemplateBody=json.dumps({"Resources": resources}))
    return cloud


def publish(cloud, times):
    awslambda = cloud.session.client("lambda")
    for number in range(times):
        awslambda.update_function_configuration(FunctionName="remove", Description=str(number))
        version = awslambda.publish_version(FunctionName="remove")["Version"]
        if version == "1":
            awslambda.create_alias(FunctionName="remove", Name="live", FunctionVersion=version)
        else:
            awslambda.update_alias(FunctionName="remove", Name="live", FunctionVersion=version)


def serving(cloud):
    return cloud.session.client("lambda").get_alias(FunctionName="remove", Name="live")["FunctionVersion"]


def test_the_alias_names_the_version_before(functions):
    publish(functions, 3)
    assert rollback(functions.session, "cutout-dev") == [Step("remove", 3, 2)]
    assert serving(functions) == "2"


def test_without_an_earlier_version_nothing_changes(functions):
    publish(functions, 1)
    with pytest.raises(DeployError, match="no version before 1"):
        rollback(functions.session, "cutout-dev")
    assert serving(functions) == "1"


def test_a_stack_without_aliases_is_told(functions):
    with pytest.raises(DeployError, match="alias live"):
        rollback(functions.session, "cutout-dev")
