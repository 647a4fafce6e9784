"""The header Prefer (RFC 7240). We know one preference, ``respond-async``; all others are ignored, as the RFC asks."""

import re
from typing import Final

from cutout.api.request import Request

APPLIED: Final = {"preference-applied": "respond-async"}
"""What an answer says that honours the preference (RFC 7240, section 3)."""
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


def wants_async(request: Request) -> bool:
    """Whether the client prefers a job to a long wait. A malformed header prefers nothing."""
    values = _QUOTED.sub("", request.headers.get("prefer", ""))  # a comma may stand inside quotes
    names = (preference.split(";", 1)[0].strip().lower() for preference in values.split(","))
    return "respond-async" in names
