"""The entry of the container image: Lambda's own runtime client, which here can also answer in pieces.

Events are awaited, handlers called, answers and errors written by ``awslambdaric``. Only a :class:`StreamedAnswer` is
sent from here, by the documented protocol: response mode ``streaming``, chunks, and trailers for an error after the
first. Source: Lambda developer guide, "Using the Lambda runtime API for custom runtimes", "Invocation response".
"""

import base64
import gc
import json
import logging
import sys
import traceback
from collections.abc import Generator, Iterator
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

from awslambdaric import bootstrap
from awslambdaric.lambda_config import LambdaConfigProvider
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient, LambdaRuntimeClientError
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

from cutout.aws.streamed_answer import MEDIA_TYPE, StreamedAnswer

logger = logging.getLogger(__name__)

_ERROR_TYPE: Final = "Lambda-Runtime-Function-Error-Type"
_ERROR_BODY: Final = "Lambda-Runtime-Function-Error-Body"


class _Marshaller(LambdaMarshaller):  # type: ignore[misc]  # awslambdaric has no types
    """Leaves streamed answers as they are."""

    def marshal_response(self, response: Any) -> tuple[Any, str]:
        if isinstance(response, StreamedAnswer):
            return response, MEDIA_TYPE
        marshalled: tuple[Any, str] = super().marshal_response(response)
        return marshalled


class StreamingRuntimeClient(LambdaRuntimeClient):  # type: ignore[misc]  # awslambdaric has no types
    """The client of the runtime API; what is not streamed is done by its parent."""

    marshaller = _Marshaller()

    def wait_next_invocation(self) -> Any:
        """Wait for an event; before the first one, collect garbage again, but not in what the init phase has made."""
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        return super().wait_next_invocation()

    def post_invocation_result(
        self, invoke_id: str, result_data: Any, content_type: str = "application/json", *rest: Any, **more: Any
    ) -> None:
        """Answer an invocation.

        Args:
            invoke_id: The invocation.
            result_data: A streamed answer, or what the parent takes.
            content_type: Its media type.
            rest: What else the parent takes.
            more: What else the parent takes.

        Raises:
            LambdaRuntimeClientError: The runtime API is out of order, so this process has to end.
        """
        if isinstance(result_data, StreamedAnswer):
            self._stream(invoke_id, result_data.pieces(), content_type)
        else:
            super().post_invocation_result(invoke_id, result_data, content_type, *rest, **more)

    def _stream(self, invoke_id: str, pieces: Generator[bytes], content_type: str) -> None:
        """Send pieces as one chunked request, on a connection of its own as the protocol wants it.

        An answer that nobody takes any more, or that the API refuses, ends here with a line in the log: the next event
        is as good as any.
        """
        path = f"/2018-06-01/runtime/invocation/{invoke_id}/response"
        connection = HTTPConnection(self.lambda_runtime_address)
        try:
            _begin(connection, path, content_type)
            _send(connection, pieces)
            response = connection.getresponse()
            reason = response.read()
        except (OSError, HTTPException) as error:
            logger.warning("the answer was not taken: %s: %s", type(error).__name__, error)
            return
        finally:
            connection.close()
            pieces.close()  # what was begun is counted and logged, too, when nobody takes the rest
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise LambdaRuntimeClientError(path, response.status, reason)
        if response.status != HTTPStatus.ACCEPTED:
            logger.warning("the answer was refused: %s %r", response.status, reason)


def _begin(connection: HTTPConnection, path: str, content_type: str) -> None:
    connection.putrequest("POST", path, skip_accept_encoding=True)
    for name, value in {
        "Content-Type": content_type,
        "Lambda-Runtime-Function-Response-Mode": "streaming",
        "Transfer-Encoding": "chunked",
        "Trailer": f"{_ERROR_TYPE}, {_ERROR_BODY}",
    }.items():
        connection.putheader(name, value)
    connection.endheaders()


def _send(connection: HTTPConnection, pieces: Iterator[bytes]) -> None:
    """Send the chunks and their end, with what went wrong in its trailers."""
    trailers = ""
    while True:
        try:
            piece = next(pieces, None)
        except Exception as error:
            logger.exception("the answer broke off")
            trailers = _trailers(error)
            break
        if piece is None:
            break
        connection.send(b"%x\r\n" % len(piece))
        connection.send(piece)  # on its own, so that it is not copied
        connection.send(b"\r\n")
    connection.send(f"0\r\n{trailers}\r\n".encode("ascii"))


def _trailers(error: Exception) -> str:
    document = {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }
    body = base64.b64encode(json.dumps(document).encode()).decode("ascii")
    return f"{_ERROR_TYPE}: Function.{type(error).__name__}\r\n{_ERROR_BODY}: {body}\r\n"


def main(arguments: list[str]) -> None:
    """Serve the runtime API until the environment ends.

    Args:
        arguments: This program and the handler, such as ``functions.remove_background.app.handler``.
    """
    gc.disable()  # imports make next to no garbage; looking for it is some 3 % of a cold start
    config = LambdaConfigProvider(arguments)
    bootstrap.run(config.handler, StreamingRuntimeClient(config.api_address, config.use_thread_polling))


if __name__ == "__main__":
    main(sys.argv)
