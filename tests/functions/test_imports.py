"""What a function imports at its start: each module is time of every cold start."""

import json
import subprocess
import sys

import pytest

from local import ROOT
from local.resources import Template

ZIP = {"account": 262, "admin": 262, "deliver_webhook": 304, "health": 262, "jobs": 262}
IMAGE = {"process_upload": 305, "remove_background": 374}
"""Most modules of ours and of third parties; the standard library's depend on Python's version."""
NOWHERE = {"boto3", "s3transfer", "multiprocessing.managers", "aws_xray_sdk", "unittest", "moto", "requests"}
IMAGES = {"numpy", "PIL", "onnxruntime", "isal", "pi_heif", "cutout.imaging.pipeline", "cutout.services.removal"}
BATCHES = {"aws_lambda_powertools.utilities.batch", "asyncio"}
"""What serves a queue, and imports descriptions of the events of all services."""

LIST_MODULES = "import json, sys; import {module} as app; print(json.dumps(sorted(sys.modules)))"


def imported(function: str, template: Template) -> set[str]:
    """Import a handler as Lambda does, with the variables of its function and no model to load."""
    (declared,) = [one for one in template.functions.values() if one.folder.name == function or function in one.module]
    done = subprocess.run(
        [sys.executable, "-c", LIST_MODULES.format(module=f"functions.{function}.app")],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'layers/cutout'}", "AWS_DEFAULT_REGION": "eu-central-1", **declared.environment}
        | {"POWERTOOLS_TRACE_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(("function", "most"), (ZIP | IMAGE).items())
def test_a_function_imports_no_more_modules_than_recorded(function, most, template):
    counted = {name for name in imported(function, template) if name.split(".")[0] not in sys.stdlib_module_names}

    assert most - 10 <= len(counted) <= most, "more: is all of it needed? fewer: record it"


@pytest.mark.parametrize("function", ZIP | IMAGE)
def test_nothing_is_imported_that_no_request_needs(function, template):
    unwanted = NOWHERE | (IMAGES if function in ZIP else set())
    if function not in {"deliver_webhook", "process_upload"}:
        unwanted = unwanted | BATCHES

    assert imported(function, template) & unwanted == set()
