"""The pipeline in this process, without service and key: the library ``cutout`` and its model.

They come with the distribution ``cutout-local`` (``pip install 'cutout-client[local]'``), or from a checkout of the
repository when its library is on the path. This is the only module that knows them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from cutout_client.errors import CutoutError, api_error
from cutout_client.results import Result

if TYPE_CHECKING:
    from cutout.imaging.models.manifest import Manifest


class LocalUnavailableError(CutoutError):
    """The library or its model is not installed."""

    def __init__(self) -> None:
        super().__init__("the local pipeline is not installed: pip install 'cutout-client[local]' (Python 3.11+)")


@dataclass(frozen=True)
class LocalModel:
    """A model of the library's manifest.

    Attributes:
        name: Its name.
        licence: Of its weights.
        size_bytes: Of its file.
        installed: Whether its file is here.
        is_default: Whether it is used when none is named.
    """

    name: str
    licence: str
    size_bytes: int
    installed: bool
    is_default: bool


class LocalPipeline:
    """A loaded model. Threads may share it."""

    def __init__(self, model: str = "", threads: int = 0) -> None:
        """Load a model.

        Args:
            model: Name of a row of the manifest; empty: the default.
            threads: Of one inference; 0: as many as cores.

        Raises:
            LocalUnavailableError: The library is not installed.
            ApiError: There is no such model, or its file is missing or broken.
        """
        folder = models_folder()
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime notes and reports its use otherwise
        from cutout.errors import CutoutError as LibraryError  # noqa: PLC0415 - an extra
        from cutout.imaging.models.manifest import ManifestError, load_manifest  # noqa: PLC0415
        from cutout.imaging.models.onnx import OnnxSegmenter  # noqa: PLC0415

        try:
            row = load_manifest(folder).select(model)
            self._segmenter = OnnxSegmenter(row, folder / row.file, threads)
        except ManifestError as error:
            raise api_error("not_found", f"{error}.") from error
        except LibraryError as error:
            raise api_error(error.code, error.message, details=error.details) from error

    @property
    def model(self) -> str:
        """Name of the model."""
        return self._segmenter.name

    def remove(self, data: bytes, fields: Mapping[str, str], background: bytes | None = None) -> Result:
        """Remove the background of an encoded image.

        Args:
            data: The image.
            fields: Options as text, as ``POST /v2`` takes them.
            background: An encoded image to put behind the subject.

        Raises:
            ApiError: By the codes of the service.
        """
        from cutout.api.body.fields import Fields  # noqa: PLC0415 - an extra
        from cutout.api.options import parse_options  # noqa: PLC0415
        from cutout.errors import CutoutError as LibraryError  # noqa: PLC0415
        from cutout.imaging.pipeline import cut_out  # noqa: PLC0415
        from cutout.imaging.spec import Limits  # noqa: PLC0415

        try:
            made = cut_out(data, parse_options(Fields(fields.items())), self._segmenter, Limits(), background)
        except LibraryError as error:
            raise api_error(error.code, error.message, details=error.details) from error
        facts = (made.media_type, made.width, made.height, made.model, made.stages_ms)
        return Result(made.data, *facts, frames=made.frames)


def models() -> list[LocalModel]:
    """Return all models of the manifest. Raises LocalUnavailableError."""
    folder = models_folder()
    manifest = _manifest(folder)
    return [
        LocalModel(row.name, row.licence, row.size_bytes, (folder / row.file).is_file(), row.name == manifest.default)
        for row in manifest.models.values()
    ]


def models_folder() -> Path:
    """Return the folder of the manifest and the models.

    Raises:
        LocalUnavailableError: The library or its models are not installed.
    """
    bundled = find_spec("cutout_local")
    if bundled is not None and bundled.origin is not None:
        return Path(bundled.origin).parent / "models"
    library = find_spec("cutout")
    checkout = checkout_of(Path(library.origin)) if library is not None and library.origin is not None else None
    if checkout is None:
        raise LocalUnavailableError
    return checkout / "models"


def checkout_of(place: Path) -> Path | None:
    """Return the checkout of the repository that a path lies in; None when it lies in none."""
    return next((each for each in place.resolve().parents if (each / "models" / "manifest.toml").is_file()), None)


def _manifest(folder: Path) -> Manifest:
    from cutout.imaging.models.manifest import load_manifest  # noqa: PLC0415 - an extra

    return load_manifest(folder)
