"""An AWS account in moto, with limits that a test chooses, and the template as tests/template reads it."""

from dataclasses import dataclass, field

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from moto import mock_aws

from tests.template.conftest import document

__all__ = ["document"]


@dataclass(slots=True)
class Cloud:
    """A session of moto's; Lambda allows ``concurrency`` executions, which moto itself cannot tell."""

    session: boto3.Session
    concurrency: int = 1000
    asked: list[str] = field(default_factory=list)

    def ask(self, question: str, default: str) -> str:
        """Note a question, and take its default."""
        self.asked.append(question)
        return default

    def limits(self, **_):
        limit = {"ConcurrentExecutions": self.concurrency, "UnreservedConcurrentExecutions": self.concurrency}
        return AWSResponse("https://lambda", 200, {}, None), {"AccountLimit": limit}


@pytest.fixture
def cloud():
    with mock_aws():
        made = Cloud(boto3.Session(region_name="us-east-1"))
        made.session.events.register("before-call.lambda.GetAccountSettings", made.limits)
        yield made
