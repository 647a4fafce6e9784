"""How patient the tests of fetching are, and what an error tells."""

import pytest

from cutout.errors import CutoutError
from cutout.outbound.fetch import FetchPolicy

POLICY = FetchPolicy(max_bytes=100_000, timeout_s=30)
HASTY = FetchPolicy(max_bytes=100_000, timeout_s=0.3)


def message(error: pytest.ExceptionInfo[CutoutError]) -> str:
    return error.value.message + repr(error.value.details)
