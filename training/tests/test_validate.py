# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
from unmask_training import data, masks, plot, validate


def face(name, value, fake, original, half=None):
    image = np.full((224, 224, 3), value, np.uint8)
    if half is not None:
        image[:, 112:] = half
    return data.Face(name, cv2.imencode(".png", image)[1].tobytes(), fake, original)


def test_a_third_of_the_videos_keeps_its_fakes():
    faces = [face(f"{i}{k}", 0, k == "f", f"v{i}") for i in range(9) for k in "rf"]
    assert [f.original for f in validate.every_third(faces)] == ["v0", "v0", "v3", "v3", "v6", "v6"]


def test_a_mask_is_measured_where_the_fake_differs():
    pairs = data.pairs([face("r", 100, False, "v"), face("f", 100, True, "v", half=200)])
    right = np.zeros((20, 20), np.float32)
    right[:, 10:] = 1
    found, guessed = validate.mask_iou(pairs, {"f": right})
    assert found > 0.9
    half = masks.ellipse(20)[:, 10:].sum()
    assert guessed == pytest.approx(half / (200 + masks.ellipse(20).sum() - half), abs=0.05)


def test_a_fake_that_differs_nowhere_is_left_out():
    same = [face("r", 100, False, "v"), face("f", 100, True, "v"), face("g", 100, True, "v", half=200)]
    mask = np.ones((20, 20), np.float32)
    found, _ = validate.mask_iou(data.pairs(same), {"f": mask, "g": mask})
    assert found == pytest.approx(0.5, abs=0.05)


def test_a_plot_names_its_lines_and_skips_empty_cells():
    rows = [
        {"step": 100, "loss": "0.5", "val_auc": ""},
        {"step": 200, "loss": "0.4", "val_auc": "0.9"},
        {"step": 300, "loss": "", "val_auc": "0.95"},
    ]
    drawing = plot.svg(rows)
    assert drawing.count("<polyline") == 2 and ">loss<" in drawing and ">val_auc<" in drawing
