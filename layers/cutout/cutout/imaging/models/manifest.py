"""The manifest ``models/manifest.toml``: the models, their inputs and outputs, and the checksums of their files."""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cutout.errors import ServiceUnavailableError

_CHUNK_BYTES = 1 << 20
_HEX = {"sha256": 64, "md5": 32}


class ManifestError(ValueError):
    """The manifest is missing, unreadable or inconsistent; the message names the row and the field."""


class Scale(StrEnum):
    """The divisor of pixel values: 255, or the largest value of the (resized) image, as in rembg."""

    BYTE = "255"
    MAX = "max"


class Activation(StrEnum):
    """The function that is applied to the raw output."""

    NONE = "none"
    SIGMOID = "sigmoid"


class Stretch(StrEnum):
    """The scaling of the output per image: none, or to 0..1 (MINMAX) as most reference implementations do."""

    NONE = "none"
    MINMAX = "minmax"


class Resize(StrEnum):
    """The filter by which an image is resized to the square input."""

    BILINEAR = "bilinear"
    LANCZOS = "lanczos"


@dataclass(frozen=True, slots=True)
class Model:
    """One row of the manifest. Pixel p becomes (p / scale - mean) / std per channel."""

    name: str
    file: str
    """The name of the file in the models folder."""
    url: str
    """The URL of the file; empty when it is in the repository."""
    sha256: str
    """64 hexadecimal digits; may be empty only if ``md5`` is given."""
    md5: str
    """32 hexadecimal digits, as the publisher lists it; checked as well when given."""
    size_bytes: int
    """The size of the file; 0 when unknown."""
    licence: str
    source: str
    """The project that made the model."""
    size_px: int
    """The side of the square input."""
    resize: Resize
    scale: Scale
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    output: int
    """The index of the output to read."""
    activation: Activation
    stretch: Stretch
    arena: bool
    """Whether ONNX Runtime keeps its memory arena between runs: faster, but several GB more for large models."""
    cpu_s: float
    """Seconds of one core for one picture."""
    peak_mb: int
    """Peak memory in MB of a process that loads the model and runs it once, without the picture's own buffers."""
    aliases: tuple[str, ...] = ()
    """Other names by which clients select it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All models, and the name of the default one."""

    default: str
    models: Mapping[str, Model]

    def select(self, name: str = "") -> Model:
        """Select a model by name.

        Args:
            name: Its name; empty for the default model.

        Returns:
            Its row.

        Raises:
            ManifestError: There is no such model.
        """
        selected = name or self.default
        try:
            return self.models[selected]
        except KeyError:
            raise ManifestError(f"no model {selected!r} in the manifest; there are {', '.join(self.models)}") from None

    def installed(self, name: str, models_dir: Path) -> Model | None:
        """Find a model whose file is present.

        Args:
            name: Its name or one of its aliases.
            models_dir: The folder of the models' files.

        Returns:
            Its row; None when there is no such model or its file is missing.
        """
        model = next((row for row in self.models.values() if name in {row.name, *row.aliases}), None)
        return model if model and (models_dir / model.file).is_file() else None


def load_manifest(models_dir: Path) -> Manifest:
    """Read and check ``manifest.toml``.

    Args:
        models_dir: The folder that holds it.

    Returns:
        The manifest.

    Raises:
        ManifestError: It is missing, unreadable or inconsistent.
    """
    path = models_dir / "manifest.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path.name} cannot be read: {error}") from error
    models = {name: _model(name, row) for name, row in table.get("models", {}).items()}
    default = table.get("default")
    if not isinstance(default, str) or default not in models:
        raise ManifestError(f"default = {default!r} names no row")
    names = [name for model in models.values() for name in (model.name, *model.aliases)]
    if len(names) != len(set(names)):
        raise ManifestError("a name or an alias stands for two rows")
    return Manifest(default, MappingProxyType(models))


def verify(model: Model, path: Path) -> None:
    """Compare a file with its checksums.

    Args:
        model: The row with the checksums.
        path: The file.

    Raises:
        ServiceUnavailableError: The file is missing or another one; its details are for the log only.
    """
    digests = {"sha256": hashlib.sha256(), "md5": hashlib.md5(usedforsecurity=False)}
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                for digest in digests.values():
                    digest.update(chunk)
    except OSError as error:
        raise ServiceUnavailableError("The model file is missing.", {"model": model.name}) from error
    for kind, digest in digests.items():
        expected = getattr(model, kind)
        if expected and digest.hexdigest() != expected:
            raise ServiceUnavailableError(
                "The model file is not the one of the manifest.",
                {"model": model.name, "checksum": kind, "expected": expected, "found": digest.hexdigest()},
            )


def _model(name: str, row: Mapping[str, Any]) -> Model:
    expected = {field.name for field in fields(Model)} - {"name", "aliases"}
    if set(row) - {"aliases"} != expected:
        raise ManifestError(
            f"{name}: missing {sorted(expected - set(row))}, unknown {sorted(set(row) - expected - {'aliases'})}"
        )
    for kind, digits in _HEX.items():
        if row[kind] and not re.fullmatch(rf"[0-9a-f]{{{digits}}}", row[kind]):
            raise ManifestError(f"{name}: {kind} must be {digits} lower-case hexadecimal digits")
    if not row["sha256"] and not row["md5"]:
        raise ManifestError(f"{name}: a sha256 or an md5 is needed")
    if row["cpu_s"] <= 0 or row["peak_mb"] <= 0:
        raise ManifestError(f"{name}: cpu_s and peak_mb must be above zero")
    if Path(row["file"]).name != row["file"]:
        raise ManifestError(f"{name}: file must be a plain name")
    try:
        return Model(
            **{
                **row,
                "name": name,
                "resize": Resize(row["resize"]),
                "scale": Scale(str(row["scale"])),
                "activation": Activation(row["activation"]),
                "stretch": Stretch(row["stretch"]),
                "mean": _three(row["mean"]),
                "std": _three(row["std"]),
                "aliases": _names(row.get("aliases", [])),
            }
        )
    except (ValueError, TypeError) as error:
        raise ManifestError(f"{name}: {error}") from error


def _names(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("aliases must be a list of names")
    return tuple(values)


def _three(values: Any) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in values)
    return first, second, third
