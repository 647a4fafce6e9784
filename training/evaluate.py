"""Scores of an exported model on the validation split, and pictures: ``python -m training.evaluate --help``.

Three sets are scored: the photos kept out of training, composites of kept-out cutouts on kept-out
backgrounds (from a fixed seed, half of them on studio grounds), and pictures without a subject, for
which the share of pixels wrongly taken is given as MAE and as 1 - IoU.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from skimage import data as skimage_data

from training import backgrounds, shards
from training.data import Sampler, normalise
from training.export import PHOTOS
from training.metrics import Score, score
from training.shards import Collection

COMPOSITES = 60
EMPTY = 5  # of each kind of background
SEED = 7
TILE = 224
Case = tuple[str, Image.Image, np.ndarray]  # source, picture, true alpha float32 [H, W]


class Model:
    """An exported model on one thread."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.size: int = self.session.get_inputs()[0].shape[-1]

    def alpha(self, picture: Image.Image) -> np.ndarray:
        """Float32 [H, W] in 0..1 of an RGB picture of any size, squashed to the model's square."""
        square = picture.resize((self.size, self.size), Image.Resampling.BILINEAR)
        (answer,) = self.session.run(["alpha"], {"image": normalise(square)[None]})
        return np.asarray(Image.fromarray(answer[0, 0]).resize(picture.size, Image.Resampling.BILINEAR))


def cases(items: Collection) -> Iterator[Case]:
    """Every picture that is scored, always the same ones in the same order."""
    for source, photos in items.photos.items():
        for photo in photos:
            picture, alpha = photo.open()
            yield source, picture, np.asarray(alpha, np.float32) / 255
    rng = np.random.default_rng(SEED)
    cutouts_only = Sampler(replace(items, photos={}), 448)
    for source in items.cutouts:
        sampler = replace(cutouts_only, items=replace(cutouts_only.items, cutouts={source: items.cutouts[source]}))
        for _ in range(COMPOSITES // len(items.cutouts)):
            picture, alpha = sampler.composite(rng, one=True)
            yield f"on ground: {source}", picture, np.asarray(alpha, np.float32) / 255
    for make in backgrounds.EMPTIES:
        for _ in range(EMPTY):
            yield f"empty: {make.__name__}", make(rng, 448), np.zeros((448, 448), np.float32)


def table(rows: list[tuple[str, Score]]) -> str:
    """Measures by source, then over all pictures and over all sources, as Markdown."""
    sources = list(dict.fromkeys(source for source, _ in rows))
    lines = ["| source | n | MAE | maxF | IoU | boundary IoU |", "|---|---|---|---|---|---|"]
    by_source = {name: [s for source, s in rows if source == name] for name in sources}
    subjects = {name: scores for name, scores in by_source.items() if not name.startswith("empty")}
    by_source["all with a subject"] = [s for scores in subjects.values() for s in scores]
    for name, scores in by_source.items():
        max_f = float(np.mean([s.curve for s in scores], axis=0).max())
        mae, iou, rim = (float(np.mean([getattr(s, k) for s in scores])) for k in ("mae", "iou", "boundary_iou"))
        lines.append(f"| {name} | {len(scores)} | {mae:.3f} | {max_f:.3f} | {iou:.3f} | {rim:.3f} |")
    means = [
        np.mean([np.mean([getattr(s, k) for s in v]) for v in subjects.values()])
        for k in ("mae", "iou", "boundary_iou")
    ]
    lines.append(f"| mean of the sources | {len(subjects)} | {means[0]:.3f} | | {means[1]:.3f} | {means[2]:.3f} |")
    return "\n".join(lines)


def strip(picture: Image.Image, alpha: np.ndarray) -> Image.Image:
    """The photo, its cutout on a chequerboard and its cutout on magenta, side by side."""
    size = (TILE * picture.size[0] // max(picture.size), TILE * picture.size[1] // max(picture.size))
    mask = Image.fromarray((alpha * 255).astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)
    small = picture.resize(size, Image.Resampling.LANCZOS)
    y, x = np.mgrid[0 : size[1], 0 : size[0]] // 12
    chequer = Image.fromarray(np.where((x + y) % 2, 255, 205).astype(np.uint8)).convert("RGB")
    sheet = Image.new("RGB", (3 * TILE + 16, TILE), "white")
    grounds = (
        small,
        Image.composite(small, chequer, mask),
        Image.composite(small, Image.new("RGB", size, "magenta"), mask),
    )
    for column, tile in enumerate(grounds):
        sheet.paste(tile, (column * (TILE + 8) + (TILE - size[0]) // 2, (TILE - size[1]) // 2))
    return sheet


def sheet(strips: list[Image.Image], columns: int) -> Image.Image:
    """Strips in rows of ``columns``."""
    width, height = strips[0].size
    page = Image.new("RGB", (columns * (width + 16), -(-len(strips) // columns) * (height + 8)), "white")
    for i, tile in enumerate(strips):
        page.paste(tile, (i % columns * (width + 16), i // columns * (height + 8)))
    return page


def show_packaged(model: Model) -> Image.Image:
    """The contact sheet of the four packaged photos, which may be published."""
    photos = [Image.fromarray(getattr(skimage_data, name)()) for name in PHOTOS]
    return sheet([strip(p, model.alpha(p)) for p in photos], columns=1)


def main() -> None:
    """Print the table; write the sheets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="the .onnx file")
    parser.add_argument("--data", type=Path, required=True, help="folder of the shards")
    parser.add_argument(
        "--sheet", type=Path, help="PNG of validation pictures (holds photos that may not be published)"
    )
    parser.add_argument("--packaged", type=Path, help="PNG of scikit-image's own photos")
    parser.add_argument("--every", type=int, default=5, help="put every n-th picture on the sheet")
    options = parser.parse_args()
    model, rows, strips = Model(options.model), [], []
    for i, (source, picture, truth) in enumerate(cases(shards.load(options.data, validation=True))):
        alpha = model.alpha(picture)
        rows.append((source, score(alpha, truth)))
        if i % options.every == 0:
            strips.append(strip(picture, alpha))
    print(table(rows))
    if options.sheet:
        sheet(strips, columns=3).save(options.sheet)
    if options.packaged:
        show_packaged(model).save(options.packaged)


if __name__ == "__main__":
    main()
