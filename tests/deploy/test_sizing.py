"""Whatever model is asked for, the stack is one on which it runs."""

from dataclasses import replace

import pytest

from cutout.imaging.models.manifest import load_manifest
from deploy.parameters import declared, resolve
from deploy.sizing import LARGEST_MB, size_for
from local import ROOT

MODELS = load_manifest(ROOT / "models").models


def test_the_default_model_gets_the_template_defaults():
    assert resolve(declared()) == resolve(declared(), size_for(MODELS["cutout-s"]).parameters())


@pytest.mark.parametrize("name", MODELS)
def test_every_model_of_the_manifest_gets_values_that_the_template_allows(name):
    sizing = size_for(MODELS[name])
    values = resolve(declared(), sizing.parameters(), {"Model": name})
    assert MODELS[name].peak_mb < int(values["RemoveMemory"]) <= LARGEST_MB
    assert int(values["UploadTimeout"]) >= 2 * sizing.inference_s
    assert 1 <= int(values["MaxFrames"]) <= max(1, int(values["UploadTimeout"]) / sizing.inference_s)


@pytest.mark.parametrize(("name", "timeout_s"), [("cutout-s", 29), ("u2netp", 29), ("ben2", 60)])
def test_a_model_gets_the_time_in_which_it_can_answer(name, timeout_s):
    sizing = size_for(MODELS[name])
    assert (sizing.remove_timeout_s, sizing.synchronous) == (timeout_s, True)


def test_a_model_that_cannot_answer_within_the_gateways_time_is_for_jobs():
    sizing = size_for(replace(MODELS["ben2"], cpu_s=1_000.0))
    assert (sizing.remove_timeout_s, sizing.synchronous) == (300, False)


def test_more_work_never_gets_less_memory_or_time():
    before = size_for(MODELS["u2netp"])
    for cpu_s in (0.5, 2, 5, 10, 30, 100):
        after = size_for(replace(MODELS["u2netp"], cpu_s=float(cpu_s)))
        assert (after.memory_mb, after.upload_timeout_s) >= (before.memory_mb, before.upload_timeout_s)
        before = after


def test_a_model_that_no_function_can_hold_is_refused():
    with pytest.raises(ValueError, match="10240 MB"):
        size_for(replace(MODELS["ben2"], peak_mb=10_000))
