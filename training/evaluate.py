"""Scores of an exported model on the validation split, and pictures: ``python -m training.evaluate --help``.

Three sets are scored: the photos kept out of training; scenes of 1024 px made of kept-out cutouts, lifted subjects
with hair, and structures, whose alpha is exact, so that edges are measured too; and pictures without a subject, for
which the share of pixels wrongly taken is given as MAE. Scenes and empty pictures come from a fixed seed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from skimage import data as skimage_data

from training import scenes, shards
from training.data import normalise
from training.export import PHOTOS
from training.grounds import EMPTIES
from training.metrics import EdgeScore, Score, edges, score
from training.scenes import SIDE
from training.shards import Collection
from training.sheets import sheet, strip

PER_SOURCE = 10  # scenes of each source of cutouts
PER_KIND = 20  # scenes of each other kind
EMPTY = 4  # of each kind of background
SEED = 7
BILINEAR = Image.Resampling.BILINEAR


@dataclass(frozen=True)
class Case:
    """A picture (RGB) that is scored, with its true alpha float32 [H, W]; ``exact``: its edges too."""

    source: str
    picture: Image.Image
    truth: np.ndarray
    exact: bool = False


@dataclass(frozen=True)
class Result:
    """What one picture scored."""

    source: str
    shape: Score
    edge: EdgeScore | None


class Model:
    """An exported model on one thread, and how a picture is brought to its input.

    fit: "squash" to the square, "pad" it to the square with grey, or "shape": its own aspect ratio at about as many
    pixels, for a graph with open sides. refine: follow with the service's own refinement.
    """

    def __init__(self, path: Path, fit: str = "squash", side: int = 320, *, refine: bool = False) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        given = self.session.get_inputs()[0].shape[-1]
        self.side: int = given if isinstance(given, int) else side
        self.fit, self.refine = fit, refine

    def alpha(self, picture: Image.Image) -> np.ndarray:
        """Float32 [H, W] in 0..1 of an RGB picture of any size."""
        answer = self._answer(picture)
        if not self.refine:
            return np.asarray(Image.fromarray(answer).resize(picture.size, BILINEAR))
        sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "layers" / "cutout"))
        from cutout.imaging.matting.refine import refine_alpha, stretch  # noqa: PLC0415  (of the service, for this option alone)

        return refine_alpha(np.asarray(picture), stretch(answer)).astype(np.float32) / 255

    def _answer(self, picture: Image.Image) -> np.ndarray:
        """The model's alpha for all of the picture, at whatever size it comes."""
        side = self.side
        if self.fit == "squash":
            return self._run(picture.resize((side, side), BILINEAR))
        w, h = picture.size
        if self.fit == "shape":
            scale = side / np.sqrt(w * h)
            return self._run(picture.resize((_sixteens(w * scale), _sixteens(h * scale)), BILINEAR))
        w, h = (max(1, round(length * side / max(w, h))) for length in (w, h))
        left, top = (side - w) // 2, (side - h) // 2
        square = Image.new("RGB", (side, side), (128, 128, 128))
        square.paste(picture.resize((w, h), BILINEAR), (left, top))
        return np.ascontiguousarray(self._run(square)[top : top + h, left : left + w])

    def _run(self, image: Image.Image) -> np.ndarray:
        alpha: np.ndarray = self.session.run(["alpha"], {"image": normalise(image)[None]})[0][0, 0]
        return alpha


def photo_cases(items: Collection) -> Iterator[Case]:
    """The photos kept out of training."""
    for source, photos in items.photos.items():
        for photo in photos:
            picture, alpha = photo.open()
            yield Case(source, picture, np.asarray(alpha, np.float32) / 255)


def scene_cases(items: Collection) -> Iterator[Case]:
    """Scenes with exact edges: each source of cutouts, lifted subjects, structures, glass."""
    rng = np.random.default_rng(SEED)
    plans = [
        (f"scene: {s}", "cutout", replace(items, cutouts={s: items.cutouts[s]}), PER_SOURCE) for s in items.cutouts
    ]
    plans += [(f"scene: {kind}", kind, items, PER_KIND) for kind in ("lifted", "structure", "glass")]
    for name, kind, material, count in plans:
        for _ in range(count):
            scene = scenes.degrade(rng, scenes.composite(rng, material, kind))
            yield Case(name, scene.picture, np.asarray(scene.alpha, np.float32) / 255, exact=True)


