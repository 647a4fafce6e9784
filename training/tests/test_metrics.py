"""Measures of edges: 0 for the true alpha, more the softer or the further off an edge is."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from training.metrics import edges


def bar(left: int, blur: float = 0.0) -> np.ndarray:
    plane = np.zeros((256, 256), np.uint8)
    plane[:, left : left + 80] = 255
    return np.asarray(Image.fromarray(plane).filter(ImageFilter.GaussianBlur(blur)), np.float32) / 255


def test_the_truth_has_no_edge_error():
    assert (edges(bar(60), bar(60)).error, edges(bar(60), bar(60)).gradient) == (0, 0)


def test_soft_and_shifted_edges_cost_more_the_worse_they_are():
    blurred = [edges(bar(60, blur), bar(60)) for blur in (1, 3, 8)]
    shifted = [edges(bar(60 + by), bar(60)) for by in (1, 3)]
    assert 0 < blurred[0].error < blurred[1].error < blurred[2].error
    assert blurred[0].gradient < blurred[2].gradient
    assert 0 < shifted[0].error < shifted[1].error


def test_errors_far_from_the_edges_are_not_theirs():
    wrong = bar(60)
    wrong[:, 220:] = 1
    assert edges(wrong, bar(60)).error == 0


def test_a_truth_without_edges_scores_nothing():
    assert edges(bar(60), np.zeros((256, 256), np.float32)).error == 0
