"""Results as responses: image bytes, or JSON."""

import base64
import json
from collections.abc import Mapping

from cutout.api.request import Response
from cutout.imaging.spec import CutoutResult


def json_answer(document: Mapping[str, object], status: int = 200) -> Response:
    """A JSON document."""
    return Response(status, "application/json", json.dumps(document).encode())


def image_answer(result: CutoutResult) -> Response:
    """The encoded image as the body, with the facts about it as headers."""
    return Response(200, result.media_type, result.data, facts(result))


def facts(result: CutoutResult) -> dict[str, str]:
    """Headers that say what was done: size, model, and time per stage (Server-Timing, W3C)."""
    timing = ", ".join(f"{stage};dur={ms:.1f}" for stage, ms in result.stages_ms.items())
    return {
        "x-image-width": str(result.width),
        "x-image-height": str(result.height),
        "x-model": result.model,
        "server-timing": timing,
    }


def base64_of(result: CutoutResult) -> str:
    """The encoded image as base64 text (RFC 4648), without a data-URL prefix."""
    return base64.b64encode(result.data).decode("ascii")
