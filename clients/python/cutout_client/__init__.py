"""Client of Cutout, background removal as a service.

    from cutout_client import Cutout

    with Cutout() as cutout:  # CUTOUT_API_KEY, CUTOUT_BASE_URL
        cutout.remove("photo.jpg").save("photo.png")

Names are loaded when they are first used: verifying a webhook needs no HTTP client, and ``cutout --local`` none either.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cutout_client._version import __version__

if TYPE_CHECKING:
    from cutout_client.async_client import AsyncCutout
    from cutout_client.client import Cutout
    from cutout_client.documents import Account, DayUsage, Job, JobPage, JobResult, Key, Upload, Usage, WebhookSecret
    from cutout_client.errors import ApiError, CutoutError, TransportError
    from cutout_client.images import ImageInput
    from cutout_client.messages import Progress
    from cutout_client.options import Options
    from cutout_client.results import Result
    from cutout_client.retries import RetryPolicy

__all__ = [
    "Account",
    "ApiError",
    "AsyncCutout",
    "Cutout",
    "CutoutError",
    "DayUsage",
    "ImageInput",
    "Job",
    "JobPage",
    "JobResult",
    "Key",
    "Options",
    "Progress",
    "Result",
    "RetryPolicy",
    "TransportError",
    "Upload",
    "Usage",
    "WebhookSecret",
    "__version__",
]

_PLACES = {
    "AsyncCutout": "async_client",
    "Cutout": "client",
    "ApiError": "errors",
    "CutoutError": "errors",
    "TransportError": "errors",
    "ImageInput": "images",
    "Progress": "messages",
    "Options": "options",
    "Result": "results",
    "RetryPolicy": "retries",
}
"""Name to module; all others are in ``documents``."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PLACES.get(name, 'documents')}"), name)
    globals()[name] = value
    return value
