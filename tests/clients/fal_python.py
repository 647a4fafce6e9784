"""What users of the PyPI package fal-client do, each by its name: ``python fal_python.py STEP [ARGUMENT...]``.

The package is as it was published. Its hosts for runs and the queue come from the environment; those of uploads have no
variable and are set as the package's own constants. A step prints its outcome as JSON.
"""

import asyncio
import io
import json
import os
import sys
from collections.abc import Callable
from typing import Any

import fal_client
import httpx_sse
from fal_client import client
from PIL import Image

APP = "fal-ai/ben/v2/image"
if rest := os.environ.get("REST"):
    client.REST_URL = client.CDN_URL = rest
if plain := os.environ.get("PLAIN"):
    client.RUN_URL_FORMAT, client.QUEUE_URL_FORMAT = f"{plain}/", f"{plain}/queue/"


def photo() -> str:
    """The picture of the test as a data: URI, by the package's own hand."""
    return fal_client.encode_image(Image.open(os.environ["PHOTO"]), "png")


def photo_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.open(os.environ["PHOTO"]).save(buffer, "PNG")
    return buffer.getvalue()


def run(image_url: str = "") -> Any:
    return fal_client.run(APP, arguments={"image_url": image_url or photo(), "seed": 7})


def submit(webhook_url: str = "") -> Any:
    handle = fal_client.submit(APP, arguments={"image_url": photo(), "seed": 7}, webhook_url=webhook_url or None)
    again = fal_client.SyncClient().get_handle(APP, handle.request_id)
    same = [getattr(handle, name) == getattr(again, name) for name in ("response_url", "status_url", "cancel_url")]
    first = type(handle.status(with_logs=True)).__name__
    return {"first": first, "same": same, "result": handle.get(), "request_id": handle.request_id}


def result(request_id: str) -> Any:
    status = fal_client.status(APP, request_id, with_logs=True)
    return {"status": type(status).__name__, "logs": status.logs, "result": fal_client.result(APP, request_id)}


def subscribe() -> Any:
    seen: list[str] = []
    queued: list[str] = []
    output = fal_client.subscribe(
        APP,
        arguments={"image_url": photo()},
        with_logs=True,
        on_enqueue=queued.append,
        on_queue_update=lambda status: seen.append(type(status).__name__),
        client_timeout=120,
    )
    return {"seen": seen, "queued": queued, "result": output}


def asynchronous() -> Any:
    return asyncio.run(fal_client.subscribe_async(APP, arguments={"image_url": photo()}))


def upload(repository: str) -> Any:
    url = fal_client.SyncClient().upload(
        photo_bytes(), "image/png", file_name="cat.png", repository=repository, fallback_repository=[]
    )
    return {"url": url, "result": run(url)}


def upload_file(path: str) -> Any:
    return fal_client.upload_file(path)


def cancel(image_url: str) -> Any:
    handle = fal_client.submit(APP, arguments={"image_url": image_url})
    handle.cancel()
    return {"status": vars(handle.status()), "again": _failure(handle.cancel), "get": _failure(handle.get)}


def bad_input() -> Any:
    return _failure(lambda: fal_client.run(APP, arguments={"image_url": "cat.png", "seed": "x"}))


def failed_job() -> Any:
    return _failure(lambda: fal_client.subscribe(APP, arguments={"image_url": "data:image/png;base64,AAAA"}))


def other_app() -> Any:
    return _failure(lambda: fal_client.run("fal-ai/flux/dev", arguments={}))


def stream() -> Any:
    """The package asks for server-sent events before it looks at the status, and raises an error of its own."""
    try:
        return {"did not fail": list(fal_client.stream(APP, arguments={"image_url": photo()}))}
    except httpx_sse.SSEError as error:
        return {"message": str(error), "status": None}


def _failure(act: Callable[[], Any]) -> Any:
    try:
        return {"did not fail": act()}
    except client.FalClientHTTPError as error:
        return {"message": error.message, "status": error.status_code, "type": error.error_type}


STEPS = {
    step.__name__: step
    for step in (
        *(run, submit, result, subscribe, asynchronous, upload, upload_file),
        *(cancel, bad_input, failed_job, other_app, stream),
    )
}

if __name__ == "__main__":
    json.dump(STEPS[sys.argv[1]](*sys.argv[2:]), sys.stdout)
