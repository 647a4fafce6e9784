"""Thousands of malformed requests to each dialect: no 5xx, the vendor's error shape each time, or a real success.

CUTOUT_FUZZ says how many for each dialect; a request is made again by its number. The model is a stand-in: what is
tried here is everything around it.
"""

import os
import socket
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import requests

from cutout.api.dialects.registry import every_dialect
from cutout.container import Container, container
from local.routing import RouteTable
from tests.dialects import shapes
from tests.dialects.attempts import Attempt
from tests.dialects.malformed import malformed
from tests.support.in_process_api import URL
from tests.support.local_service import LIVE_KEY

COUNT = int(os.environ.get("CUTOUT_FUZZ", "150"))
"""Read when the module is: tests themselves see no settings."""
MOST_SHOWN = 10
DIALECTS = [pytest.param(each.name, marks=pytest.mark.covers("fuzz", each.name)) for each in every_dialect()]


@pytest.fixture
def alone(api, monkeypatch, caplog):
    """The API with a model of no weight, where names lead nowhere and nothing is remembered of what it logs."""

    def nowhere(host, *_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is not known")

    oval = np.outer(np.hanning(64), np.hanning(64)).astype(np.float32)
    segmenter = SimpleNamespace(name="stand-in", squash=lambda image: image, alpha=lambda image: oval)
    monkeypatch.setattr(Container, "segmenter", segmenter)
    monkeypatch.setattr(Container, "segmenter_for", lambda _self, _name: segmenter)
    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    caplog.set_level("CRITICAL")
    container.cache_clear()
    yield api
    container.cache_clear()


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.timeout(3_600)
def test_whatever_is_sent_is_answered_in_the_dialect_s_words(name, alone, template, capsys):
    routes = RouteTable(template.routes)
    problems, statuses = [], Counter()
    for number in range(COUNT):
        request = malformed(name, number, LIVE_KEY)
        response = sent(alone, request)
        capsys.readouterr()
        if isinstance(response, requests.Response):
            statuses[response.status_code] += 1
            wrong = complaint(name, request, response, routes)
        else:
            wrong = f"no answer: {response!r}"
        if wrong:
            problems.append(f"{name} {number}: {request.method} {request.target()[:200]} {request.log}: {wrong}")
    print(f"{name}: requests 0 to {COUNT - 1}: {dict(sorted(statuses.items()))}")  # noqa: T201 - for the record
    assert not problems, f"{len(problems)} of {COUNT}:\n" + "\n".join(problems[:MOST_SHOWN])
    assert statuses


def sent(client: requests.Session, request: Attempt) -> requests.Response | Exception:
    """The answer; nothing is put right on the way as a client's library would."""
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.body = request.method, URL + request.target(), request.encoded()
    headers = request.headers | ({} if request.media_type is None else {"content-type": request.media_type})
    prepared.headers = requests.structures.CaseInsensitiveDict(headers)
    prepared.hooks = client.hooks
    try:
        return client.send(prepared, allow_redirects=False)
    except Exception as error:  # noqa: BLE001 - an answer that breaks its document, or none at all
        return error


def complaint(name: str, request: Attempt, response: requests.Response, routes: RouteTable) -> str | None:
    """What is wrong about an answer."""
    if response.status_code >= 500:
        return f"{response.status_code} {response.text[:300]}"
    check = shape_of(name, request, response, routes)
    try:
        check(response)
    except Exception as error:  # noqa: BLE001 - whatever a validator stumbles over
        return (
            f"{response.status_code} {response.headers.get('content-type')} {response.content[:300]!r}: {error!r:.300}"
        )
    return None


def shape_of(name, request, response, routes):
    match = routes.match(request.method, request.target().partition("?")[0])
    if match is None:
        return problem_of_gateway
    if request.method in {"OPTIONS", "HEAD"}:
        return without_body
    (dialect,) = (each for each in every_dialect() if each.name == name)
    if match.route.path == "/" and (request.method, "/") not in dialect.every_route():
        return answer_of_health
    return getattr(shapes, f"{'success' if response.ok else 'problem'}_of_{name}")


def without_body(response: requests.Response) -> None:
    assert not response.content


def problem_of_gateway(response: requests.Response) -> None:
    """What is off the routes is answered by the gateway, in a body that clients of all contracts can read."""
    assert response.status_code == 404, response.status_code
    document = shapes.document_of(response)
    assert {"error", "errors", "detail", "message"} <= document.keys()


def answer_of_health(response: requests.Response) -> None:
    """One path is another's by POST alone; the rest of it is ours."""
    if response.ok:
        assert shapes.document_of(response)["status"] == "ok"
    else:
        shapes.problem_of_backgrounderase(response)
