"""Tracing costs a third of a second at a cold start, so only a function that traces may import its SDK."""

import os
import subprocess
import sys

import pytest

from local import ROOT

LOADED = "import sys; from functions.account import app; print('aws_xray_sdk.core' in sys.modules)"


@pytest.mark.parametrize(
    ("variables", "loaded"),
    [
        ({}, "False"),
        ({"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9", "POWERTOOLS_TRACE_DISABLED": "true"}, "False"),
        ({"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9", "POWERTOOLS_TRACE_DISABLED": "false"}, "True"),
    ],
    ids=["outside Lambda", "switched off", "switched on"],
)
def test_the_tracing_sdk_is_imported_only_where_traces_are_written(variables, loaded):
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'layers' / 'cutout'}:{ROOT}", **variables}
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == loaded
