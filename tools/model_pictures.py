"""Cuts the pictures that show the default model anew, after a change of it: python -m tools.model_pictures.

They are the start page's comparison (``web/assets/astronaut-cutout.avif``) and the README's rows
(``docs/images/cutouts.jpg``). What the page looks like is taken by ``tools.page_pictures``.
"""

import io
import sys
from pathlib import Path
from typing import Final

from PIL import Image, ImageColor

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "layers" / "cutout"))

from cutout.imaging.models.manifest import load_manifest
from cutout.imaging.models.onnx import OnnxSegmenter
from cutout.imaging.pipeline import cut_out
from cutout.imaging.spec import CutoutSpec, Limits
from local import ROOT

IMAGES: Final = ROOT / "docs/images"
START: Final = ROOT / "web/assets/astronaut-cutout.avif"
ROWS: Final = {"chelsea.jpg": "#26a69a", "coffee.jpg": "#f5ede0"}
"""Photos of the README, and the colour behind each in the last column."""
CELL: Final = (340, 227)
GAP: Final = 10
SQUARE: Final = 20
"""Width of a square of the checkerboard that stands for transparency, pixels."""
START_QUALITY: Final = 50
ROWS_QUALITY: Final = 88


def main() -> None:
    """Write both pictures."""
    manifest = load_manifest(ROOT / "models")
    segmenter = OnnxSegmenter(manifest.select(""), ROOT / "models" / manifest.select("").file)
    cut(IMAGES / "astronaut.jpg", segmenter).save(START, quality=START_QUALITY)
    rows(segmenter).save(IMAGES / "cutouts.jpg", quality=ROWS_QUALITY, optimize=True)
    print(f"{segmenter.name}: {START.relative_to(ROOT)}, docs/images/cutouts.jpg")


def cut(photo: Path, segmenter: OnnxSegmenter) -> Image.Image:
    """Return the cutout of a photo, RGBA."""
    return Image.open(io.BytesIO(cut_out(photo.read_bytes(), CutoutSpec(), segmenter, Limits()).data)).convert("RGBA")


def rows(segmenter: OnnxSegmenter) -> Image.Image:
    """Return each photo, its cutout on a checkerboard, and its cutout on a colour, row by row."""
    columns, (width, height) = 3, CELL
    sheet = Image.new("RGB", (columns * (width + GAP) - GAP, len(ROWS) * (height + GAP) - GAP), "white")
    for row, (name, colour) in enumerate(ROWS.items()):
        photo, cutout = Image.open(IMAGES / name).convert("RGBA"), cut(IMAGES / name, segmenter)
        behind = [Image.new("RGBA", CELL), _checkerboard(), Image.new("RGBA", CELL, ImageColor.getrgb(colour))]
        for column, (picture, ground) in enumerate(zip((photo, cutout, cutout), behind, strict=True)):
            cell = Image.alpha_composite(ground, picture.resize(CELL, Image.Resampling.LANCZOS))
            sheet.paste(cell.convert("RGB"), (column * (width + GAP), row * (height + GAP)))
    return sheet


def _checkerboard() -> Image.Image:
    board = Image.new("RGBA", CELL, "white")
    for top in range(0, CELL[1], SQUARE):
        for left in range(top % (2 * SQUARE), CELL[0], 2 * SQUARE):
            board.paste("#cccccc", (left, top, left + SQUARE, top + SQUARE))
    return board


if __name__ == "__main__":
    main()
