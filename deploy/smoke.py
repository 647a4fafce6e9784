"""``make smoke``: a deployed stack is tried as its callers use it, by a synthetic key, which is never charged."""

import json
import time
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

import urllib3
from PIL import Image

from deploy import ROOT, DeployError

PICTURE = ROOT / "docs/images/rocket.jpg"
JOB_S = 120.0
"""Seconds within which a job must end."""
_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_PAUSE_S = 1.0
_OK = 200


def smoke(url: str, key: str, *, synchronous: bool = True) -> Iterator[str]:
    """Try a stack: health, errors of gateway and functions, a picture at once, and a picture as a job.

    Args:
        url: Address of the API (the stack's output ``ApiUrl``).
        key: API key of mode ``synthetic``.
        synchronous: Whether ``POST /v2`` answers with the image; a large model makes jobs only.

    Yields:
        A line for each thing that works.

    Raises:
        DeployError: Something does not; the message has the answer.
    """
    api = _Api(url, key)
    model = api.json("GET", "/v2/health?deep=true", 200)["model"]
    yield f"health: the model {model} loads and runs"
    _expect(api.json("GET", "/no/such/route", 404)["error"]["code"] == "not_found", "an unknown route is not not_found")
    yield "an unknown route is a 404 of the contract's shape"
    missing = api.json("POST", "/v2", 401, key="")
    _expect(missing["error"]["code"] == "missing_api_key", f"a request without a key is {missing}")
    yield "a request without a key is refused"
    if synchronous:
        answer = api.send("POST", "/v2", fields={"image_file": (PICTURE.name, PICTURE.read_bytes())})
        _expect(answer.status == _OK, f"POST /v2 answered {answer.status}: {answer.data[:300]!r}")
        yield f"POST /v2: {_checked(answer.data)}, x-request-id {answer.headers.get('x-request-id')}"
    yield f"a job by upload form: {_checked(api.job(PICTURE.read_bytes()))}"


class _Api:
    """A stack's API as a caller sees it; redirects are followed, as curl -L does."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._http = urllib3.PoolManager(timeout=_TIMEOUT, retries=urllib3.Retry(0, redirect=3))

    def send(self, method: str, path: str, *, key: str | None = None, **body: Any) -> urllib3.BaseHTTPResponse:
        key = self._key if key is None else key
        headers = {"x-api-key": key} if key else {}
        try:
            return self._http.request(method, self._url + path, headers=headers, **body)
        except urllib3.exceptions.HTTPError as error:
            raise DeployError(f"{method} {path}: {error}") from error

    def json(self, method: str, path: str, status: int, **body: Any) -> dict[str, Any]:
        answer = self.send(method, path, **body)
        _expect(answer.status == status, f"{method} {path} answered {answer.status}: {answer.data[:300]!r}")
        document: dict[str, Any] = json.loads(answer.data)
        return document

    def job(self, picture: bytes) -> bytes:
        """Order a job, upload the picture by its form, fetch the result, and drop the job."""
        job = self.json("POST", "/v2/jobs", 202, json={})
        path = f"/v2/jobs/{job['id']}"
        form: Mapping[str, Any] = job["upload"]
        fields = {**form["fields"], "file": (PICTURE.name, picture, "image/jpeg")}
        sent = self._http.request("POST", form["url"], fields=fields)
        _expect(sent.status in {200, 201, 204}, f"the upload was answered {sent.status}: {sent.data[:300]!r}")
        deadline = time.monotonic() + JOB_S
        while job["status"] in {"queued", "running"}:
            _expect(time.monotonic() < deadline, f"the job {job['id']} has not ended within {JOB_S:.0f} s")
            time.sleep(_PAUSE_S)
            job = self.json("GET", path, 200)
        _expect(job["status"] == "succeeded", f"the job ended as {job}")
        result = self._http.request("GET", urljoin(self._url, job["result"]["url"]))
        _expect(result.status == _OK, f"the result was answered {result.status}")
        self.send("DELETE", path)
        return result.data


def _checked(data: bytes) -> str:
    """What a cutout is, in words, once it has a subject and a ground."""
    try:
        picture = Image.open(BytesIO(data))
        picture.load()
    except OSError as error:
        raise DeployError(f"the answer is no picture: {data[:100]!r}") from error
    with Image.open(PICTURE) as source:
        _expect(picture.size == source.size, f"the cutout is {picture.size}, the picture {source.size}")
    _expect(picture.mode == "RGBA", f"the cutout has no alpha: it is {picture.mode}")
    extremes = picture.getchannel("A").getextrema()
    _expect(extremes == (0, 255), f"the alpha goes from {extremes[0]} to {extremes[1]}")
    return f"{picture.format} of {picture.size[0]} x {picture.size[1]} with subject and ground"


def _expect(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as an assertion
    if not holds:
        raise DeployError(otherwise)
