"""From an image to a coarse alpha: the Segmenter protocol, and its implementation with ONNX Runtime."""

from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from PIL import Image

from cutout.errors import ServiceUnavailableError
from cutout.imaging.arrays import Bytes, Floats, row_bands
from cutout.imaging.models.manifest import Activation, Model, Resize, Scale, Stretch
from cutout.imaging.resampling import squash
from cutout.imaging.threads import cores

_FILTERS = {Resize.BILINEAR: Image.Resampling.BILINEAR, Resize.LANCZOS: Image.Resampling.LANCZOS}
_ROWS = 64
"""Rows that are converted at once: they stay in the processor's cache."""
_LEAST_CONTRAST = 0.1
"""Min-max scaling is left out when max - min is below this: an image without a subject must not become noise."""
_RUNTIME_ERRORS = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
    RuntimeError,
    ValueError,
    MemoryError,
)
"""What onnxruntime raises; its own classes share no base below Exception."""


class Segmenter(Protocol):
    """Anything that finds the subject of an image."""

    @property
    def name(self) -> str:
        """The model's name, for logs and answers."""

    def squash(self, image: Bytes) -> Bytes:
        """Resize an image to what the model sees.

        Args:
            image: uint8 [H, W, 3].

        Returns:
            uint8 [S, S, 3]; the image itself where it is that already.
        """

    def alpha(self, image: Bytes) -> Floats:
        """Predict the alpha of the subject.

        Args:
            image: uint8 [H, W, 3]; squashed first where it is not yet.

        Returns:
            float32 [h, w] in 0..1, of the model's own size and aspect.
        """


class OnnxSegmenter:
    """A loaded model of the manifest; safe to share between threads."""

    def __init__(self, model: Model, path: Path, threads: int = 0) -> None:
        """Load a model.

        Args:
            model: Its row of the manifest.
            path: Its file.
            threads: For one inference; 0 for all cores that the process may use.

        Raises:
            ServiceUnavailableError: The file is missing, broken or does not fit its row.
        """
        self._model = model
        try:
            self._session = ort.InferenceSession(
                str(path), _options(model, threads or cores()), providers=["CPUExecutionProvider"]
            )
        except _RUNTIME_ERRORS as error:
            raise ServiceUnavailableError("The model cannot be loaded.", {"model": model.name}) from error
        self._input = self._session.get_inputs()[0]
        outputs = self._session.get_outputs()
        if model.output >= len(outputs) or not _fits(self._input.shape, model.size_px):
            raise ServiceUnavailableError("The model file does not fit its manifest row.", {"model": model.name})
        self._output = outputs[model.output].name

    @property
    def name(self) -> str:
        """The name of the manifest's row."""
        return self._model.name

    def squash(self, image: Bytes) -> Bytes:
        """Resize an image to what the model sees, by the filter of the manifest's row.

        Args:
            image: uint8 [H, W, 3].

        Returns:
            uint8 [S, S, 3]; the image itself where it is that already.
        """
        return _squash(image, self._model)

    def alpha(self, image: Bytes) -> Floats:
        """Predict the alpha of the subject.

        Args:
            image: uint8 [H, W, 3]; squashed first where it is not yet.

        Returns:
            float32 [h, w] in 0..1, of the model's own size and aspect.

        Raises:
            ServiceUnavailableError: The model does not run.
        """
        try:
            outputs = self._session.run([self._output], {self._input.name: preprocess(image, self._model)})
        except _RUNTIME_ERRORS as error:
            raise ServiceUnavailableError("The model does not run.", {"model": self.name}) from error
        return postprocess(outputs[0], self._model)


def self_test(segmenter: Segmenter) -> None:
    """Run the model once on a grey image.

    Args:
        segmenter: The model.

    Raises:
        ServiceUnavailableError: It does not answer an alpha in 0..1.
    """
    alpha = segmenter.alpha(np.full((64, 64, 3), 128, np.uint8))
    if alpha.ndim != 2 or not (float(alpha.min()) >= 0 and float(alpha.max()) <= 1):  # noqa: PLR2004
        raise ServiceUnavailableError("The model does not answer an alpha.", {"model": segmenter.name})


def preprocess(image: Bytes, model: Model) -> Floats:
    """Convert an image to the model's input.

    Args:
        image: uint8 [H, W, 3]; squashed first where it is not yet.
        model: Its size, filter, scale, mean and standard deviation.

    Returns:
        float32 [1, 3, S, S]; a pixel p becomes (p / scale - mean) / std.
    """
    pixels = _squash(image, model)
    white = 255.0 if model.scale is Scale.BYTE else max(float(pixels.max()), 1e-6)
    tensor = np.empty((1, 3, *pixels.shape[:2]), np.float32)
    for rows in row_bands(len(pixels), _ROWS):
        for channel in range(3):
            plane = tensor[0, channel, rows]
            plane[...] = pixels[rows, :, channel]
            plane *= np.float32(1.0 / (white * model.std[channel]))
            plane -= np.float32(model.mean[channel] / model.std[channel])
    return tensor


def postprocess(raw: NDArray[np.floating], model: Model) -> Floats:
    """Convert the model's output to alpha.

    Args:
        raw: [1, 1, h, w] or [1, h, w] of any float type.
        model: Its activation and scaling.

    Returns:
        float32 [h, w] in 0..1.
    """
    alpha = (raw[0, 0] if raw.ndim == 4 else raw.reshape(raw.shape[-2:])).astype(np.float32, copy=False)  # noqa: PLR2004
    if model.activation is Activation.SIGMOID:
        alpha = (0.5 * (1.0 + np.tanh(0.5 * alpha))).astype(np.float32)  # the sigmoid, without overflow
    if model.stretch is Stretch.MINMAX:
        low, high = float(alpha.min()), float(alpha.max())
        if high - low >= _LEAST_CONTRAST:
            alpha = (alpha - np.float32(low)) / np.float32(high - low)
    bounded: Floats = np.clip(alpha, 0, 1, dtype=np.float32)
    return bounded


def _squash(image: Bytes, model: Model) -> Bytes:
    return squash(image, model.size_px, _FILTERS[model.resize])


def _options(model: Model, threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = model.arena
    options.enable_mem_pattern = False  # a plan of all buffers beforehand: no faster, and a quarter more memory
    options.log_severity_level = 3
    # Waiting threads sleep: on Lambda a spinning core is billed, on a laptop it is somebody else's.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _fits(shape: list[int | str | None], side: int) -> bool:
    """Tell whether an input takes [1, 3, side, side]; a named or open dimension takes anything."""
    return len(shape) == 4 and all(  # noqa: PLR2004
        not isinstance(have, int) or have == want for have, want in zip(shape, (1, 3, side, side), strict=True)
    )
