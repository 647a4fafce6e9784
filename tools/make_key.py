"""Make accounts and API keys, list, revoke and rotate keys, read the audit, in any stack, deployed or local.

What is asked for goes to stdout and everything else to stderr, so that KEY=$(... create-key ...) works. A raw key is
printed once, here, and kept nowhere. For a deployed stack, AWS_PROFILE and AWS_REGION choose the account as usual.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "cutout")]

from cutout.accounts import PLANS, Account, ApiKey, KeyMode, new_account_id  # noqa: E402 - found only now
from cutout.authentication import new_key  # noqa: E402 - found only now
from cutout.aws.dynamodb.audited_transaction import AuditedTable  # noqa: E402
from cutout.aws.dynamodb.keys import DynamoKeyStore  # noqa: E402
from cutout.errors import CutoutError  # noqa: E402

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class StackNotFoundError(Exception):
    """The stack, or its table of accounts, is not where the command line says."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one command; 0 when it is done, 1 with one sentence when it is refused. argparse ends bad usage with 2."""
    parser = command_line()
    given = parser.parse_args(arguments)
    if given.port is not None and not given.local:
        parser.error("--port goes with --local")
    run: Callable[[DynamoKeyStore, argparse.Namespace], None] = given.run
    try:
        run(key_store(given), given)
    except (CutoutError, StackNotFoundError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def command_line() -> argparse.ArgumentParser:
    """Options that say where, then a command that says what."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--stack", help="a deployed stack, by the name in samconfig.toml")
    where.add_argument("--table", help="its table of accounts, by name")
    where.add_argument("--local", action="store_true", help="the service that `make run` serves")
    parser.add_argument("--port", type=int, help="with --local: which one, when several are running")
    parser.add_argument("--state", type=Path, default=ROOT / ".local", help="with --local: where it keeps its state")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("create-account", help="print the new account's id")
    command.add_argument("--email", required=True)
    command.add_argument("--plan", choices=PLANS, default="free")
    command.add_argument("--requests-per-second", type=above_zero, help="instead of the plan's")
    command.add_argument("--monthly-quota", type=above_zero, help="images a month, instead of the plan's")
    command.set_defaults(run=create_account)

    command = commands.add_parser("create-key", help="print a new key of an account, once")
    command.add_argument("account")
    command.add_argument("--mode", type=KeyMode, choices=list(KeyMode), default=KeyMode.LIVE)
    command.add_argument("--label", default="", help="what the key is for")
    command.set_defaults(run=create_key)

    command = commands.add_parser("list-keys", help="print an account's keys, revoked ones too, by fingerprint")
    command.add_argument("account")
    command.set_defaults(run=list_keys)

    command = commands.add_parser("revoke-key", help="close a key for good")
    command.add_argument("account")
    command.add_argument("fingerprint")
    command.set_defaults(run=revoke_key)

    command = commands.add_parser("rotate-key", help="close a key and print the new one in its place, once")
    command.add_argument("account")
    command.add_argument("fingerprint")
    command.set_defaults(run=rotate_key)

    command = commands.add_parser("list-audit", help="print what was done to an account and its keys, and by whom")
    command.add_argument("account")
    command.set_defaults(run=list_audit)
    return parser


def above_zero(text: str) -> int:
    """Read a number of the command line. Raises ValueError, which argparse turns into a refusal."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def create_account(store: DynamoKeyStore, given: argparse.Namespace) -> None:
    """Print the id of a new account."""
    account = Account.on_plan(new_account_id(), given.email, PLANS[given.plan])
    if given.requests_per_second is not None:
        account = replace(account, requests_per_second=given.requests_per_second)
    if given.monthly_quota is not None:
        account = replace(account, monthly_quota=given.monthly_quota)
    store.create_account(account)
    print(account.id)


def create_key(store: DynamoKeyStore, given: argparse.Namespace) -> None:
    """Print a new key."""
    raw_key = new_key(given.mode)
    show_once(raw_key, store.create_key(given.account, raw_key, given.mode, given.label))


def list_keys(store: DynamoKeyStore, given: argparse.Namespace) -> None:
    """Print one line for each key."""
    for key in store.list_keys(given.account):
        used = f"used {key.last_used_day}" if key.last_used_day else "never used"
        print(f"{key.fingerprint}  {key.mode:<9}  {key.status:<7}  made {key.created_at:%Y-%m-%d}  {used}  {key.label}")


def revoke_key(store: DynamoKeyStore, given: argparse.Namespace) -> None:
    """Close a key."""
    store.revoke(given.account, given.fingerprint)
    print(f"{given.fingerprint} is revoked; running functions may take it for 60 s more.", file=sys.stderr)


def rotate_key(store: DynamoKeyStore, given: argparse.Namespace) -> None:
    """Print a new key in the place of an old one."""
    old = next((key for key in store.list_keys(given.account) if key.fingerprint == given.fingerprint), None)
    raw_key = new_key(old.mode if old else KeyMode.LIVE)  # without an old one the store refuses
    show_once(raw_key, store.rotate(given.account, given.fingerprint, raw_key))
    print(f"{given.fingerprint} is revoked; running functions may take it for 60 s more.", file=sys.stderr)


def list_audit(store: DynamoKeyStore, given: argparse.Namespace) -> None:
    """Print one line for each change: by a key's fingerprint, or by an operator with rights to the table."""
    for entry in store.audit(given.account):
        changes = json.dumps(entry.changes) if entry.changes else ""
        actor = f"by {entry.actor.name} {entry.actor.request_id}".rstrip()
        print(f"{entry.at:%Y-%m-%dT%H:%M:%SZ}  {entry.action:<21}  {entry.target}  {actor}  {changes}".rstrip())


def show_once(raw_key: str, key: ApiKey) -> None:
    """Print a raw key, the only time that anybody sees it."""
    print(raw_key)
    print(f"This is the only time the key is shown. Its fingerprint is {key.fingerprint}.", file=sys.stderr)


def key_store(given: argparse.Namespace) -> DynamoKeyStore:
    """Find the table that the command line means. Raises StackNotFoundError."""
    if given.local:
        return local_key_store(given.state, given.port)
    client: DynamoDBClient = boto3.client("dynamodb")
    return DynamoKeyStore(AuditedTable(client, given.table or table_of(given.stack)))


def table_of(stack: str) -> str:
    """Look up the output AccountsTable of a deployed stack."""
    cloudformation: Any = boto3.client("cloudformation")
    outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    for output in outputs:
        if output["OutputKey"] == "AccountsTable":
            return str(output["OutputValue"])
    raise StackNotFoundError(f"The stack {stack} has no output AccountsTable: is it Cutout's?")


def local_key_store(state: Path, port: int | None) -> DynamoKeyStore:
    """Reach the table inside a running local service."""
    from local.cloud import client  # noqa: PLC0415 - needs what `make run` installs, which --stack does without
    from local.template import load_template  # noqa: PLC0415

    file = state / (str(port) if port is not None else "") / "endpoints.json"
    try:
        endpoints = json.loads(file.read_text())
    except FileNotFoundError as error:
        raise StackNotFoundError(
            f"No local service is running: there is no {file}. Start one by `make run`."
        ) from error
    table = load_template(ROOT / "template.yaml").tables["AccountsTable"].name
    return DynamoKeyStore(AuditedTable(client("dynamodb", endpoints["aws"]), table))


if __name__ == "__main__":
    sys.exit(main())
