"""Images that were uploaded before, what is away, and what is logged."""

import base64
import io

import pytest

from cutout.aws import telemetry
from cutout.container import container
from tests.functions.jobs.asking import (
    OTHER_KEY,
    PHOTO,
    A,
    ask,
    images_charged,
    succeed,
)
from tests.support.builders import multipart
from tests.support.local_service import LIVE_KEY
from tests.support.process_state import forget_clients


def test_an_upload_is_cut_out_by_its_id_as_bytes_or_as_json():
    upload = ask("POST", "/v2/uploads", {"content_type": "image/jpeg"})
    assert (upload.status, upload.json["fields"]["key"]) == (201, f"direct/{A}/{upload.json['upload_id']}")
    wanted = {"upload_id": upload.json["upload_id"]}
    early = ask("POST", "/v2", wanted)
    assert early.code == (404, "not_found")
    assert "POST /v2/uploads" in early.json["error"]["message"]
    container().uploads.store(upload.json["fields"]["key"], PHOTO)
    body, form = multipart({**wanted, "format": "jpg"})
    assert ask("POST", "/v2", body, media_type=form).headers["content-type"] == "image/jpeg"
    assert ask("POST", "/v2", wanted).headers["content-type"] == "image/png"
    mask = ask("POST", "/v2", {**wanted, "channels": "alpha"})
    assert base64.b64decode(mask.json["mask"]).startswith(b"\x89PNG")
    assert ask("POST", "/v2", wanted, key=OTHER_KEY).code == (404, "not_found")
    assert images_charged() == 3


@pytest.mark.parametrize(
    "upload_id",
    ["x", "../../" + A, "upl_" + "0" * 33, "upl_../" + "0" * 29, "upl_" + "0" * 31 + "/", "u" * 100_000, 7, True],
)
def test_an_upload_id_that_cannot_be_one_is_a_400(upload_id):
    assert ask("POST", "/v2", {"upload_id": upload_id}).code == (400, "invalid_request")


def test_an_upload_id_and_another_image_are_too_many():
    both = {"upload_id": "upl_" + "0" * 32, "image_url": "https://example.com"}
    assert ask("POST", "/v2", both).code == (400, "multiple_sources")


def test_an_upload_above_the_limit_is_a_413(monkeypatch):
    upload = ask("POST", "/v2/uploads").json
    container().uploads.store(upload["fields"]["key"], PHOTO)
    monkeypatch.setattr(container().uploads, "max_bytes", 1_000)
    for headers in ({}, {"prefer": "respond-async"}):
        assert ask("POST", "/v2", {"upload_id": upload["upload_id"]}, **headers).code == (413, "image_too_large")


@pytest.mark.parametrize("service", ["DYNAMODB", "SQS", "S3"])
def test_what_is_away_is_a_503(service, monkeypatch, own_clients):
    ask("POST", "/v2/jobs", {})  # the key is known from now on
    access = container().access
    forget_clients()
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setattr(container(), "access", access, raising=False)
    answer = ask("POST", "/v2", PHOTO, media_type="image/jpeg", prefer="respond-async")
    assert (answer.code, answer.headers["retry-after"]) == ((503, "service_unavailable"), "1")


def test_logs_hold_neither_forms_nor_signatures_nor_what_urls_ask_for(monkeypatch):
    stream = io.StringIO()
    for handler in telemetry.logger.handlers:
        monkeypatch.setattr(handler, "stream", stream)
    order = {"image_url": "https://example.com/a.jpg?token=hush", "webhook_url": "https://example.com/w?token=hush"}
    linked = ask("POST", "/v2/jobs", order).json["id"]
    uploaded = ask("POST", "/v2/jobs", {}, idempotency_key="idem-hush").json
    succeed(uploaded["id"])
    ask("GET", f"/v2/jobs/{uploaded['id']}")
    ask("GET", "/v2/jobs")
    ask("POST", "/v2/uploads")
    ask("POST", "/v2/jobs", {"webhook_url": "http://10.0.0.1/?token=hush"})
    ask("DELETE", f"/v2/jobs/{linked}")
    log = stream.getvalue()
    assert linked in log
    for secret in ("hush", "X-Amz", "x-amz-signature", uploaded["upload"]["fields"]["policy"], LIVE_KEY):
        assert secret not in log
