import ast
import dataclasses
import inspect
import re

import pytest

from cutout import settings
from cutout.imaging.spec import Limits
from cutout.settings import Settings, SettingsError
from local.resources import Template


def test_an_empty_environment_gives_the_documented_defaults():
    assert Settings.from_env({}) == Settings()
    assert Settings().limits == Limits(30 * 1024 * 1024, 50_000_000, 65_535, 6_000)
    assert (Settings().url_timeout_s, Settings().url_redirects, Settings().url_allow) == (10.0, 3, frozenset())
    assert Settings().legacy_keys is False


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("CUTOUT_ACCOUNTS_TABLE", "Accounts", "accounts_table", "Accounts"),
        ("CUTOUT_JOBS_TABLE", "Jobs", "jobs_table", "Jobs"),
        ("CUTOUT_RESULTS_BUCKET", "results", "results_bucket", "results"),
        ("CUTOUT_UPLOADS_BUCKET", "uploads", "uploads_bucket", "uploads"),
        ("CUTOUT_JOBS_QUEUE_URL", "https://queue/jobs", "jobs_queue_url", "https://queue/jobs"),
        ("CUTOUT_WEBHOOKS_QUEUE_URL", "https://queue/hooks", "webhooks_queue_url", "https://queue/hooks"),
        ("CUTOUT_REMOVE_FUNCTION", "remove", "remove_function", "remove"),
        ("CUTOUT_INLINE_LIMIT_BYTES", "0", "inline_limit_bytes", 0),
        ("CUTOUT_RESULT_URL_S", "60", "result_url_s", 60),
        ("CUTOUT_UPLOAD_URL_S", "60", "upload_url_s", 60),
        ("CUTOUT_WEBHOOK_TIMEOUT_S", "2", "webhook_timeout_s", 2.0),
        ("CUTOUT_WEBHOOK_BACKOFF_S", "0", "webhook_backoff_s", 0),
        ("CUTOUT_KEY_GRACE_S", "0", "key_grace_s", 0),
        ("CUTOUT_MODEL", "ben2", "model", "ben2"),
        ("CUTOUT_THREADS", " 4 ", "threads", 4),
        ("CUTOUT_LEGACY_KEYS", "TRUE", "legacy_keys", True),
        ("CUTOUT_LEGACY_KEYS", "no", "legacy_keys", False),
        ("CUTOUT_OPEN_ACCOUNT", " acct_1 ", "open_account", "acct_1"),
        ("CUTOUT_URL_TIMEOUT_S", "3", "url_timeout_s", 3.0),
        ("CUTOUT_URL_REDIRECTS", "0", "url_redirects", 0),
        ("CUTOUT_URL_ALLOW", " 127.0.0.1:80, ,files:81,", "url_allow", frozenset({"127.0.0.1:80", "files:81"})),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001", "in_lambda", True),
        ("POWERTOOLS_TRACE_DISABLED", "true", "trace_disabled", True),
    ],
)
def test_a_variable_sets_its_field_and_no_other(name, text, field, value):
    read = Settings.from_env({name: text})

    assert getattr(read, field) == value
    assert dataclasses.replace(read, **{field: getattr(Settings(), field)}) == Settings()


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("CUTOUT_MAX_IMAGE_BYTES", "max_bytes"),
        ("CUTOUT_MAX_PIXELS", "max_pixels"),
        ("CUTOUT_MAX_SIDE_PX", "max_side_px"),
        ("CUTOUT_MAX_OUTPUT_SIDE_PX", "max_output_side_px"),
        ("CUTOUT_MAX_FRAMES", "max_frames"),
        ("CUTOUT_MAX_FRAMES_PX", "max_frames_px"),
    ],
)
def test_a_variable_sets_its_limit_and_no_other(name, field):
    assert Settings.from_env({name: "7"}).limits == dataclasses.replace(Limits(), **{field: 7})


@pytest.mark.parametrize(
    ("memory_mb", "threads"), [("512", 1), ("1769", 1), ("2653", 1), ("2654", 2), ("3008", 2), ("10240", 6)]
)
def test_a_function_uses_the_cores_that_its_memory_pays_for(memory_mb, threads):
    memory = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory_mb}
    assert Settings.from_env(memory).threads == threads
    assert Settings.from_env(memory | {"CUTOUT_THREADS": "3"}).threads == 3


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_variable_counts_as_absent(text):
    numbers = dict.fromkeys(["CUTOUT_THREADS", "CUTOUT_MAX_PIXELS", "CUTOUT_URL_TIMEOUT_S"], text)

    assert Settings.from_env(numbers | {"CUTOUT_LEGACY_KEYS": text, "CUTOUT_MODELS_DIR": ""}) == Settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CUTOUT_INLINE_LIMIT_BYTES", "-1"),
        ("CUTOUT_RESULT_URL_S", "0"),
        ("CUTOUT_UPLOAD_URL_S", "0"),
        ("CUTOUT_WEBHOOK_TIMEOUT_S", "0"),
        ("CUTOUT_KEY_GRACE_S", "-1"),
        ("CUTOUT_THREADS", "two"),
        ("CUTOUT_THREADS", "1.5"),
        ("CUTOUT_THREADS", "0x4"),
        ("CUTOUT_LEGACY_KEYS", "maybe"),
        ("CUTOUT_URL_TIMEOUT_S", "0"),
        ("CUTOUT_URL_REDIRECTS", "-1"),
        ("CUTOUT_MAX_IMAGE_BYTES", "0"),
        ("CUTOUT_MAX_PIXELS", "lots"),
        ("CUTOUT_MAX_SIDE_PX", "-5"),
        ("CUTOUT_MAX_OUTPUT_SIDE_PX", "1e3"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(name, text):
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({name: text})


def documented() -> dict[str, str]:
    """Field to docstring, as written below each field."""
    tree = ast.parse(inspect.getsource(settings))
    (cls,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings"]
    return {
        field.target.id: text.value.value
        for field, text in zip(cls.body, cls.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def variables() -> set[str]:
    return set(re.findall(r"\b(?:CUTOUT|AWS|POWERTOOLS)_[A-Z_]+\b", " ".join(documented().values())))


def test_every_field_says_its_variable_and_meaning():
    assert documented().keys() == {field.name for field in dataclasses.fields(Settings)}


def test_every_variable_that_is_read_is_documented_and_the_other_way_round():
    class Recorder(dict[str, str]):
        def __init__(self) -> None:
            self.asked: set[str] = set()

        def get(self, key, default=None):
            self.asked.add(key)
            return default

        def __contains__(self, key: object) -> bool:
            self.asked.add(str(key))
            return False

    recorder = Recorder()
    Settings.from_env(recorder)

    assert recorder.asked == variables()


def test_the_template_sets_no_variable_that_nobody_reads_and_only_good_values(template: Template):
    for function in template.functions.values():
        assert {name for name in function.environment if name.startswith("CUTOUT_")} <= variables()
        Settings.from_env(function.environment)
