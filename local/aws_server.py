"""moto's server in a process of its own: DynamoDB, S3 and SQS. It prints its URL, then serves.

moto is made for one thread: a transaction that fails restores a copy of its whole table and loses the writes of others
since then, and the deletion of a message may lose one that arrives at that moment. So requests are answered one at a
time here, except while one waits for a message.
"""

import re
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from moto.core.request import Request
from moto.core.responses import BaseResponse
from moto.dynamodb.responses import DynamoHandler
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.responses import S3Response
from moto.sqs.models import Queue
from moto.sqs.responses import SQSResponse
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, make_server

from local.faster_moto import make_moto_faster
from local.keep_alive import KeepAliveHandler
from local.runtime import die_with_parent

one_at_a_time = threading.Lock()
"""The lock on moto's state, for reading and changing it."""
_wait_for_messages: Callable[[Queue, int], None] = Queue.wait_for_messages

_BY_TARGET: Mapping[str, type[BaseResponse]] = {"AmazonSQS": SQSResponse, "DynamoDB_20120810": DynamoHandler}
"""What answers requests that name their service in a header: those of the version that clients of today speak."""

SIGNED_FOR_S3 = "/s3/aws4_request"
"""In the credential scope of a request (AWS Signature Version 4)."""
_OBJECT_PATH = re.compile(r"/[^/]+/.")


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


def directly(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Wrap moto's WSGI application so that items, objects and messages are asked for without Flask.

    Flask takes half of such a request.

    Args:
        application: Answers all other requests.
    """

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        dispatch = find_dispatch(environ)
        if dispatch is None:
            return application(environ, start_response)
        request = ServerRequest(environ)
        try:
            status, headers, body = dispatch(request, request.raw_url, request.headers)
        except HTTPException as error:
            return error(environ, start_response)
        start_response(f"{status} {HTTPStatus(status).phrase}", [(name, str(value)) for name, value in headers.items()])
        return [body.encode() if isinstance(body, str) else body]

    return serve


def find_dispatch(environ: Mapping[str, Any]) -> Callable[..., Any] | None:
    """Find what answers a request about items, messages or, signed in a header, an object; None for other requests."""
    service, _, _ = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
    if service in _BY_TARGET:
        return _BY_TARGET[service].dispatch
    if SIGNED_FOR_S3 in environ.get("HTTP_AUTHORIZATION", "") and _OBJECT_PATH.match(environ["PATH_INFO"]):
        return S3Response.key_dispatch
    return None


def wait_unlocked(queue: Queue, timeout_s: int) -> None:
    """Wait for a message, in place of moto's method, while other requests are answered."""
    one_at_a_time.release()
    try:
        _wait_for_messages(queue, timeout_s)
    finally:
        one_at_a_time.acquire()


def make_aws_server(address: str = "127.0.0.1", record: Record | None = None) -> BaseWSGIServer:
    """Make the server on a free port; the parent's end is its own.

    Args:
        address: An address of this machine.
        record: Hears of each request; None: nobody does.
    """
    die_with_parent()
    Queue.wait_for_messages = wait_unlocked  # type: ignore[assignment, method-assign]
    make_moto_faster()
    application = serialized(directly(DomainDispatcherApplication(create_backend_app)), record)
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
