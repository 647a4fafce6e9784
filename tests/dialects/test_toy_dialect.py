"""One more contract is one new file and one line of the template: shown on a copy of the repository that is started."""

import base64
import difflib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local import ROOT
from tests.dialects.pictures import cat, opened, pixels
from tests.support.local_service import LIVE_KEY, Service, local_service

PARTS = ("layers", "functions", "local", "models", "template.yaml", "Dockerfile", "pyproject.toml")
"""What the service is started from."""

NEW_FILE = "layers/cutout/cutout/api/dialects/toy.py"
NEW_LINE = (
    "        Toy: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /toy/cut, Metho"
    "d: ANY, ResponseTransferMode: RESPONSE_STREAM, TimeoutInMillis: !FindInMap [Inte"
    "grations, !Ref RemoveTimeout, Milliseconds]}}\n"
)
TOY = '''
"""A toy's contract: the picture as the body, ``{"toy": base64}`` back."""

import json

from cutout.api import answers
from cutout.api.dialects.base import Dialect, Outcome, RemovalRequest
from cutout.api.problems import refusal_headers, status_of
from cutout.api.request import Request, Response
from cutout.api.sources import InputKind, Source
from cutout.errors import CutoutError, MissingImageError
from cutout.imaging.spec import CutoutSpec


class Toy(Dialect):
    name = "toy"
    title = "A toy"
    routes = frozenset({("POST", "/toy/cut")})

    def credential(self, request: Request, *, legacy: bool) -> str | None:
        return request.headers.get("x-toy-key")

    def parse(self, request: Request) -> RemovalRequest:
        if not request.body:
            raise MissingImageError("Where is it?")
        return RemovalRequest(CutoutSpec(crop=True), Source(InputKind.BYTES, "body", request.body), "toy")

    def answer(self, request: Request, outcome: Outcome) -> Response:
        return answers.json_answer({"toy": answers.base64_of(outcome.result), "left": outcome.status.credits_left})

    def problem(self, error: CutoutError, request: Request) -> Response:
        body = json.dumps({"oops": error.code}).encode()
        return Response(status_of(error), "application/json", body, refusal_headers(error))


DIALECT = Toy()
'''.lstrip()


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def changed_lines(before: bytes, after: bytes) -> list[str]:
    lines = difflib.ndiff(before.decode().splitlines(), after.decode().splitlines())
    return [line for line in lines if line[:2] in {"+ ", "- "}]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, so far as the service needs it."""
    root = tmp_path_factory.mktemp("copy")
    for part in PARTS:
        if (ROOT / part).is_file():
            shutil.copy(ROOT / part, root / part)
        else:
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture(scope="module")
def changes(copy: Path) -> dict[str, list[str]]:
    """What is done for the tenth contract: file to changed lines."""
    before = files(copy)
    (copy / NEW_FILE).write_text(TOY)
    template = copy / "template.yaml"
    (route,) = re.findall(
        r"^        RemoveBackground: \{Type: Api, .*Path: /v2, .*\n", template.read_text(), re.MULTILINE
    )
    template.write_text(template.read_text().replace(route, route + NEW_LINE))
    after = files(copy)
    assert before.keys() <= after.keys()
    return {
        name: changed_lines(before.get(name, b""), content)
        for name, content in after.items()
        if before.get(name) != content
    }


@pytest.fixture(scope="module")
def toy(copy: Path, changes: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with local_service(tmp_path_factory.mktemp("toy"), "--workers", "1", root=copy) as service:
        yield service


def test_it_takes_one_new_file_and_one_line(changes):
    assert changes == {NEW_FILE: [f"+ {line}" for line in TOY.splitlines()], "template.yaml": [f"+ {NEW_LINE[:-1]}"]}


def test_it_cuts_out_and_is_charged(toy):
    answer = requests.post(f"{toy.url}/toy/cut", data=cat(), headers={"x-toy-key": LIVE_KEY}, timeout=60)
    assert answer.status_code == 200, answer.content
    data = base64.b64decode(answer.json()["toy"])
    assert opened(data).mode == "RGBA"
    assert pixels(data)[..., 3].max() == 255
    assert "x-ratelimit-limit" in answer.headers["access-control-expose-headers"].split(", ")
    usage = requests.get(f"{toy.url}/v2/account", headers={"x-api-key": LIVE_KEY}, timeout=60).json()["usage"]
    assert usage["images"] == 1


def test_it_is_listed_with_the_others(toy):
    listed = requests.get(f"{toy.url}/v2/dialects", timeout=60).json()["dialects"]
    assert {"name": "toy", "title": "A toy", "routes": ["POST /toy/cut"]} in listed
    assert {"backgrounderase", "rembg"} <= {dialect["name"] for dialect in listed}


@pytest.mark.parametrize(
    ("method", "headers", "status", "code"),
    [
        ("POST", {}, 401, "missing_api_key"),
        ("POST", {"x-api-key": LIVE_KEY}, 401, "missing_api_key"),
        ("POST", {"x-toy-key": "wrong"}, 403, "invalid_api_key"),
        ("POST", {"x-toy-key": LIVE_KEY}, 400, "missing_image"),
        ("GET", {"x-toy-key": LIVE_KEY}, 405, "method_not_allowed"),
    ],
)
def test_it_refuses_in_its_own_shape(method, headers, status, code, toy):
    answer = requests.request(method, f"{toy.url}/toy/cut", headers=headers, timeout=60)
    assert (answer.status_code, answer.json()) == (status, {"oops": code})
    assert method == "POST" or answer.headers["allow"] == "POST"


def test_pages_may_call_it(toy):
    asked = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    answer = requests.options(
        f"{toy.url}/toy/cut", headers=asked | {"access-control-request-headers": "x-toy-key"}, timeout=60
    )
    assert (answer.status_code, answer.headers["access-control-allow-headers"]) == (204, "x-toy-key")
