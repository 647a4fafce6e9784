from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from cutout.api.jobs import check_webhook_url
from cutout.errors import InvalidOptionError
from cutout.imaging.spec import CutoutSpec, ImageFormat, SizeName
from cutout.jobs.parts import JobOptions
from cutout.services.upload_intake import job_options, object_options

NOBODY: frozenset[str] = frozenset()


def image(metadata: dict[str, str], tags: Callable[[], dict[str, str]] = dict) -> Any:
    return SimpleNamespace(metadata=metadata, tags=tags)


def options(metadata: dict[str, str], tags: dict[str, str] | None = None) -> tuple[JobOptions, str | None]:
    fields = object_options(image(metadata, lambda: tags or {}))
    url = fields.text("webhook_url")
    if url:
        check_webhook_url(url, NOBODY)
    return job_options(fields), url


def test_without_a_word_the_defaults_are_meant():
    assert options({}) == (JobOptions(), None)
    assert options({"mtime": "1", "author": "me"}, {"project": "cats"}) == (JobOptions(), None)
    assert options({"format": ""}) == (JobOptions(), None)


def test_names_may_be_written_as_headers_like_them():
    made, url = options({"BG-Color": "red", "Size": "HD", "mask": "Yes", "Webhook-URL": "https://hook.example/x"})

    assert made == JobOptions(CutoutSpec(bg_color=(255, 0, 0, 255), size=SizeName.HD), mask=True)
    assert url == "https://hook.example/x"


def test_tags_are_asked_for_only_where_metadata_has_no_option():
    assert object_options(image({"format": "webp"}, lambda: pytest.fail("asked"))).text("format") == "webp"
    assert options({"mtime": "1"}, {"format": "webp"})[0].spec.format is ImageFormat.WEBP


@pytest.mark.parametrize(
    "metadata",
    [
        {"format": "exe"},
        {"mask": "maybe"},
        {"size": "x" * 1_000},
        {"webhook_url": "ftp://hook.example"},
        {"webhook_url": "http://127.0.0.1/"},
        {"webhook_url": "http://[::1]:8080/"},
        {"webhook_url": "https://user:password@hook.example/"},
        {"webhook_url": "https://" + "x" * 9_000},
    ],
    ids=repr,
)
def test_wrong_options_are_reported(metadata):
    with pytest.raises(InvalidOptionError) as wrong:
        options(metadata)
    assert wrong.value.details["option"] == next(iter(metadata)).replace("-", "_")
