"""What answers look like in each vendor's contract: ``problem_of_<dialect>`` and ``success_of_<dialect>``.

The fuzz asks them of every answer, whatever was sent; the tests of a dialect may, too.
"""

import base64
import io
import json
import re
import zipfile
from typing import Any

import requests
from PIL import Image, PngImagePlugin

# ---------------------------------------------------------------- What several contracts share


PngImagePlugin.MAX_TEXT_CHUNK = 2**24  # a picture that is given back as it came may carry more text than Pillow likes


def document_of(response: requests.Response) -> Any:
    """The JSON of an answer that says it is JSON; NaN and Infinity are none."""
    assert response.headers["content-type"].startswith("application/json"), response.headers["content-type"]
    return json.loads(response.content, parse_constant=_refuse_constant)


def _refuse_constant(word: str) -> None:
    raise AssertionError(f"{word} is not JSON")


def image_of(data: bytes, *formats: str) -> Image.Image:
    """A picture that decodes to its last pixel, of one of the formats (Pillow's names)."""
    picture = Image.open(io.BytesIO(data))
    picture.load()
    assert not formats or picture.format in formats, picture.format
    return picture


def is_refusal(response: requests.Response, *statuses: int) -> None:
    """One of the statuses, and a wait with those that ask for one."""
    assert response.status_code in statuses, response.status_code
    if response.status_code in {429, 503}:
        assert int(response.headers["retry-after"]) >= 0
    if response.status_code == 405:
        assert response.headers["allow"]


# ---------------------------------------------------------------- BackgroundErase


def problem_of_backgrounderase(response: requests.Response) -> None:
    is_refusal(response, 400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 429)
    error = document_of(response)["error"]
    assert error.keys() == {"code", "message", "status", "request_id", "details"}
    assert error["status"] == response.status_code
    assert error["code"]
    assert error["message"]
    assert error["request_id"] == response.headers["x-request-id"]


def success_of_backgrounderase(response: requests.Response) -> None:
    kind = response.headers["content-type"]
    if response.status_code == 202:
        assert document_of(response)["status"] == "queued"
    elif kind.startswith("image/"):
        image_of(response.content)
    elif kind == "application/zip":
        assert response.content.startswith(b"PK")
    else:
        document = document_of(response)
        assert "dialects" in document or image_of(base64.b64decode(document.get("mask") or document["image"]))


# ---------------------------------------------------------------- API4AI


def problem_of_api4ai(response: requests.Response) -> None:
    is_refusal(response, 400, 401, 402, 403, 404, 405, 413, 422, 429)
    if response.status_code == 413:
        assert response.headers["content-type"].startswith("text/html")
        return
    document = document_of(response)
    assert document.keys() == {"detail"}
    assert document["detail"]
    assert isinstance(document["detail"], str)


def success_of_api4ai(response: requests.Response) -> None:
    """A result, be it a failure; or one of the pages."""
    assert response.status_code == 200, response.status_code
    if response.headers["content-type"].startswith("text/plain"):
        assert re.fullmatch(r"v\d+\.\d+\.\d+", response.text)
        return
    document = document_of(response)
    if document == ["fg-image", "fg-image-shadow", "fg-mask"]:
        return
    (result,) = document["results"]
    assert result.keys() == {"status", "name", "md5", "entities"}
    assert isinstance(result["name"], str)
    assert re.fullmatch("[0-9a-f]{32}", result["md5"])
    if result["status"]["code"] == "failure":
        assert result["status"]["message"] == "Can not load image."
        assert result["entities"] == []
        return
    assert result["status"] == {"code": "ok", "message": "Success"}
    (entity,) = result["entities"]
    assert entity.keys() == {"kind", "name", "image", "format"}
    picture = image_of(base64.b64decode(entity["image"], validate=True), entity["format"])
    assert picture.mode == ("L" if entity["name"] == "general-fg-mask" else "RGBA")


# ---------------------------------------------------------------- Clipdrop


def problem_of_clipdrop(response: requests.Response) -> None:
    is_refusal(response, 400, 401, 402, 403, 404, 405, 406, 429)
    document = document_of(response)
    assert document.keys() == {"error"}
    assert document["error"]
    assert isinstance(document["error"], str)


def success_of_clipdrop(response: requests.Response) -> None:
    assert response.status_code == 200, response.status_code
    kinds = {"image/png": "PNG", "image/webp": "WEBP", "image/jpeg": "JPEG"}
    image_of(response.content, kinds[response.headers["content-type"]])
    assert int(response.headers["x-remaining-credits"]) >= 0
    assert response.headers["x-credits-consumed"] in {"0", "1"}


# ---------------------------------------------------------------- fal


def problem_of_fal(response: requests.Response) -> None:
    is_refusal(response, 400, 401, 403, 404, 405, 410, 422, 429)
    document = document_of(response)
    assert document.keys() <= {"detail", "status"}
    assert response.headers["x-fal-request-id"]
    if response.status_code == 422:
        assert document["detail"]
        for item in document["detail"]:
            assert {"loc", "msg", "type"} <= item.keys() <= {"loc", "msg", "type", "input", "ctx"}
            assert isinstance(item["loc"], list)
            assert item["loc"][0] in {"body", "query"}
    else:
        assert isinstance(document["detail"], str)
        assert document["detail"]


