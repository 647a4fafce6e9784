"""moto's server in a process of its own: DynamoDB, S3 and SQS. It prints its URL, then serves.

moto is made for one thread: a transaction that fails restores a copy of its whole table and loses the writes of others
since then, and the deletion of a message may lose one that arrives at that moment. So requests are answered one at a
time here, except while one waits for a message.
"""

import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import copy
from http import HTTPStatus
from typing import Any

from moto.core.request import Request
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.responses import DynamoHandler
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sqs.models import Queue
from werkzeug.serving import BaseWSGIServer, make_server

from local.keep_alive import KeepAliveHandler
from local.runtime import die_with_parent

one_at_a_time = threading.Lock()
"""The lock on moto's state, for reading and changing it."""
_wait_for_messages: Callable[[Queue, int], None] = Queue.wait_for_messages
_transact_write_items: Callable[[DynamoDBBackend, list[dict[str, Any]]], None] = DynamoDBBackend.transact_write_items

DYNAMODB_VERSION = "20120810"
"""The only version of its API that clients of today speak."""


class ServerRequest(Request):
    """A request that a server has received, and will date the answer to."""

    from_wsgi_server = True


Record = Callable[[dict[str, Any], bytes], None]
"""Hears of each request when it has been carried out, before it is answered: its WSGI environment and its body."""


def serialized(
    application: Callable[..., Iterable[bytes]], record: Record | None = None
) -> Callable[..., Iterable[bytes]]:
    """Wrap a WSGI application so that it answers one request at a time.

    Args:
        application: The application; it is given its body as :class:`~local.keep_alive.KeepAliveHandler` does, whole.
        record: Hears of each request; None: nobody does.
    """

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].getvalue()
        with one_at_a_time:
            answer = b"".join(application(environ, start_response))
            if record is not None:
                record(environ, body)
            return [answer]

    return serve


def dynamodb_directly(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Wrap moto's WSGI application so that DynamoDB is asked without Flask, which takes a third of such a request.

    Args:
        application: Answers all other requests.
    """

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not environ.get("HTTP_X_AMZ_TARGET", "").startswith(f"DynamoDB_{DYNAMODB_VERSION}."):
            return application(environ, start_response)
        request = ServerRequest(environ)
        status, headers, body = DynamoHandler.dispatch(request, request.raw_url, request.headers)
        start_response(f"{status} {HTTPStatus(status).phrase}", [(name, str(value)) for name, value in headers.items()])
        return [body.encode() if isinstance(body, str) else body]

    return serve


def wait_unlocked(queue: Queue, timeout_s: int) -> None:
    """Wait for a message, in place of moto's method, while other requests are answered."""
    one_at_a_time.release()
    try:
        _wait_for_messages(queue, timeout_s)
    finally:
        one_at_a_time.acquire()


def transact_named_items(backend: DynamoDBBackend, writes: list[dict[str, Any]]) -> None:
    """Run a transaction, in place of moto's method, on the items that it names.

    moto copies whole tables, once for each write, to be able to roll back.

    Args:
        backend: moto's DynamoDB of one region.
        writes: The TransactItems of the request.
    """
    named: defaultdict[str, set[DynamoType]] = defaultdict(set)
    for operation in (operation for write in writes for operation in write.values()):
        table = backend.tables.get(operation.get("TableName"))
        key = operation.get("Key") or operation.get("Item") or {}
        if table is not None and table.hash_key_attr in key:
            named[table.name].add(DynamoType(key[table.hash_key_attr]))
    whole = {name: backend.tables[name] for name in named}
    for name, table in whole.items():
        part = copy(table)
        part.items = defaultdict(dict, {key: table.items[key] for key in named[name] if key in table.items})
        backend.tables[name] = part
    try:
        _transact_write_items(backend, writes)
    finally:
        for name, table in whole.items():
            part = backend.tables[name]  # another object after a rollback
            for key in named[name] - part.items.keys():
                table.items.pop(key, None)
            table.items.update(part.items)
            backend.tables[name] = table


def make_aws_server(address: str = "127.0.0.1", record: Record | None = None) -> BaseWSGIServer:
    """Make the server on a free port; the parent's end is its own.

    Args:
        address: An address of this machine.
        record: Hears of each request; None: nobody does.
    """
    die_with_parent()
    Queue.wait_for_messages = wait_unlocked  # type: ignore[assignment, method-assign]
    DynamoDBBackend.transact_write_items = transact_named_items  # type: ignore[assignment, method-assign]
    application = serialized(dynamodb_directly(DomainDispatcherApplication(create_backend_app)), record)
    return make_server(address, 0, application, threaded=True, request_handler=KeepAliveHandler)


def main(address: str = "127.0.0.1") -> None:
    """Serve until the parent process ends.

    Args:
        address: An address of this machine.
    """
    server = make_aws_server(address)
    print(f"http://{server.host}:{server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
