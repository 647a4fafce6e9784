import pytest

from cutout.errors import InvalidOptionError
from cutout.imaging.spec import CutoutSpec, ImageFormat, SizeName
from cutout.jobs.parts import JobOptions
from cutout.services.upload_intake import find_wishes, wished_options, wished_webhook

NOBODY: frozenset[str] = frozenset()


def wishes(metadata: dict[str, str], tags: dict[str, str] | None = None) -> tuple[JobOptions, str | None]:
    fields = find_wishes(metadata, lambda: tags or {})
    return wished_options(fields), wished_webhook(fields, NOBODY)


def test_without_a_word_the_defaults_are_meant():
    assert wishes({}) == (JobOptions(), None)
    assert wishes({"mtime": "1", "author": "me"}, {"project": "cats"}) == (JobOptions(), None)
    assert wishes({"format": ""}) == (JobOptions(), None)


def test_names_may_be_written_as_headers_like_them():
    made, url = wishes({"BG-Color": "red", "Size": "HD", "mask": "Yes", "Webhook-URL": "https://hook.example/x"})

    assert made == JobOptions(CutoutSpec(bg_color=(255, 0, 0, 255), size=SizeName.HD), mask=True)
    assert url == "https://hook.example/x"


def test_tags_are_asked_for_only_where_metadata_has_no_option():
    assert find_wishes({"format": "webp"}, lambda: pytest.fail("asked")).text("format") == "webp"
    assert wishes({"mtime": "1"}, {"format": "webp"})[0].spec.format is ImageFormat.WEBP


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
def test_wrong_wishes_are_told(metadata):
    with pytest.raises(InvalidOptionError) as wrong:
        wishes(metadata)
    assert wrong.value.details["option"] == next(iter(metadata)).replace("-", "_")


def test_a_private_webhook_is_allowed_where_the_settings_say_so():
    fields = find_wishes({"webhook-url": "http://127.0.0.1:8080/"}, dict)

    assert wished_webhook(fields, frozenset({"127.0.0.1:8080"})) == "http://127.0.0.1:8080/"