def success_of_fal(response: requests.Response) -> None:
    assert response.headers["x-fal-request-id"]
    if response.status_code == 302:
        assert "X-Amz-Signature=" in response.headers["location"]
        return
    if response.headers["content-type"].startswith("text/event-stream"):
        for event in response.text.strip().split("\n\n"):
            assert json.loads(event.removeprefix("data: "))["status"] in {"IN_QUEUE", "IN_PROGRESS", "COMPLETED"}
        return
    document = document_of(response)
    if "image" in document:
        assert document["image"].keys() == {"url", "content_type", "file_name", "file_size", "width", "height"}
        assert isinstance(document["seed"], int)
    elif document.get("status") in {"IN_QUEUE", "IN_PROGRESS", "COMPLETED"}:
        assert {"request_id", "response_url", "status_url", "cancel_url"} <= document.keys()
        assert ("queue_position" if document["status"] == "IN_QUEUE" else "logs") in document
    else:
        known = (
            {"keys"},
            {"upload_url", "file_url"},
            {"access_url"},
            {"token", "token_type", "base_url", "expires_at"},
        )
        assert document.keys() in ({"status"}, set(), *known)


# ---------------------------------------------------------------- remove.bg


def problem_of_removebg(response: requests.Response) -> None:
    is_refusal(response, 400, 402, 403, 404, 405, 429)
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    document = document_of(response)
    assert document.keys() == {"errors"}
    (error,) = document["errors"]
    assert error.keys() == {"title", "detail", "code"}
    assert all(value and isinstance(value, str) for value in error.values())


def path_of(response: requests.Response) -> str:
    """The path that was asked for; the gateway makes one slash of several."""
    return "/" + str(response.request.path_url).lstrip("/")


def success_of_removebg(response: requests.Response) -> None:
    """An image with its facts, an account, or the receipt of a donated image."""
    assert response.status_code == 200, response.status_code
    path = path_of(response)
    if path.startswith("/v1.0/account"):
        attributes = document_of(response)["data"]["attributes"]
        assert attributes["credits"].keys() == {"total", "subscription", "payg", "enterprise"}
        assert attributes["api"].keys() == {"free_calls", "sizes"}
        return
    if path.startswith("/v1.0/improve"):
        assert document_of(response).keys() == {"id"}
        return
    _image_of_removebg(response)


def _image_of_removebg(response: requests.Response) -> None:
    box = {name: int(response.headers[f"x-foreground-{name}"]) for name in ("top", "left", "width", "height")}
    data = response.content
    if response.headers["content-type"].startswith("application/json"):
        told = document_of(response)["data"]
        data = base64.b64decode(told.pop("result_b64"), validate=True)
        assert told == {f"foreground_{name}": px for name, px in box.items()}
    elif not data.startswith(b"PK"):
        image_of(
            data, {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}[response.headers["content-type"]]
        )
    if data.startswith(b"PK"):
        archive = zipfile.ZipFile(io.BytesIO(data))
        assert archive.namelist() == ["color.jpg", "alpha.png"]
        assert image_of(archive.read("alpha.png"), "PNG").mode == "L"
        data = archive.read("color.jpg")
    size = image_of(data, "PNG", "JPEG", "WEBP").size
    assert size == (int(response.headers["x-width"]), int(response.headers["x-height"]))
    assert float(response.headers["x-credits-charged"]) in {0, 0.25, 1}
    assert box["width"] > 0
    assert box["height"] > 0


# ---------------------------------------------------------------- BEN's container


def problem_of_ben_container(response: requests.Response) -> None:
    """All methods but POST are those of our own health check."""
    if response.request.method != "POST":
        problem_of_backgrounderase(response)
        return
    is_refusal(response, 401, 402, 403, 404, 405, 429)
    document = document_of(response)
    assert document.keys() == {"error"}
    assert document["error"]
    assert isinstance(document["error"], str)


def success_of_ben_container(response: requests.Response) -> None:
    """A cutout, or what is wrong with the request: both are 200."""
    assert response.status_code == 200, response.status_code
    document = document_of(response)
    if response.request.method != "POST":
        assert document["status"] == "ok"
        return
    if "error" in document:
        assert document.keys() == {"error"}
        assert document["error"]
        assert isinstance(document["error"], str)
        return
    assert document.keys() == {"image"}
    assert image_of(base64.b64decode(document["image"], validate=True), "PNG").mode == "RGBA"


# ---------------------------------------------------------------- Picsart


def problem_of_picsart(response: requests.Response) -> None:
    is_refusal(response, 400, 401, 402, 403, 404, 405, 406, 413, 415, 422, 429)
    document = document_of(response)
    assert document.keys() == {"code", "message", "detail"}
    assert document["code"] == response.status_code
    assert all(document[name] and isinstance(document[name], str) for name in ("message", "detail"))
    _headers_of_picsart(response)
    if response.status_code == 429:
        assert int(response.headers["x-picsart-ratelimit-reset-time"]) >= 1


