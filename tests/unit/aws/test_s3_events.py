"""Messages to tasks. What becomes of them is in tests/functions/process_upload."""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout.aws.s3_events import MAX_KEY_BYTES, ObjectCreated, UnknownMessageError, read_message
from cutout.jobs.ids import new_job_id
from cutout.jobs.parts import JobMessage


def record(key: str = "uploads/a/p.jpg", **changes: Any) -> dict[str, Any]:
    item = {"key": quote_plus(key, safe="/"), "size": 1, "eTag": "e", "sequencer": "00", "versionId": "v"}
    item |= changes.pop("object", {})
    made = {
        "eventSource": "aws:s3",
        "eventTime": "2026-11-21T03:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "bucket"}, "object": item},
    }
    return made | changes


def read(*records: Any) -> list[ObjectCreated | str]:
    return read_message(json.dumps({"Records": records}), "bucket")


def test_a_record_is_read_whole():
    (upload,) = read(record("uploads/acct_1/dir/p 1.jpg"))

    assert upload == ObjectCreated("bucket", "uploads/acct_1/dir/p 1.jpg", "v", "e", "00", "2026-11-21T03:00:00.000Z")
    assert (upload.account_id, upload.job_id, upload.version) == ("acct_1", None, "v")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_any_key_comes_back_decoded(name: str) -> None:
    key = f"uploads/a/{name}"
    found = read(record(key))

    assert [upload.key for upload in found] == ([] if key.endswith("/") else [key])


@pytest.mark.parametrize(
    ("facts", "version"),
    [
        ({}, "v"),
        ({"versionId": ""}, "00"),
        ({"versionId": "", "sequencer": ""}, "e@2026-11-21T03:00:00.000Z"),
    ],
)
def test_an_object_is_told_from_others_by_the_best_that_the_event_has(facts, version):
    (upload,) = read(record(object=facts))

    assert upload.version == version


def test_the_job_of_an_upload_is_in_its_key():
    job_id = new_job_id()

    found = read(record(f"uploads/a/{job_id}/image"), record(f"uploads/a/{job_id}"), record(f"uploads/a/x/{job_id}/i"))

    assert [upload.job_id for upload in found] == [job_id, None, None]


def test_every_way_to_create_an_object_counts():
    names = ["ObjectCreated:Put", "ObjectCreated:Post", "ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload"]

    assert len(read(*(record(eventName=name) for name in [*names, "s3:ObjectCreated:Put"]))) == 5


def test_a_key_is_refused_exactly_where_its_results_have_no_room():
    fits = "uploads/a/" + "x" * (MAX_KEY_BYTES - len("uploads/a/"))

    assert len(fits.replace("uploads", "results") + "/result.json") == 1_024
    assert [upload.key for upload in read(record(fits), record(fits + "x"))] == [fits]


def test_our_own_message_names_a_job():
    job_id = new_job_id()

    assert read_message(json.dumps({"job_id": job_id}), "bucket") == [JobMessage(job_id)]


@pytest.mark.parametrize(
    "body",
    [
        "", "x", "[]", "1", "null", "{}", '{"Records": {}}', '{"Records": [null]}', '{"Records": [{}]}',
        '{"job_id": null}', '{"job_id": "job_1"}', '{"Records": [{"eventName": 1, "s3": {}}]}', "[" * 100_000,
    ],
)  # fmt: skip
def test_what_nobody_understands_is_told_so(body):
    with pytest.raises(UnknownMessageError):
        read_message(body, "bucket")


NAMES = st.sampled_from(["Records", "s3", "bucket", "object", "key", "eventName", "name", "job_id", "Event"])
LEAVES = st.none() | st.booleans() | st.floats() | st.text()


@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=12))
def test_any_message_gives_tasks_or_is_told_to_be_unknown(message: Any) -> None:
    with suppress(UnknownMessageError):
        assert isinstance(read_message(json.dumps(message), "bucket"), list)
