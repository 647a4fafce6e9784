"""An answer of a function that goes out in pieces, in the format of API Gateway's streaming proxy integration.

Sources: API Gateway developer guide, "Set up a Lambda proxy integration with payload response streaming"; Lambda
developer guide, "Response streaming for Lambda functions".
"""

import json
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

MEDIA_TYPE: Final = "application/vnd.awslambda.http-integration-response"
"""Content-Type by which a streamed answer says that it begins with a status and headers."""
SEPARATOR: Final = b"\0" * 8
"""What stands between head and body."""


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """What a handler returns in place of a document when its caller takes the body in pieces.

    Attributes:
        head: statusCode and multiValueHeaders.
        body: The body in pieces, none of them empty; read once, or closed before its end.
    """

    head: Mapping[str, Any]
    body: Generator[bytes]

    def pieces(self) -> Generator[bytes]:
        """Yield what goes over the wire: head and separator, then the body; to close it closes the body."""
        with closing(self.body):
            yield json.dumps(self.head).encode() + SEPARATOR
            yield from self.body
