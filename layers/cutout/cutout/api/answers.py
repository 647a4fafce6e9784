"""Writers of responses with results: image bytes, or JSON."""

import base64
import json
from collections.abc import Mapping

from cutout.api.request import Response
from cutout.imaging.spec import Box, CutoutResult


def json_answer(document: Mapping[str, object], status: int = 200) -> Response:
    """Write a JSON document as a response."""
    return Response(status, "application/json", json.dumps(document).encode())


def image_answer(result: CutoutResult) -> Response:
    """Write the image as the body, encoded while it is sent if it is not yet, with its facts as headers."""
    return Response(200, result.media_type, result.file, facts(result))


def foreground_of(box: Box | None) -> str:
    """Say whether anything was found: ``found`` or ``none``."""
    return "none" if box is None else "found"


def facts(result: CutoutResult) -> dict[str, str]:
    """Write the facts of a result as headers: size, frames, model, milliseconds per stage (W3C Server Timing)."""
    timing = ", ".join(f"{stage};dur={ms:.1f}" for stage, ms in result.stages_ms.items())
    frames = {"x-image-frames": str(result.frames)} if result.frames > 1 else {}
    return frames | {
        "x-image-width": str(result.width),
        "x-image-height": str(result.height),
        "x-model": result.model,
        "server-timing": timing,
    }


def base64_of(result: CutoutResult) -> str:
    """Encode the image as base64 (RFC 4648), without a data-URL prefix."""
    return base64.b64encode(result.data).decode("ascii")
