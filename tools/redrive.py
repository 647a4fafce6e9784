"""Show what a dead-letter queue holds, and send it back to where it came from.

    tools/redrive.py --stack cutout-prod --queue jobs             what is there: jobs, objects, and why they failed
    tools/redrive.py --stack cutout-prod --queue jobs --replay    and back into the queue, one message after another

A message is sent first and deleted then, so none is lost; one that is sent twice does no harm, since functions get
messages at least once anyway. What fails again comes back here. AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL are heeded
as usual.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "cutout")]

from cutout.aws import telemetry  # noqa: E402 - found only now
from cutout.aws.dynamodb.jobs import DynamoJobStore  # noqa: E402
from cutout.aws.s3_events import UnknownMessageError, read_message  # noqa: E402
from cutout.errors import CutoutError  # noqa: E402
from cutout.jobs.ids import object_job_id  # noqa: E402
from cutout.jobs.parts import JobMessage, ObjectCreated  # noqa: E402
from cutout.jobs.store import JobStore  # noqa: E402

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

HIDDEN_S = 300
"""For which a message that was taken is hidden from others; in the end, what is not deleted is shown again at once."""
WAIT_S = 2
"""A queue that has nothing for so long is empty."""


class NoStackError(Exception):
    """The stack, or its queues, are not where the command line says."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is. endpoint: URL of AWS; None: as the environment says."""

    source: str
    letters: str
    jobs_table: str
    uploads_bucket: str
    endpoint: str | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Show or replay; 0 when it is done, 1 with one sentence when it is not. argparse ends bad usage with 2."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--stack", help="a deployed stack, by the name in samconfig.toml")
    where.add_argument("--local", action="store_true", help="the service that `make run` serves")
    parser.add_argument("--port", type=int, help="with --local: which one, when several are running")
    parser.add_argument("--state", type=Path, default=ROOT / ".local", help="with --local: where it keeps its state")
    parser.add_argument("--queue", choices=["jobs", "webhooks"], required=True)
    parser.add_argument("--replay", action="store_true", help="send the messages back; without it they are only shown")
    parser.add_argument("--max", type=int, default=10_000, help="messages to show or send at most")
    given = parser.parse_args(arguments)
    try:
        place = local_place(given) if given.local else deployed_place(given.stack, given.queue)
        count = redrive(place, given.max, replay=given.replay)
    except (CutoutError, NoStackError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{count} message(s) {'sent back' if given.replay else 'shown; --replay sends them back'}.", file=sys.stderr)
    return 0


def redrive(place: Place, most: int, *, replay: bool) -> int:
    """Print, and send back if asked to, up to ``most`` messages; how many there were."""
    settings: dict[str, Any] = {"endpoint_url": place.endpoint}
    sqs: SQSClient = boto3.client("sqs", **settings)
    jobs = DynamoJobStore(boto3.client("dynamodb", **settings), place.jobs_table, accounts_table="")
    count = 0
    replayed: set[str] = set()
    letters = Letters(sqs, place.letters)
    try:
        for message in letters.take():
            if count >= most or message["MessageId"] in replayed:  # that one came back while the others were sent
                break
            print(describe(message, jobs, place.uploads_bucket))
            if replay:
                replayed.add(resend(sqs, place.source, message))
                letters.delete(message)
            count += 1
    finally:
        letters.put_back()
    return count


def resend(sqs: "SQSClient", queue: str, message: "MessageTypeDef") -> str:
    """Send a message again with its attributes; the id that it has now."""
    kept = {
        name: {key: value[key] for key in ("DataType", "StringValue", "BinaryValue") if key in value}
        for name, value in message.get("MessageAttributes", {}).items()
    }
    answer = sqs.send_message(QueueUrl=queue, MessageBody=message["Body"], MessageAttributes=kept)  # type: ignore[arg-type]
    return answer["MessageId"]


class Letters:
    """A dead-letter queue, message by message."""

    def __init__(self, sqs: "SQSClient", url: str) -> None:
        self._sqs = sqs
        self._url = url
        self._taken: dict[str, str] = {}

    def take(self) -> Iterator["MessageTypeDef"]:
        """Every message, once, hidden from others meanwhile."""
        while True:
            messages = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=HIDDEN_S,
                WaitTimeSeconds=WAIT_S,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if not messages:
                return
            self._taken |= {message["MessageId"]: message["ReceiptHandle"] for message in messages}
            yield from messages

    def delete(self, message: "MessageTypeDef") -> None:
        """Remove a message for good."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        del self._taken[message["MessageId"]]

    def put_back(self) -> None:
        """Show what was taken and not deleted to others again; what cannot be reached now is shown in time."""
        for receipt in self._taken.values():
            with suppress(BotoCoreError, ClientError):
                self._sqs.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=0)


def describe(message: "MessageTypeDef", jobs: JobStore, bucket: str) -> str:
    """One line for each job of a message: its id, where it stands, what it is about, and the last fault."""
    try:
        tasks = read_message(message["Body"], bucket)
    except UnknownMessageError as error:
        return f"{'-':<36}  not understood ({error}): {message['Body'][:200]!r}"
    return (
        "\n".join(describe_task(task, jobs) for task in tasks) or f"{'-':<36}  nothing to do: {message['Body'][:200]!r}"
    )


def describe_task(task: ObjectCreated | JobMessage, jobs: JobStore) -> str:
    """One line for a job."""
    if isinstance(task, JobMessage):
        job_id, about = task.job_id, ""
    else:
        job_id = task.job_id or object_job_id(task.bucket, task.key, task.version)
        about = f"  s3://{task.bucket}/{task.key}"
    job = jobs.find(job_id)
    if job is None:
        return f"{job_id}  no such job (any more){about}"
    reason = job.error.message if job.error else job.fault or "no fault is noted"
    return f"{job_id}  {job.state:<9}  attempts {job.attempts}, faults {job.faults}{about}  {reason}"


def deployed_place(stack: str, queue: str) -> Place:
    """Look the outputs of a stack up. Raises NoStackError."""
    cloudformation: Any = boto3.client("cloudformation")
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described}
    name = queue.capitalize()
    try:
        letters, source = outputs[f"{name}DeadLetterQueue"], outputs[f"{name}Queue"]
        return Place(source, letters, outputs["JobsTable"], outputs["UploadsBucket"])
    except KeyError as error:
        raise NoStackError(f"The stack {stack} has no output {error.args[0]}: is it Cutout's?") from error


def local_place(given: argparse.Namespace) -> Place:
    """Read where a running local service has its queues. Raises NoStackError."""
    from local.cloud import aws_environment  # noqa: PLC0415 - needs what `make run` installs, which --stack does without
    from local.template import load_template  # noqa: PLC0415

    file = given.state / (str(given.port) if given.port is not None else "") / "endpoints.json"
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError as error:
        raise NoStackError(f"No local service is running: there is no {file}. Start one by `make run`.") from error
    os.environ.update(aws_environment())
    table = load_template(ROOT / "template.yaml").tables["JobsTable"].name
    letters, source = found[f"{given.queue}_dead_letter_queue"], found[f"{given.queue}_queue"]
    return Place(source, letters, table, found["uploads_bucket"], found["aws"])


if __name__ == "__main__":
    telemetry.logger.setLevel("CRITICAL")  # stdout is for what was asked
    sys.exit(main())
