"""moto's server in a process of its own: DynamoDB, S3, SQS and whatever functions use. Prints its URL, then serves.

moto is made for one thread: a transaction that fails puts back a copy of its whole table, with it whatever others have
written meanwhile, and a deleted message may take one along that arrives at that moment. So requests are answered one
at a time here, those that wait for a message apart.
"""

import io
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sqs.models import Queue
from werkzeug.serving import make_server

from local.runtime import die_with_parent

_one_at_a_time = threading.Lock()
_wait: Callable[[Queue, int], None] = Queue.wait_for_messages
_transact: Callable[[DynamoDBBackend, list[dict[str, Any]]], None] = DynamoDBBackend.transact_write_items


def serving_alone(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """A WSGI application that answers one request at a time; bodies are read and answers written side by side."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = -1 if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        with _one_at_a_time:
            return [b"".join(application(environ, start_response))]

    return serve


def wait_aside(queue: Queue, timeout_s: int) -> None:
    """Let other requests pass while this one waits for a message."""
    _one_at_a_time.release()
    try:
        _wait(queue, timeout_s)
    finally:
        _one_at_a_time.acquire()


def transact_on_what_is_named(backend: DynamoDBBackend, writes: list[dict[str, Any]]) -> None:
    """A transaction over a part of its tables: moto copies them whole, once for each write, to be able to go back."""
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
        _transact(backend, writes)
    finally:
        for name, table in whole.items():
            part = backend.tables[name]  # another one, when moto went back
            for key in named[name] - part.items.keys():
                table.items.pop(key, None)
            table.items.update(part.items)
            backend.tables[name] = table


def main(address: str = "127.0.0.1") -> None:
    """Serve on a free port of an address of this machine until the parent is gone."""
    die_with_parent()
    Queue.wait_for_messages = wait_aside  # type: ignore[assignment, method-assign]
    DynamoDBBackend.transact_write_items = transact_on_what_is_named  # type: ignore[assignment, method-assign]
    application = serving_alone(DomainDispatcherApplication(create_backend_app))
    server = make_server(address, 0, application, threaded=True, request_handler=MotoRequestHandler)
    print(f"http://{server.host}:{server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
