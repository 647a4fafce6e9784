"""What AWS's own tools say of the template."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import ROOT

SAM = ROOT / ".venv-sam/bin/sam"


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_cfn_lint_finds_nothing() -> None:
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    result = run(
        cfn_lint, "--include-checks", "I", "--", "template.yaml", "monitoring.yaml", "operations.yaml", "container.yaml"
    )
    assert (result.returncode, result.stdout) == (0, ""), result.stdout + result.stderr


def test_sam_validates_the_template() -> None:
    if not SAM.exists():
        if os.environ.get("CUTOUT_REQUIRE_DOCKER"):
            pytest.fail("aws-sam-cli is not installed")
        pytest.skip("aws-sam-cli is not installed: make .venv-sam/sam.stamp")
    result = run(SAM, "validate", "--lint", "--template", "template.yaml")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "is a valid SAM Template" in result.stdout
