"""What reaches the network of a photo."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cutout.imaging.arrays import Bytes, Floats
from cutout.imaging.clock import StageClock
from cutout.imaging.codecs.decode import Decoded
from cutout.imaging.isolate import isolate
from cutout.imaging.models.manifest import Activation, Model, Resize, Scale, Stretch, load_manifest
from cutout.imaging.models.onnx import OnnxSegmenter
from cutout.imaging.spec import Channels, CutoutSpec
from tests.unit.imaging.onnx_models import tiny_onnx

ROWS = load_manifest(Path(__file__).parents[3] / "models").models
KINDS = {(row.size_px, row.resize): row for row in ROWS.values()}
"""One model of each input."""
FILTERS = {Resize.BILINEAR: Image.Resampling.BILINEAR, Resize.LANCZOS: Image.Resampling.LANCZOS}


class Witness(OnnxSegmenter):
    """A network that answers the grey photo that it is given, and keeps its answer."""

    def __init__(self, model: Model, folder: Path) -> None:
        path = folder / model.file
        path.write_bytes(tiny_onnx(model.size_px))
        as_it_is = {"scale": Scale.BYTE, "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "output": 0}
        super().__init__(replace(model, **as_it_is, activation=Activation.NONE, stretch=Stretch.NONE), path, 1)
        self.received: Floats | None = None

    def alpha(self, image: Bytes) -> Floats:
        self.received = super().alpha(image)
        return self.received


def stripes(height: int, width: int, px: float) -> Bytes:
    """Grey waves of so many pixels from left to right."""
    wave = 127.5 + 120 * np.sin(2 * np.pi * np.arange(width) / px)
    return np.broadcast_to(wave.astype(np.uint8)[None, :, None], (height, width, 3)).copy()


@pytest.mark.parametrize("model", KINDS.values(), ids=lambda model: model.name)
@pytest.mark.parametrize(("height", "width"), [(3000, 4000), (864, 1152)])
def test_a_photo_is_resized_once_for_the_network(model: Model, height: int, width: int, tmp_path: Path) -> None:
    image = stripes(height, width, 2.5 * max(width / model.size_px, 1))  # waves of 2.5 pixels of the network's
    network = Witness(model, tmp_path)

    isolate(Decoded(image, None, width, height), CutoutSpec(channels=Channels.ALPHA), network, StageClock())

    side = (model.size_px, model.size_px)
    direct = np.asarray(Image.fromarray(image).resize(side, FILTERS[model.resize]), np.float32)[..., 0] / 255
    assert network.received is not None
    assert direct.std() > 0.03  # they are seen
    assert np.abs(network.received - direct).mean() < 0.02
