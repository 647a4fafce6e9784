"""Outlines of the subjects of four photos of scikit-image, as truth for the model's quality floors.

Made by hand: corners read off the photos under a 50 px grid, drawn over them, looked at, and corrected until no
corner was off by more than about five pixels. What is a matter of taste (the helmet that the astronaut holds, the
pad below the rocket, the blurred cloth beside the cat) and a seam of 6 px along every outline are not judged.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Corners = list[tuple[int, int]]
_SEAM_PX = 6


@dataclass(frozen=True)
class Outline:
    """File name in scikit-image's data, its size, polygons and ellipses of the subject, polygons not judged."""

    photo: str
    size: tuple[int, int]
    polygons: tuple[Corners, ...]
    ellipses: tuple[tuple[int, int, int, int], ...] = ()
    ignored: tuple[Corners, ...] = ()

    def truth(self) -> NDArray[np.bool_]:
        """Where the subject is: bool [H, W]."""
        return np.asarray(self._drawn(self.polygons, self.ellipses)) > 0

    def judged(self) -> NDArray[np.bool_]:
        """Where it is clear whether the subject is: bool [H, W]."""
        drawn = self._drawn(self.polygons, self.ellipses)
        width = 2 * _SEAM_PX + 1
        wide, thin = drawn.filter(ImageFilter.MaxFilter(width)), drawn.filter(ImageFilter.MinFilter(width))
        seam = np.asarray(wide) != np.asarray(thin)
        return ~seam & (np.asarray(self._drawn(self.ignored, ())) == 0)

    def _drawn(self, polygons: tuple[Corners, ...], ellipses: tuple[tuple[int, int, int, int], ...]) -> Image.Image:
        mask = Image.new("L", self.size)
        draw = ImageDraw.Draw(mask)
        for corners in polygons:
            draw.polygon(corners, fill=255)
        for box in ellipses:
            draw.ellipse(box, fill=255)
        return mask


ASTRONAUT = Outline(
    "astronaut.png",
    (512, 512),
    (
        [(168, 125), (155, 100), (156, 70), (172, 42), (195, 24), (224, 15), (256, 22), (284, 43), (299, 72)]
        + [(301, 105), (290, 127), (273, 140), (268, 162), (258, 178), (286, 196), (303, 232), (302, 250)]
        + [(338, 268), (352, 300), (362, 349), (324, 365), (297, 398), (278, 458), (281, 511), (20, 511), (20, 480)]
        + [(27, 415), (32, 338), (42, 295), (62, 265), (98, 235), (114, 212), (115, 185), (136, 158), (164, 150)]
        + [(186, 152), (183, 130)],
    ),
    ignored=(
        [(260, 511), (262, 440), (285, 390), (316, 352), (365, 338), (415, 338), (460, 365), (490, 405), (511, 450)]
        + [(511, 511)],
    ),
)
CHELSEA = Outline(
    "chelsea.png",
    (451, 300),
    (
        [(36, 0), (398, 0), (374, 45), (360, 85), (363, 115), (358, 155), (342, 195), (326, 222), (310, 245)]
        + [(285, 268), (272, 299), (0, 299), (0, 130), (28, 112), (38, 60)],
    ),
    ignored=([(272, 299), (285, 262), (325, 225), (400, 235), (400, 299)], [(0, 100), (45, 100), (45, 160), (0, 160)]),
)
COFFEE = Outline(
    "coffee.png",
    (600, 400),
    ([(398, 82), (408, 70), (420, 68), (424, 82), (408, 140), (396, 190), (385, 160)],),
    ellipses=((78, 70, 480, 388), (174, 17, 410, 208)),
)
ROCKET = Outline(
    "rocket.jpg",
    (640, 427),
    ([(321, 126), (329, 140), (333, 160), (335, 180), (335, 405), (310, 405), (310, 180), (311, 160), (314, 140)],),
    ignored=([(250, 380), (400, 380), (400, 427), (250, 427)],),
)
