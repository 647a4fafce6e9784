"""What the AWS account allows, held against what the stack asks for, before anything is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.sizing import DEFAULT_MB

MOST_WORKERS = 10
"""Queue workers of a kind that a new stack gets where the account has room."""
KEPT_FREE = 100
"""Concurrency that Lambda never lets functions reserve (Lambda developer guide, "Configuring reserved concurrency")."""
QUOTA = "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384"
"""Asks for more concurrent executions; a number follows."""


@dataclass(frozen=True, slots=True)
class Account:
    """What an account allows in a region.

    Attributes:
        concurrency: Executions at one time, over all functions of the account.
        unreserved: What of them no other function has reserved.
        gateway_logs: Whether API Gateway has a role by which it writes logs.
    """

    concurrency: int
    unreserved: int
    gateway_logs: bool


def read_account(awslambda: Any, apigateway: Any) -> Account:
    """Ask Lambda and API Gateway for an account's limits.

    Args:
        awslambda: boto3 client of Lambda.
        apigateway: boto3 client of API Gateway.

    Raises:
        botocore.exceptions.ClientError: The caller may not ask.
    """
    limits = awslambda.get_account_settings()["AccountLimit"]
    role = apigateway.get_account().get("cloudwatchRoleArn")
    return Account(limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"], bool(role))


def fitting(account: Account) -> dict[str, str]:
    """Choose parameters that leave the API at least half of the account's concurrency.

    The logging role of API Gateway belongs to the account and the region, so it is made only where there is none.
    """
    workers = str(min(MOST_WORKERS, max(2, account.unreserved // 5)))
    return {
        "UploadConcurrency": workers,
        "WebhookConcurrency": workers,
        "ManageGatewayLogging": str(not account.gateway_logs).lower(),
    }


def problems(account: Account, parameters: Mapping[str, str]) -> list[str]:
    """Say what does not fit, a sentence each, with what to do about it; empty where all fits."""
    return [*_workers(account, parameters), *_reserved(account, parameters), *_logging(account, parameters)]


def warnings(account: Account, parameters: Mapping[str, str]) -> list[str]:
    """Say what may not fit and cannot be found out before, or will be noticed under load."""
    said = []
    if int(parameters["RemoveMemory"]) > DEFAULT_MB:
        said.append(
            f"RemoveMemory is {parameters['RemoveMemory']} MB. New accounts may use {DEFAULT_MB} MB; if the stack "
            "fails with \"'MemorySize' value failed to satisfy constraint\", ask AWS support for Lambda's full memory."
        )
    if account.concurrency < 1000:  # noqa: PLR2004 - Lambda's usual quota
        said.append(
            f"The account runs {account.concurrency} Lambda executions at one time; more callers than that are "
            f"answered 503. To ask for the usual 1,000: {QUOTA} --desired-value 1000"
        )
    return said


def _workers(account: Account, parameters: Mapping[str, str]) -> list[str]:
    workers = int(parameters["UploadConcurrency"]) + int(parameters["WebhookConcurrency"])
    if workers <= account.unreserved // 2:
        return []
    said = (
        f"UploadConcurrency and WebhookConcurrency are {workers} together, and the account has {account.unreserved} "
        "executions at one time for all of its functions: the queues would starve the API. Set both to "
        f"{fitting(account)['UploadConcurrency']}, or ask for more: {QUOTA} --desired-value {max(1000, 2 * workers)}"
    )
    return [said]


def _reserved(account: Account, parameters: Mapping[str, str]) -> list[str]:
    reserved = int(parameters["ReservedConcurrency"])
    provisioned = int(parameters["ProvisionedConcurrency"])
    if max(reserved, provisioned) <= max(0, account.concurrency - KEPT_FREE):
        return []
    said = (
        f"ReservedConcurrency {reserved} and ProvisionedConcurrency {provisioned} must leave {KEPT_FREE} of the "
        f"account's {account.concurrency} executions unreserved."
    )
    return [said]


def _logging(account: Account, parameters: Mapping[str, str]) -> list[str]:
    if account.gateway_logs or parameters["ManageGatewayLogging"] == "true":
        return []
    said = (
        "API Gateway has no role for logs in this region, and no stage with an access log can be made without one: "
        "set ManageGatewayLogging=true."
    )
    return [said]
