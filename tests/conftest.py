"""The ladder of fixtures: no network, then a fake AWS, then the whole local service.

``template`` is what the repository's template.yaml says; ``cloud`` has its tables and buckets in moto, inside this
process; ``dynamodb`` is the tables alone, on two implementations of DynamoDB; ``service`` is ``python -m local`` on a
free port, once per run.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import requests
from moto import mock_aws

from local import ROOT
from local.cloud import aws_environment, client, create_cloud, seed_account
from local.resources import Template
from local.template import load_template
from tests.support.budget import summary
from tests.support.coverage_marks import covered
from tests.support.dynalite_server import IMPLEMENTATIONS, dynalite_server
from tests.support.in_process_api import session
from tests.support.local_service import LIVE_KEY, Service, local_service
from tests.support.model_cache import remember_alphas
from tests.support.moto_cloud import empty
from tests.support.process_state import forget, forget_clients
from tests.support.sequential_transactions import SequentialTransactions
from tests.support.webhook_receiver import Receiver, receiver
from tests.support.xdist_groups import group_of, turn_of

_began = time.monotonic()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--budget-minutes", type=float, default=0, help="the tier's budget, printed at the end of the run")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print where the time went; a budget is no test, since machines differ."""
    reports = [each for kind in terminalreporter.stats.values() for each in kind if hasattr(each, "duration")]
    terminalreporter.section("time")
    for line in summary(reports, time.monotonic() - _began, config.getoption("--budget-minutes")):
        terminalreporter.write_line(line)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a test covers of a dialect goes into the report; what several processes share out is put in order."""
    items.sort(key=lambda item: turn_of(item.path))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item.path)))
        for dialect, kind in covered(item.path, item.iter_markers("covers")):
            item.user_properties.append(("covers", f"{dialect} {kind}"))
    if len({item.nodeid for item in items}) < len(items):
        raise pytest.UsageError("two tests have one name: pytest-xdist would run only one of them")


@pytest.fixture(scope="session", autouse=True)
def _one_loader() -> Iterator[None]:
    """botocore reads its descriptions of services once for all sessions: moto makes a new session for every test."""
    loader = botocore.session.create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", lambda *_: loader)
        yield


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets reach loopback only; in tests/unit not even that, unless the test is marked ``loopback``."""
    in_unit = (ROOT / "tests" / "unit") in request.path.parents
    silent = in_unit and request.node.get_closest_marker("loopback") is None
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _guard(getattr(socket.socket, name), silent=silent))


def _on_this_machine(host: str) -> bool:
    """Whether what goes to an address stays here: loopback, or another address of this machine (Docker's bridge)."""
    if host in {"127.0.0.1", "::1", "localhost"}:
        return True
    with socket.socket() as probe:
        try:
            probe.bind((str(ip_address(host)), 0))
        except (OSError, ValueError):
            return False
    return True


def _guard(connect: Any, *, silent: bool) -> Any:
    def guarded(self: socket.socket, address: Any) -> Any:
        internet = self.family in {socket.AF_INET, socket.AF_INET6}
        if internet and (silent or not _on_this_machine(address[0])):
            pytest.fail(f"a test tried to connect to {address}")
        return connect(self, address)

    return guarded


@pytest.fixture(autouse=True)
def _aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the developer's shell says, boto3 has a dummy key and functions have no settings."""
    for name in os.environ:
        if name.startswith(("AWS_", "CUTOUT_", "POWERTOOLS_")):
            monkeypatch.delenv(name)
    for name, value in aws_environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def template() -> Template:
    return load_template(ROOT / "template.yaml")


@pytest.fixture(scope="module")
def _moto(template: Template) -> Iterator[Any]:
    """Moto with the template's tables, buckets and queues; its client of DynamoDB."""
    with mock_aws():
        create_cloud(template)
        yield client("dynamodb")


@pytest.fixture
def cloud(template: Template, _moto: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Template]:
    """Moto with empty tables, buckets and queues, and the local account; the functions' environment is set.

    The model gives its true answers, but is not asked twice about one small picture.
    """
    empty()
    for function in template.functions.values():
        for name, value in function.environment.items():
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("CUTOUT_MODELS_DIR", str(ROOT / "models"))
    remember_alphas(monkeypatch)
    seed_account(os.environ["CUTOUT_ACCOUNTS_TABLE"], LIVE_KEY)
    forget()
    yield template
    forget()


@pytest.fixture
def own_clients() -> Iterator[None]:
    """AWS clients of this test alone, which breaks them or has them look elsewhere."""
    forget_clients()
    yield
    forget_clients()


@pytest.fixture
def api(cloud: Template) -> requests.Session:
    """The functions in this process, below ``tests.support.in_process_api.URL``."""
    return session(cloud)


@pytest.fixture(scope="session")
def dynalite_url() -> Iterator[str]:
    with dynalite_server() as url:
        yield url


@pytest.fixture(params=IMPLEMENTATIONS)
def dynamodb(request: pytest.FixtureRequest) -> Any:
    """A DynamoDB client; the template's tables are there and empty."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def moto(_moto: Any) -> Any:
    empty()
    return _moto


@pytest.fixture
def dynalite(template: Template, dynalite_tables: Any) -> Iterator[Any]:
    yield SequentialTransactions(dynalite_tables)
    for table in template.tables.values():
        keys = [part["AttributeName"] for part in table.key_schema]
        for page in dynalite_tables.get_paginator("scan").paginate(TableName=table.name):
            for item in page["Items"]:
                dynalite_tables.delete_item(TableName=table.name, Key={name: item[name] for name in keys})


@pytest.fixture(scope="session")
def dynalite_tables(template: Template, dynalite_url: str) -> Any:
    """Made once, since dynalite takes its time to make and to drop a table."""
    dynamodb = client("dynamodb", dynalite_url)
    for table in template.tables.values():
        dynamodb.create_table(
            TableName=table.name,
            KeySchema=list(table.key_schema),
            AttributeDefinitions=list(table.attributes),
            BillingMode="PAY_PER_REQUEST",
            **({"GlobalSecondaryIndexes": list(table.indexes)} if table.indexes else {}),
        )
        dynamodb.get_waiter("table_exists").wait(TableName=table.name, WaiterConfig={"Delay": 0.05})
    return dynamodb


@dataclass(frozen=True, slots=True)
class FileServer:
    """An HTTP server on loopback; what is written to ``folder`` is served below ``url``."""

    url: str
    folder: Path
    authority: str


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def file_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    """Where ``image_url`` may point to although it is loopback: the service's allow-list names it."""
    folder = tmp_path_factory.mktemp("files")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietHandler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        authority = f"127.0.0.1:{server.server_address[1]}"
        yield FileServer(f"http://{authority}", folder, authority)
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def hooks() -> Iterator[Receiver]:
    """Where ``webhook_url`` may point to although it is loopback."""
    with receiver() as taken:
        yield taken


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, file_server: FileServer, hooks: Receiver) -> Iterator[Service]:
    """The whole local service, with the default model; failed webhooks are tried again at once."""
    allow = f"{file_server.authority},{hooks.authority}"
    settings = {"CUTOUT_WEBHOOK_BACKOFF_S": "0"}
    with local_service(tmp_path_factory.mktemp("local"), allow=allow, settings=settings) as running:
        yield running
