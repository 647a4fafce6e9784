import json
import os
import re
from pathlib import Path

import pytest

from cutout.accounts import KeyMode, KeyStatus
from cutout.authentication import authenticate, hash_key
from cutout.aws.dynamodb.audited_transaction import AuditedTable
from cutout.aws.dynamodb.keys import DynamoKeyStore
from cutout.errors import InvalidApiKeyError
from local.cloud import client
from local.resources import Template
from tools.make_key import main

STACK = {
    "Resources": {
        "AccountsTable": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "accounts-of-a-stack",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                ],
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
            },
        }
    },
    "Outputs": {"AccountsTable": {"Value": {"Ref": "AccountsTable"}}},
}


class Tool:
    """Runs the tool on one table and keeps what it said."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *where: str) -> None:
        self._capsys = capsys
        self._where = where
        self.stderr = ""

    def __call__(self, *arguments: str) -> str:
        assert self.status(*arguments) == 0, self.stderr
        return self.stdout.strip()

    def status(self, *arguments: str) -> int:
        self._capsys.readouterr()
        status = main([*self._where, *arguments])
        self.stdout, self.stderr = self._capsys.readouterr()
        return status


@pytest.fixture
def tool(cloud: Template, capsys: pytest.CaptureFixture[str]) -> Tool:
    return Tool(capsys, "--table", os.environ["CUTOUT_ACCOUNTS_TABLE"])


@pytest.fixture
def store(cloud: Template) -> DynamoKeyStore:
    return DynamoKeyStore(AuditedTable(client("dynamodb"), os.environ["CUTOUT_ACCOUNTS_TABLE"]))


def fingerprint_of(raw_key: str) -> str:
    return f"tok_fp_{hash_key(raw_key)[:12]}"


def test_a_key_that_was_made_opens_the_account_that_was_made(tool, store):
    account = tool("create-account", "--email", "a@example.com", "--plan", "metered")
    raw_key = tool("create-key", account, "--mode", "synthetic", "--label", "canary")

    caller = authenticate(raw_key, store)

    assert (caller.account.id, caller.account.email, caller.account.plan) == (account, "a@example.com", "metered")
    assert (caller.key.mode, caller.key.label) == (KeyMode.SYNTHETIC, "canary")


def test_stdout_has_the_key_alone_and_stderr_never_has_it(tool):
    account = tool("create-account", "--email", "a@example.com")

    raw_key = tool("create-key", account)

    assert re.fullmatch(r"ct_live_[A-Za-z0-9_-]{43}", raw_key)
    assert tool.stdout == raw_key + "\n"
    assert raw_key not in tool.stderr
    assert fingerprint_of(raw_key) in tool.stderr


def test_the_list_has_fingerprints_and_states_but_no_key(tool, store):
    account = tool("create-account", "--email", "a@example.com")
    first = tool("create-key", account, "--label", "laptop")
    second = tool("create-key", account, "--mode", "admin")
    tool("revoke-key", account, fingerprint_of(first))
    authenticate(second, store)

    lines = tool("list-keys", account).splitlines()

    by_fingerprint = {line.split()[0]: line for line in lines}
    assert by_fingerprint.keys() == {fingerprint_of(first), fingerprint_of(second)}
    assert all(word in by_fingerprint[fingerprint_of(first)] for word in ("live", "revoked", "never used", "laptop"))
    assert all(word in by_fingerprint[fingerprint_of(second)] for word in ("admin", "active", "used 20"))
    assert first not in tool.stdout
    assert second not in tool.stdout


def test_a_revoked_key_opens_nothing(tool, store):
    account = tool("create-account", "--email", "a@example.com")
    raw_key = tool("create-key", account)

    assert tool("revoke-key", account, fingerprint_of(raw_key)) == ""

    with pytest.raises(InvalidApiKeyError):
        authenticate(raw_key, store)


def test_a_rotated_key_gives_way_to_one_of_its_kind(tool, store):
    account = tool("create-account", "--email", "a@example.com")
    old = tool("create-key", account, "--mode", "admin", "--label", "ci")

    new = tool("rotate-key", account, fingerprint_of(old))

    assert new.startswith("ct_admin_")
    assert authenticate(new, store).key.label == "ci"
    assert store.find(hash_key(old)).key.status is KeyStatus.REVOKED


def test_an_account_s_bounds_may_be_other_than_its_plan_s(tool, store):
    bounds = ("--requests-per-second", "7", "--monthly-quota", "100")
    account = store.find_account(tool("create-account", "--email", "a@example.com", *bounds))

    assert (account.plan, account.requests_per_second, account.monthly_quota) == ("free", 7, 100)


def test_the_audit_tells_what_was_done_in_order_and_no_key(tool):
    account = tool("create-account", "--email", "a@example.com")
    raw_key = tool("create-key", account, "--label", "laptop")
    new = tool("rotate-key", account, fingerprint_of(raw_key))

    lines = tool("list-audit", account).splitlines()

    assert [line.split()[1] for line in lines] == ["account.create", "key.create", "key.rotate"]
    assert all("by operator" in line for line in lines)
    assert fingerprint_of(raw_key) in lines[2]
    assert raw_key not in tool.stdout
    assert new not in tool.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("create-key", "acct_nobody"),
        ("revoke-key", "acct_local", "tok_fp_000000000000"),
        ("rotate-key", "acct_local", "tok_fp_000000000000"),
        ("revoke-key", "acct_nobody", "tok_fp_000000000000"),
    ],
)
def test_what_is_not_there_is_refused_in_one_sentence(tool, arguments):
    assert tool.status(*arguments) == 1

    assert tool.stdout == ""
    assert tool.stderr.startswith("error: ")
    assert tool.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["create-account", "--email", "a@example.com"],
        ["--table", "t"],
        ["--table", "t", "--stack", "s", "list-keys", "acct_1"],
        ["--table", "t", "create-account"],
        ["--table", "t", "create-account", "--email", "a@example.com", "--plan", "platinum"],
        ["--table", "t", "create-account", "--email", "a@example.com", "--requests-per-second", "0"],
        ["--table", "t", "create-account", "--email", "a@example.com", "--monthly-quota", "many"],
        ["--table", "t", "create-key", "acct_1", "--mode", "root"],
        ["--table", "t", "revoke-key", "acct_1"],
        ["--table", "t", "--port", "8585", "list-keys", "acct_1"],
    ],
)
def test_bad_usage_ends_with_two(arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)

    assert end.value.code == 2


def test_a_stack_s_table_is_found_by_its_output(cloud, capsys):
    client("cloudformation").create_stack(StackName="photos", TemplateBody=json.dumps(STACK))
    tool = Tool(capsys, "--stack", "photos")

    raw_key = tool("create-key", tool("create-account", "--email", "a@example.com"))

    store = DynamoKeyStore(AuditedTable(client("dynamodb"), "accounts-of-a-stack"))
    assert authenticate(raw_key, store).account.email == "a@example.com"


def test_a_stack_that_is_not_ours_or_not_there_is_refused(cloud, capsys):
    foreign = {"Resources": {"Any": {"Type": "AWS::SQS::Queue"}}}
    client("cloudformation").create_stack(StackName="foreign", TemplateBody=json.dumps(foreign))

    assert Tool(capsys, "--stack", "foreign").status("list-keys", "acct_1") == 1
    assert Tool(capsys, "--stack", "nowhere").status("list-keys", "acct_1") == 1


def test_a_table_that_is_not_there_is_refused(cloud, capsys):
    tool = Tool(capsys, "--table", "nowhere")

    assert tool.status("list-keys", "acct_1") == 1
    assert tool.stderr.startswith("error: ")


def test_without_a_local_service_the_tool_says_how_to_start_one(tmp_path: Path, capsys):
    tool = Tool(capsys, "--local", "--state", str(tmp_path))

    assert tool.status("list-keys", "acct_local") == 1
    assert "make run" in tool.stderr
