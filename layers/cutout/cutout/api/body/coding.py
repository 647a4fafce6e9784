"""The body of a request without its content coding."""

from typing import Final

from cutout.content_coding import KNOWN, CodingError, CodingFault, decode_content
from cutout.errors import ImageTooLargeError, InvalidRequestError, UnsupportedMediaTypeError

MAX_BODY_BYTES: Final = 64 * 2**20
"""The most bytes of a body once decoded: the largest image in base64 (40 MiB), and room for what is around it."""


def decoded_body(codings: str, body: bytes) -> bytes:
    """Undo the content coding of a body.

    Args:
        codings: The value of the header Content-Encoding; empty: none.
        body: The body as sent.

    Returns:
        The body itself.

    Raises:
        UnsupportedMediaTypeError: The coding is not supported; the message names it.
        InvalidRequestError: The body is not of that coding, or is incomplete.
        ImageTooLargeError: The body has more than MAX_BODY_BYTES once decoded.
    """
    try:
        return decode_content(codings, body, MAX_BODY_BYTES)
    except CodingError as error:
        coding = error.coding[:40]
        if error.fault is CodingFault.UNKNOWN:
            message = f"The Content-Encoding {coding!r} is not supported; send {', '.join(KNOWN)} or none."
            raise UnsupportedMediaTypeError(message, {"accept_encoding": ", ".join(KNOWN)}) from error
        if error.fault is CodingFault.TOO_LONG:
            message = f"The body has more than {MAX_BODY_BYTES} bytes once its {coding} is decoded."
            raise ImageTooLargeError(message, {"max_bytes": MAX_BODY_BYTES}) from error
        raise InvalidRequestError(f"The body is not complete {coding}, as its Content-Encoding says.") from error
