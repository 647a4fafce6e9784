"""The removal function behind an integration that streams: what goes out, and what is counted."""

import base64
import io
import json
from typing import Any

import boto3
import pytest
from PIL import Image

from cutout.aws.api_gateway import STREAMS
from cutout.aws.streamed_answer import MEDIA_TYPE, SEPARATOR, StreamedAnswer
from cutout.container import container
from cutout.imaging.codecs import encode
from functions.remove_background.app import handler
from local import ROOT
from tests.functions.account_api import CONTEXT, call, customer
from tests.support.builders import multipart, proxy_event
from tests.support.process_state import forget

PHOTO = (ROOT / "docs" / "images" / "chelsea.jpg").read_bytes()
FORM, FORM_TYPE = multipart(files={"image_file": ("cat.jpg", PHOTO, "image/jpeg")})


pytestmark = pytest.mark.usefixtures("cloud")


@pytest.fixture(autouse=True)
def _small_limit(monkeypatch):
    """What does not stream is redirected to above 20 kB."""
    monkeypatch.setenv("CUTOUT_INLINE_LIMIT_BYTES", "20000")
    forget()
    yield
    forget()


def event(
    key: str, path: str = "/v2", body: bytes = FORM, media_type: str = FORM_TYPE, **headers: str
) -> dict[str, Any]:
    fields = {"x-api-key": key, "content-type": media_type} | {n.replace("_", "-"): v for n, v in headers.items()}
    return proxy_event("POST", path, fields, body)


def streamed(request: dict[str, Any]) -> StreamedAnswer:
    answer = handler({**request, "stageVariables": dict([STREAMS])}, CONTEXT)
    assert isinstance(answer, StreamedAnswer)
    return answer


def usage(key: str) -> tuple[int, int]:
    counted = call("GET", "/v2/account", key).body["usage"]
    return counted["images"], counted.get("bytes_out", 0)


def images(key: str) -> int:
    return usage(key)[0]


def stored() -> int:
    return boto3.client("s3").list_objects_v2(Bucket=container().settings.results_bucket)["KeyCount"]


def test_the_wire_has_the_format_of_the_integration():
    first, *rest = streamed(event(customer())).pieces()
    head, separator, nothing = first.partition(SEPARATOR)
    assert (separator, nothing) == (bytes(8), b"")
    assert json.loads(head)["statusCode"] == 200
    assert json.loads(head)["multiValueHeaders"]["content-type"] == ["image/png"]
    assert all(rest)
    assert MEDIA_TYPE == "application/vnd.awslambda.http-integration-response"


def test_a_png_above_the_limit_goes_out_in_pieces_and_nothing_is_stored():
    key = customer()
    answer = streamed(event(key))
    assert images(key) == 0, "it is counted while it is sent"
    pieces = list(answer.body)
    assert len(pieces) >= 3
    assert sum(map(len, pieces)) > container().settings.inline_limit_bytes
    assert Image.open(io.BytesIO(b"".join(pieces))).mode == "RGBA"
    assert (images(key), stored()) == (1, 0)


def test_without_the_stages_word_the_same_event_is_a_document_or_a_redirect():
    key = customer()
    answer = handler(event(key), CONTEXT)
    assert (answer["statusCode"], stored()) == (303, 1)
    s3, bucket = boto3.client("s3"), container().settings.results_bucket
    (item,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert item["Key"] in answer["multiValueHeaders"]["location"][0]
    whole = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
    assert whole == b"".join(streamed(event(key)).body)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1.0/removebg", "image_file"),
        ("/v1/segment", "image_file"),
        ("/remove-background/v1", "image_file"),
        ("/api/remove", "file"),
        ("/v2.0/remove_image_background", "source_image_file"),
    ],
)
def test_every_contract_that_answers_with_bytes_streams(path, field):
    body, media_type = multipart(files={field: ("cat.jpg", PHOTO, "image/jpeg")})
    key = customer()
    answer = streamed(event(key, path, body, media_type, api_key=key))
    assert answer.head["statusCode"] == 200, b"".join(answer.body)
    pieces = list(answer.body)
    assert len(pieces) >= 3
    Image.open(io.BytesIO(b"".join(pieces))).verify()


def test_json_of_any_size_is_streamed_too():
    body = json.dumps({"image_base64": base64.b64encode(PHOTO).decode()}).encode()
    answer = streamed(event(customer(), body=body, media_type="application/json"))
    document = json.loads(b"".join(answer.body))
    assert base64.b64decode(document["image"]).startswith(b"\x89PNG")


def test_an_error_is_a_head_with_its_status():
    key = customer()
    answer = streamed(event(key, body=b"no image", media_type="image/png"))
    assert answer.head["statusCode"] == 400
    assert json.loads(b"".join(answer.body))["error"]["code"] == "unsupported_image_format"
    assert images(key) == 0


def test_a_client_that_goes_away_is_charged_and_one_that_took_nothing_is_not():
    key = customer()
    answer = streamed(event(key))
    pieces = answer.pieces()
    next(pieces)
    pieces.close()
    assert images(key) == 0
    pieces = streamed(event(key)).pieces()
    next(pieces)
    next(pieces)
    pieces.close()
    assert images(key) == 1


def test_an_encoder_that_fails_in_mid_stream_is_nobodys_charge(monkeypatch):
    def broken(*_: Any, **__: Any):
        yield b"\x89PNG"
        raise MemoryError

    monkeypatch.setattr(encode, "png_pieces", broken)
    key = customer()
    pieces = streamed(event(key)).body
    assert next(pieces) == b"\x89PNG"
    with pytest.raises(MemoryError):
        next(pieces)
    assert images(key) == 0


def test_an_idempotency_key_gives_the_same_stream_again_and_one_charge():
    key = customer()
    first, again = (b"".join(streamed(event(key, idempotency_key="k")).body) for _ in range(2))
    assert first == again
    assert images(key) == 1


def test_what_was_sent_is_logged_and_counted_in_a_line_of_its_own(capsys, caplog):
    size = sum(map(len, streamed(event(customer())).body))
    (line,) = [record for record in caplog.records if record.message == "sent"]
    assert (line.status, line.bytes_out) == (200, size)
    metrics = [json.loads(text) for text in capsys.readouterr().out.splitlines() if "StreamedBytes" in text]
    assert [each["StreamedBytes"] for each in metrics] == [[size]]
