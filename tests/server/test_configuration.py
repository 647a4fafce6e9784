"""What the container reads of its environment."""

import pytest

from local.service import StartError
from server.configuration import RESOURCES, Configuration, cores

KEY = {"BEN_API_TOKEN": "secret"}
REAL = {"AWS_REGION": "eu-west-1", **dict.fromkeys(RESOURCES, "name")}


def test_a_key_is_enough():
    configuration = Configuration.from_env(KEY)
    assert (configuration.key, configuration.resources, configuration.open_account) == ("secret", {}, "acct_local")
    assert configuration.workers == cores() > 0


def test_real_resources_need_no_key_and_open_no_account():
    configuration = Configuration.from_env(REAL)
    assert configuration.resources == dict.fromkeys(RESOURCES, "name")
    assert (configuration.open_account, configuration.aws) == ("", {"AWS_REGION": "eu-west-1"})


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({}, "BEN_API_TOKEN"),
        (KEY | {"AWS_REGION": "eu-west-1"}, "CUTOUT_JOBS_TABLE"),
        (REAL | {"CUTOUT_RESULTS_BUCKET": ""}, "CUTOUT_RESULTS_BUCKET"),
        (KEY | {"AWS_ACCESS_KEY_ID": "x"}, "AWS_REGION"),
        (KEY | {"CUTOUT_WORKERS": "two"}, "CUTOUT_WORKERS"),
        (KEY | {"CUTOUT_MAX_WAITING": "0"}, "CUTOUT_MAX_WAITING"),
        (KEY | {"CUTOUT_MAX_BODY_BYTES": "-1"}, "CUTOUT_MAX_BODY_BYTES"),
        (KEY | {"CUTOUT_PUBLIC_URL": "example.com"}, "CUTOUT_PUBLIC_URL"),
        (KEY | {"CUTOUT_PUBLIC_URL": "https://example.com/below"}, "CUTOUT_PUBLIC_URL"),
    ],
)
def test_what_is_missing_or_wrong_is_named(env, named):
    with pytest.raises(StartError, match=named):
        Configuration.from_env(env)


def test_other_aws_variables_ask_for_nothing():
    assert Configuration.from_env(KEY | {"AWS_CA_BUNDLE": "/etc/ssl/certs/ca.pem"}).resources == {}


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, cores()),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, cores()),
        ({}, cores()),
    ],
)
def test_a_limit_of_the_control_group_counts(tmp_path, files, wanted):
    (tmp_path / "cpu").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert cores(tmp_path) == wanted