def empty_cases() -> Iterator[Case]:
    """Pictures without a subject."""
    rng = np.random.default_rng(SEED)
    for make in EMPTIES:
        for _ in range(EMPTY):
            yield Case(f"empty: {make.__name__}", make(rng, SIDE), np.zeros((SIDE, SIDE), np.float32))


def table(results: list[Result]) -> str:
    """Measures by source, then over all with a subject, as Markdown; empty pictures in one row."""
    lines = ["| source | n | MAE | maxF | IoU | boundary IoU | edge error | edge gradient |", "|" + "---|" * 8]
    subjects = [r for r in results if not r.source.startswith("empty")]
    photos = [r for r in subjects if not r.source.startswith("scene")]
    groups = {name: [r for r in subjects if r.source == name] for name in dict.fromkeys(r.source for r in subjects)}
    means = [_means(group) for group in groups.values()]
    groups |= {"**all photos**": photos, "**all scenes**": [r for r in subjects if r.edge], "**all**": subjects}
    for name, group in groups.items():
        if group:
            mae, iou, rim = _means(group)
            best = float(np.mean([r.shape.curve for r in group], axis=0).max())
            sharp = [r.edge for r in group if r.edge]
            tail = (
                f"{np.mean([e.error for e in sharp]):.3f} | {np.mean([e.gradient for e in sharp]):.4f}"
                if sharp
                else "|"
            )
            lines.append(f"| {name} | {len(group)} | {mae:.3f} | {best:.3f} | {iou:.3f} | {rim:.3f} | {tail} |")
    if means:
        mae, iou, rim = np.mean(means, axis=0)
        lines.append(f"| **mean of the sources** | {len(means)} | {mae:.3f} | | {iou:.3f} | {rim:.3f} | | |")
    empty = [r for r in results if r not in subjects]
    if empty:
        wrong = ", ".join(f"{r.source[7:]} {r.shape.mae:.3f}" for r in empty if r.shape.mae > 0.01)
        mean = np.mean([r.shape.mae for r in empty])
        lines.append(f"| no subject | {len(empty)} | {mean:.4f} | | | | | |\n\nMore than 1 % taken: {wrong or 'none'}")
    return "\n".join(lines)


def _means(group: list[Result]) -> np.ndarray:
    return np.mean([(r.shape.mae, r.shape.iou, r.shape.boundary_iou) for r in group], axis=0)


def _sixteens(length: float) -> int:
    return max(16, round(length / 16) * 16)


def save_masks(folder: Path, case: Case, number: int, alpha: np.ndarray) -> None:
    """Answer and reference as PNG, laid out for ``score.py FOLDER/answers --ref FOLDER/truth``."""
    name = f"{case.source.replace(': ', '-')}/{number:04d}"
    for part, plane in (("answers", alpha), ("truth", case.truth)):
        path = folder / part / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((plane * 255 + 0.5).astype(np.uint8)).save(path)
    case.picture.save(folder / "truth" / f"{name}.jpg")


def show_packaged(model: Model) -> Image.Image:
    """The contact sheet of the four packaged photos, which may be published."""
    photos = [Image.fromarray(getattr(skimage_data, name)()) for name in PHOTOS]
    return sheet([strip(p, model.alpha(p)) for p in photos], columns=1)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="the .onnx file")
    parser.add_argument("--data", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--photos-only", action="store_true", help="leave out scenes and empty pictures")
    parser.add_argument("--fit", choices=("squash", "pad", "shape"), default="squash", help="how aspect ratios are met")
    parser.add_argument("--refine", action="store_true", help="refine as the service does")
    parser.add_argument("--masks", type=Path, help="folder for answers and references, as score.py wants them")
    parser.add_argument("--packaged", type=Path, help="PNG of scikit-image's own photos")
    return parser.parse_args()


def main() -> None:
    """Print the table; write masks and the sheet."""
    options = arguments()
    model = Model(options.model, options.fit, refine=options.refine)
    items = shards.load(options.data, validation=True)
    cases = list(photo_cases(items))
    if not options.photos_only:
        cases += [*scene_cases(items), *empty_cases()]
    results = []
    for i, case in enumerate(cases):
        alpha = model.alpha(case.picture)
        results.append(Result(case.source, score(alpha, case.truth), edges(alpha, case.truth) if case.exact else None))
        if options.masks:
            save_masks(options.masks, case, i, alpha)
    print(table(results))
    if options.packaged:
        show_packaged(model).save(options.packaged)


if __name__ == "__main__":
    main()
