"""``tools/measure_model.py`` on the default model and on rows that it cannot measure."""

import re
import subprocess
import sys

from local import ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "tools/measure_model.py", "--runs", "1", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_default_model_is_measured_and_held_against_its_row():
    done = run()
    found = re.fullmatch(r"cutout-s: cpu_s (\S+) \(row: 0\.25\), peak_mb (\d+) \(row: 300\)\n", done.stdout)
    assert found, done.stderr
    assert float(found[1]) > 0
    assert int(found[2]) > 50
    assert done.returncode == (float(found[1]) > 0.25 or int(found[2]) > 300)


def test_a_row_that_is_not_there_and_a_file_that_is_not_here_are_said():
    unknown, missing = run("nope"), run("cutout-s", "--models-dir", str(ROOT / "tests/unit"))
    assert (unknown.returncode, missing.returncode) == (2, 2)
    assert "no model 'nope'" in unknown.stderr
    assert "Traceback" not in unknown.stderr + missing.stderr