def success_of_picsart(response: requests.Response) -> None:
    """A URL, a transaction that will have one, or a balance."""
    document = document_of(response)
    _headers_of_picsart(response)
    assert int(response.headers["x-picsart-ratelimit-limit"]) > 0
    if response.status_code == 202:
        assert document.keys() == {"transaction_id", "status"}
        assert document["status"] in {"queued", "processing"}
        return
    assert response.status_code == 200, response.status_code
    if document.keys() == {"credits"}:
        assert document["credits"] >= 0
        return
    assert document["status"] == "success"
    assert document["data"].keys() == {"id", "url"}
    assert document["data"]["id"]
    assert "X-Amz-Signature=" in document["data"]["url"]


def _headers_of_picsart(response: requests.Response) -> None:
    assert response.headers["x-picsart-correlation-id"] == response.headers["x-request-id"]
    for name in ("ratelimit-limit", "ratelimit-available", "ratelimit-reset-time", "credit-available"):
        assert response.headers.get(f"x-picsart-{name}", "0").isdigit()


# ---------------------------------------------------------------- rembg


def problem_of_rembg(response: requests.Response) -> None:
    is_refusal(response, 400, 401, 402, 403, 404, 405, 413, 422, 429)
    document = document_of(response)
    assert document.keys() == {"detail"}
    assert document["detail"]
    if response.status_code != 422:
        assert isinstance(document["detail"], str)
        return
    for fault in document["detail"]:
        assert {"type", "loc", "msg", "input"} <= fault.keys() <= {"type", "loc", "msg", "input", "ctx"}
        place, name = fault["loc"]
        assert place in {"query", "body"}
        assert name
        assert fault["msg"]


def success_of_rembg(response: requests.Response) -> None:
    """A cutout, or the page by which people ask whether the server is there."""
    assert response.status_code == 200, response.status_code
    if path_of(response).partition("?")[0].rstrip("/") == "/api":
        assert response.headers["content-type"].startswith("text/html")
        assert b"/api/remove" in response.content or response.request.method == "HEAD"
        return
    assert response.headers["content-type"] == "image/png"
    image_of(response.content, "PNG")


# ---------------------------------------------------------------- Photoroom


def problem_of_photoroom(response: requests.Response) -> None:
    is_refusal(response, 400, 402, 403, 405, 413, 429)
    body = document_of(response)
    if response.status_code != 413:  # which is the gateway's, for all contracts at once
        assert body.keys() == {"detail", "status_code", "type"}
    assert body["status_code"] == response.status_code
    assert isinstance(body["detail"], str)
    assert body["detail"]
    assert isinstance(body["type"], str)
    assert body["type"]


def success_of_photoroom(response: requests.Response) -> None:
    kind = response.headers["content-type"]
    if path_of(response).startswith("/v1/account"):
        account = document_of(response)
        assert account.keys() == {"plan", "images", "credits"}
        assert all(0 <= account[name]["available"] <= account[name]["subscription"] for name in ("images", "credits"))
        return
    assert 0 <= float(response.headers["x-uncertainty-score"]) <= 1
    assert all(int(response.headers[f"x-foreground-{side}"]) >= 0 for side in ("top", "left", "width", "height"))
    if kind == "application/json":
        assert document_of(response).keys() == {"base64img"}
        image_of(base64.b64decode(document_of(response)["base64img"], validate=True), "PNG", "JPEG", "WEBP")
    else:
        assert kind in {"image/png", "image/jpeg", "image/webp"}
        image_of(response.content, kind.removeprefix("image/").upper())


# ---------------------------------------------------------------- Slazzer


def problem_of_slazzer(response: requests.Response) -> None:
    is_refusal(response, 400, 401, 402, 403, 405, 413, 429)
    body = document_of(response)
    assert body["error"]
    if response.status_code == 413:
        return
    if "/api/v1/" in str(response.url) or path_of(response).startswith("/v2.0/account_balance"):
        assert body == {"status": False, "error": body["error"], "message": body["error"]}
    else:
        assert body == {"error": body["error"]}
    assert isinstance(body["error"], str)


def success_of_slazzer(response: requests.Response) -> None:
    kind = response.headers["content-type"]
    if path_of(response).startswith("/v2.0/account_balance"):
        assert document_of(response).keys() == {"total_credits"}
        assert document_of(response)["total_credits"] >= 0
        return
    if kind == "application/json":
        body = document_of(response)
        assert body.pop("status") is True
        ((name, text),) = body.items()
        if name == "output_image_base64":
            head, _, data = text.partition(";base64,")
            made = base64.b64decode(data, validate=True)
            assert zipfile.is_zipfile(io.BytesIO(made)) if head == "data:application/zip" else image_of(made)
        else:
            assert name == "output_image_url"
            assert text.startswith("http")
    elif kind == "application/zip":
        assert response.content.startswith(b"PK")
    else:
        image_of(response.content, kind.removeprefix("image/").upper())
