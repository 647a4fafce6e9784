"""Ours beside the teachers, source by source: ``python -m training.compare --help``.

Two sets of photos that training never draws: those outlined by hand, and whole sources without outlines, where the
reference is what U2-Netp and IS-Net agree about (so that there only models of ours can be compared with each other).
The teachers' masks come from the folder that ``training.teachers`` fills; it makes those of the photos scored first.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.measure import label

from training import found, fusion, shards
from training.evaluate import Model
from training.found import Photo
from training.metrics import erode, score
from training.sheets import sheet, strip

AGREED = 0.75  # IoU of the two teachers from which on their mean is a reference
AWAY_PX = 8  # from the outline
ISLAND = 0.001  # of the picture
SHEET = 96  # photos on the contact sheet
Answer = Callable[[Photo], np.ndarray | None]


@dataclass(frozen=True)
class Case:
    """A photo and its reference, float32 [H, W]; ``by_hand``: not the teachers' own."""

    photo: Photo
    truth: np.ndarray
    by_hand: bool


def cases(data: Path, masks: Path) -> Iterator[Case]:
    """All photos that are scored."""
    for items in shards.load(data, validation=True).photos.values():
        for item in items:
            truth = np.asarray(item.open()[1], np.float32) / 255
            yield Case(Photo(item.source, item.number, item.picture), truth, by_hand=True)
    for shard in found.SHARDS:
        for photo in found.read(data, shard):
            planes = photo.planes(masks) if photo.source in found.HELD_OUT else {}
            if {"isnet", "u2netp"} <= set(planes):
                pair = planes["isnet"], planes["u2netp"]
                if fusion.soft_iou(*pair) >= AGREED:
                    yield Case(photo, np.mean(pair, axis=0), by_hand=False)


def undecided(alpha: np.ndarray) -> float:
    """Share of all pixels that are between 0.1 and 0.9 and farther than ``AWAY_PX`` from the mask's outline."""
    solid = alpha >= 0.5
    away = erode(solid, AWAY_PX) | erode(~solid, AWAY_PX)
    return float((away & (alpha > 0.1) & (alpha < 0.9)).mean())


def islands(alpha: np.ndarray) -> int:
    """Pieces of the mask smaller than ``ISLAND`` of the picture."""
    sizes = np.bincount(label(alpha >= 0.5, connectivity=2).ravel())[1:]
    return int((sizes < ISLAND * alpha.size).sum())


def measure(cases_: list[Case], answer: Answer) -> dict[str, list[tuple[float, ...]]]:
    """IoU, boundary IoU, undecided share and islands of every case, by source."""
    rows: dict[str, list[tuple[float, ...]]] = {}
    for case in cases_:
        alpha = answer(case.photo)
        if alpha is not None:
            shape = score(alpha, (case.truth >= 0.5).astype(np.float32))
            row = (shape.iou, shape.boundary_iou, undecided(alpha), islands(alpha))
            rows.setdefault(case.photo.source, []).append(row)
    return rows


def table(measured: dict[str, dict[str, list[tuple[float, ...]]]], sources: list[str], counts: dict[str, int]) -> str:
    """Markdown: a row a source, a column a model; means over photos below."""
    names = list(measured)
    lines = ["| source | n | " + " | ".join(names) + " |", "|---" * (2 + len(names)) + "|"]
    for source in [*sources, ""]:
        cells = []
        for name in names:
            rows = [r for s in sources for r in measured[name].get(s, []) if source in ("", s)]
            mean = np.mean(rows, axis=0) if rows else None
            cells.append("" if mean is None else f"{mean[0]:.3f} / {mean[1]:.3f}" + _decided(mean, source))
        n = sum(counts[s] for s in sources if source in ("", s))
        lines.append(f"| {source or 'all'} | {n} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _decided(mean: np.ndarray, source: str) -> str:
    return "" if source else f" / {100 * mean[2]:.2f} % / {mean[3]:.2f}"


def show(cases_: list[Case], model: Model) -> Image.Image:
    """``SHEET`` of the photos, an even share of each source's, and how the model cuts them out."""
    shown = (cases_[round(i)] for i in np.linspace(0, len(cases_) - 1, min(SHEET, len(cases_))))
    strips = [strip(picture, model.alpha(picture)) for picture in (case.photo.open() for case in shown)]
    return sheet(strips, columns=4)


def main() -> None:
    """Print both tables: IoU / boundary IoU; in the last row also undecided pixels and islands a photo."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", help=".onnx files of ours")
    parser.add_argument("--data", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--masks", type=Path, required=True, help="folder of the teachers' masks")
    parser.add_argument("--sheet", type=Path, help="PNG of the first model's cutouts, which may not be published")
    options = parser.parse_args()
    everything = list(cases(options.data, options.masks))
    if options.sheet:
        show(everything, Model(options.models[0])).save(options.sheet)

    def taught(teacher: str) -> Answer:
        return lambda photo: photo.planes(options.masks).get(teacher)

    def ours(model: Model) -> Answer:
        return lambda photo: model.alpha(photo.open())

    for by_hand in (True, False):
        chosen = [case for case in everything if case.by_hand == by_hand]
        answers = {f"{path.parent.name}/{path.stem}": ours(Model(path)) for path in options.models}
        if by_hand:
            answers = {"U2-Netp": taught("u2netp"), "IS-Net": taught("isnet")} | answers
        counts: dict[str, int] = {}
        for case in chosen:
            counts[case.photo.source] = counts.get(case.photo.source, 0) + 1
        measured = {name: measure(chosen, answer) for name, answer in answers.items()}
        print(f"\nReference: {'outlined by hand' if by_hand else 'what both teachers agree about'}\n")
        print(table(measured, list(counts), counts), flush=True)


if __name__ == "__main__":
    main()
