"""A file that may still have to be encoded: it is sent piece by piece, or used as a whole."""

from collections.abc import Callable, Iterator


class EncodedFile:
    """A file that is encoded while it is read, so that its first bytes can leave before the last ones are made.

    Args:
        encode: Starts the encoder, which gives the file in pieces; the same bytes each time.
    """

    def __init__(self, encode: Callable[[], Iterator[bytes]]) -> None:
        self._encode = encode
        self._whole: bytes | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Give the file in pieces; unless it was used as a whole before, no piece is kept."""
        return self._encode() if self._whole is None else iter((self._whole,))

    @property
    def whole(self) -> bytes:
        """All bytes, which are kept from now on."""
        if self._whole is None:
            self._whole = b"".join(self._encode())
        return self._whole
