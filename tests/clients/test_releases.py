"""The release of a client: versions and changelogs agree, and packages come out the same twice and can be used."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local import ROOT
from tests.clients.javascript_client import built, run
from tools.release import ReleaseError, check, version_of

CLIENT = ROOT / "clients" / "python"
FACTS = ("python", "javascript")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a release is checked by, in a folder that may be changed."""
    for name in (
        "python/cutout_client/_version.py", "python/CHANGELOG.md", "javascript/package.json", "javascript/CHANGELOG.md"
    ):  # fmt: skip
        target = tmp_path / "clients" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "clients" / name, target)
    return tmp_path


@pytest.mark.parametrize("client", FACTS)
def test_the_version_and_the_changelog_of_the_repository_agree(client):
    version = version_of(client, ROOT)
    assert check(f"{client}-{version}", ROOT) == (client, version)


def test_the_lock_file_of_the_javascript_client_has_its_version():
    lock = json.loads((ROOT / "clients/javascript/package-lock.json").read_text())
    assert lock["version"] == lock["packages"][""]["version"] == version_of("javascript", ROOT)


@pytest.mark.parametrize("client", FACTS)
def test_a_tag_that_does_not_fit_is_refused(client, checkout):
    with pytest.raises(ReleaseError, match=r"names version 9\.9\.9, and the package says"):
        check(f"{client}-9.9.9", checkout)
    (checkout / "clients" / client / "CHANGELOG.md").write_text("## 0.0.1\n\n## " + version_of(client, checkout))
    with pytest.raises(ReleaseError, match="does not begin with"):
        check(f"{client}-{version_of(client, checkout)}", checkout)


@pytest.mark.parametrize("tag", ["v1.0.0", "ruby-0.1.0", "python"])
def test_other_tags_are_refused(tag, checkout):
    with pytest.raises(ReleaseError):
        check(tag, checkout)


@pytest.mark.parametrize("project", [CLIENT, CLIENT / "local"], ids=["cutout-client", "cutout-local"])
def test_a_wheel_is_the_same_when_it_is_built_again(project, tmp_path):
    made = []
    for folder in (tmp_path / "once", tmp_path / "again"):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        subprocess.run(command, cwd=project, check=True, capture_output=True)
        made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert made[0] == made[1]
    assert len(made[0]) == 1


def test_the_tarball_is_the_same_when_it_is_packed_again_and_can_be_used(tmp_path):
    npm = shutil.which("npm") or pytest.skip("npm is not installed")
    made = []
    for folder in (tmp_path / "once", tmp_path / "again"):
        folder.mkdir()
        command = [npm, "pack", "--ignore-scripts", "--silent", "--pack-destination", str(folder)]
        subprocess.run(command, cwd=built(), check=True, capture_output=True)
        made.append(next(folder.iterdir()))
    assert made[0].read_bytes() == made[1].read_bytes()
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "package.json").write_text("{}")
    install = [npm, "install", "--offline", "--no-audit", "--no-fund", "--silent", str(made[0])]
    subprocess.run(install, cwd=shop, check=True, capture_output=True)
    assert [path.name for path in (shop / "node_modules").iterdir() if path.is_dir()] == ["cutout-client"]
    for name, line in (
        (
            "a.mjs",
            "import { Cutout } from 'cutout-client'; import 'cutout-client/ben'; import 'cutout-client/webhooks'",
        ),
        ("a.cjs", "const { Cutout } = require('cutout-client'); require('cutout-client/ben')"),
    ):
        (shop / name).write_text(f"{line}\nconsole.log(typeof new Cutout({{ apiKey: 'k' }}).remove)")
        assert run(str(shop / name), folder=shop).strip() == "function"
