# SPDX-License-Identifier: Apache-2.0
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from unmask_training import families
from unmask_training.families import blend, geometry, masks, tones
from unmask_training.families import points as layout

ASTRONAUT = Path(__file__).resolve().parents[2] / "third_party/test_media/astronaut.png"
SIDE = 224
NEED_POINTS = {"swap", "parts", "warp"}
NEED_OTHER = {"swap"}


def oval(start: float, end: float, count: int, centre, radii) -> np.ndarray:
    turn = np.linspace(start, end, count)
    return np.stack([centre[0] + radii[0] * np.cos(turn), centre[1] + radii[1] * np.sin(turn)], 1)


def face_points(side: int = SIDE) -> np.ndarray:
    """A schematic face's 98 points, in the order of WFLW."""
    p = np.zeros((98, 2))
    p[layout.JAW] = oval(np.pi, 0, 33, (0.5, 0.42), (0.42, 0.53))
    for brow, x in ((layout.BROW_LEFT, 0.31), (layout.BROW_RIGHT, 0.69)):
        p[brow[:5]] = np.stack([np.linspace(x - 0.1, x + 0.1, 5), np.full(5, 0.25)], 1)
        p[brow[5:]] = np.stack([np.linspace(x + 0.08, x - 0.08, 4), np.full(4, 0.28)], 1)
    p[layout.NOSE_BRIDGE] = np.stack([np.full(4, 0.5), np.linspace(0.36, 0.56, 4)], 1)
    p[layout.NOSE_BASE] = np.stack([np.linspace(0.43, 0.57, 5), np.full(5, 0.61)], 1)
    turn = np.linspace(np.pi, 3 * np.pi, 9)[:-1]
    for eye, x in ((layout.EYE_LEFT, 0.31), (layout.EYE_RIGHT, 0.69)):
        p[eye] = np.stack([x + 0.08 * np.cos(turn), 0.37 + 0.03 * np.sin(turn)], 1)
    turn = np.linspace(np.pi, 3 * np.pi, 13)[:-1]
    p[layout.MOUTH_OUTER] = np.stack([0.5 + 0.15 * np.cos(turn), 0.78 + 0.06 * np.sin(turn)], 1)
    turn = np.linspace(np.pi, 3 * np.pi, 9)[:-1]
    p[layout.MOUTH_INNER] = np.stack([0.5 + 0.11 * np.cos(turn), 0.78 + 0.02 * np.sin(turn)], 1)
    p[layout.PUPILS] = [(0.31, 0.37), (0.69, 0.37)]
    return (p * side).astype(np.float32)


def synthetic(seed: int, side: int = SIDE) -> np.ndarray:
    """A coloured, textured picture with dark eyes and a red mouth where `face_points` has them."""
    rng = np.random.default_rng(seed)
    image = np.clip(masks.field(rng, side, 6, 18, 3) + rng.uniform(110, 170, 3).astype(np.float32), 0, 255)
    image += rng.normal(0, 4, image.shape)
    image, p = np.clip(image, 0, 255).astype(np.uint8), face_points(side)
    for chosen, colour in ((layout.EYE_LEFT, (40, 30, 30)), (layout.EYE_RIGHT, (40, 30, 30))):
        cv2.fillPoly(image, [p[chosen].astype(np.int32)], colour)
    cv2.fillPoly(image, [p[layout.MOUTH_OUTER].astype(np.int32)], (70, 60, 170))
    cv2.fillPoly(image, [p[layout.MOUTH_INNER].astype(np.int32)], (30, 20, 60))
    return image


def portrait() -> np.ndarray:
    if not ASTRONAUT.is_file():
        return synthetic(0)
    return cv2.resize(cv2.imread(str(ASTRONAUT))[62:192, 158:288], (SIDE, SIDE))


@pytest.fixture(scope="module")
def inputs():
    return portrait(), face_points(), (synthetic(1, 180), face_points(180))


@pytest.mark.parametrize("name", families.NAMES)
@pytest.mark.parametrize("seed", range(25))
def test_a_family_changes_the_face_where_its_mask_says_and_nowhere_else(name, seed, inputs):
    face, points, other = inputs
    image, mask = families.make(name, face, points, other, np.random.default_rng(seed))
    assert image.shape == face.shape and image.dtype == np.uint8
    assert mask.shape == face.shape[:2] and mask.dtype == np.float32
    assert mask.min() >= 0 and mask.max() <= 1 and mask.mean() >= families.MIN_AREA
    change = np.abs(image.astype(int) - face).mean(axis=2)
    assert not change[mask == 0].any()
    assert (change * mask).sum() / mask.sum() >= families.MIN_CHANGE


@pytest.mark.parametrize("name", families.NAMES)
def test_the_same_seed_gives_the_same_fake_and_leaves_its_inputs_alone(name, inputs):
    face, points, (picture, others_points) = inputs
    before = [a.copy() for a in (face, points, picture, others_points)]
    first = families.make(name, face, points, (picture, others_points), np.random.default_rng(5))
    second = families.make(name, face, points, (picture, others_points), np.random.default_rng(5))
    assert np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])
    for old, new in zip(before, (face, points, picture, others_points), strict=True):
        assert np.array_equal(old, new)
    third = families.make(name, face, points, (picture, others_points), np.random.default_rng(6))
    assert not np.array_equal(first[0], third[0])


@pytest.mark.parametrize("name", families.NAMES)
@pytest.mark.parametrize("seed", range(8))
def test_without_landmarks_a_family_falls_back_or_says_none(name, seed, inputs):
    made = families.make(name, inputs[0], None, None, np.random.default_rng(seed))
    if name in NEED_POINTS:
        assert made is None
    else:
        assert made[0].shape == inputs[0].shape


@pytest.mark.parametrize("name", families.NAMES)
def test_without_another_face_only_swaps_are_impossible(name, inputs):
    made = families.make(name, inputs[0], inputs[1], None, np.random.default_rng(3))
    assert (made is None) == (name in NEED_OTHER)


@pytest.mark.parametrize("name", families.NAMES)
@pytest.mark.parametrize("side", [96, 160, 300])
def test_any_size_of_face_will_do(name, side):
    face, other = synthetic(2, side), (synthetic(3, 120), face_points(120))
    image, mask = families.make(name, face, face_points(side), other, np.random.default_rng(1))
    assert image.shape == (side, side, 3) and mask.shape == (side, side)


@pytest.mark.parametrize("name", families.NAMES)
def test_landmarks_far_outside_of_the_picture_do_no_harm(name, inputs):
    face, points, other = inputs
    for seed, moved in enumerate((points + 500, points - 300, points * 0.01 + 100, points * 0)):
        made = families.make(name, face, moved.astype(np.float32), other, np.random.default_rng(seed))
        assert made is None or made[0].shape == face.shape


@pytest.mark.parametrize("name", families.NAMES)
def test_a_fake_costs_no_more_than_a_few_blurs(name, inputs):
    face, points, other = inputs
    families.make(name, face, points, other, np.random.default_rng(0))
    began = time.process_time()
    for _ in range(20):
        cv2.GaussianBlur(face.astype(np.float32), (0, 0), 8)
    unit = (time.process_time() - began) / 20
    began = time.process_time()
    for seed in range(20):
        families.make(name, face, points, other, np.random.default_rng(seed))
    assert (time.process_time() - began) / 20 < 60 * unit


@pytest.mark.parametrize("name", families.NAMES)
def test_a_pair_differs_only_inside_the_mask(name, inputs):
    face, points, other = inputs
    treated = 0
    for seed in range(12):
        real, fake, mask = families.pair(name, face, points, other, np.random.default_rng(seed))
        assert not (real != fake).any(axis=2)[mask == 0].any()
        treated += not np.array_equal(real, face)
    assert 0 < treated < 12


def test_an_unknown_family_or_a_wrong_picture_is_refused(inputs):
    face, points, other = inputs
    with pytest.raises(KeyError):
        families.make("nothing", face, points, other, np.random.default_rng(0))
    with pytest.raises(ValueError, match="S x S x 3"):
        families.make("selfblend", face[:100], points, other, np.random.default_rng(0))
    with pytest.raises(ValueError, match="uint8"):
        families.make("selfblend", face.astype(np.float32), points, other, np.random.default_rng(0))


def test_an_invisible_change_is_not_returned():
    flat = np.full((SIDE, SIDE, 3), 255, np.uint8)
    mask = np.ones((SIDE, SIDE), np.float32)
    assert not families.visible(flat, flat, mask)
    assert not families.visible(flat, flat - 1, mask)
    assert families.visible(flat, flat - 4, mask)
    small = mask.copy()
    small[30:, 30:] = 0
    assert families.visible(flat, flat - 40, small)
    assert not families.visible(flat, flat - 1, small)
    assert not families.visible(flat, flat - 100, mask * 0.001)


def test_mirrored_twice_is_where_it_was():
    assert np.array_equal(layout.MIRROR[layout.MIRROR], np.arange(98))
    p = face_points()
    mirrored = p[layout.MIRROR].copy()
    mirrored[:, 0] = SIDE - mirrored[:, 0]
    assert np.abs(mirrored - p).max() < 0.1


def test_landmarks_are_judged():
    share = face_points(1)
    assert layout.plausible(share, 0.01)
    assert not layout.plausible(share, 0.2)
    assert not layout.plausible(share * 0.3 + 0.35, 0.01)
    assert not layout.plausible(share[:, ::-1], 0.01)
    assert not layout.plausible(share + 0.3, 0.01)


def test_the_cache_gives_pixels_and_keeps_implausible_points_back(tmp_path):
    file, share = tmp_path / "landmarks.npz", face_points(1)
    np.savez(
        file,
        names=np.array(["a", "b"]),
        points=np.stack([share, share]),
        colour=np.zeros((2, 3), np.float32),
        plausible=np.array([True, False]),
    )
    cache = layout.Landmarks.load(file)
    assert np.allclose(cache.get("a", 224), face_points(224), atol=1e-3)
    assert cache.get("b", 224) is None and cache.get("c", 224) is None
    with pytest.raises(FileNotFoundError, match="landmarks.py"):
        layout.Landmarks.load(tmp_path / "none.npz")


def test_a_donor_has_a_similar_shape_and_colour():
    share = face_points(1)
    wide = share * np.float32([1.3, 1]) - np.float32([0.15, 0])
    turned = (share - 0.5) @ np.float32([[0.98, 0.17], [-0.17, 0.98]]) * 0.9 + 0.5
    grey, blue = np.float32([99, 99, 99]), np.float32([199, 99, 30])
    cache = layout.Landmarks(
        {"me": share, "wide": wide, "same": turned, "blue": share, "twin": share},
        {"me": grey, "wide": grey, "same": grey, "blue": blue, "twin": grey},
    )
    rng = np.random.default_rng(0)
    assert layout.unlikeness(share, turned) < 0.01 < 0.05 < layout.unlikeness(share, wide)
    assert cache.donor("me", ["wide", "same", "blue", "unknown", "me"], rng, tries=40) == "same"
    assert cache.donor("me", ["me", "unknown"], rng) is None
    assert cache.donor("unknown", ["me"], rng) is None and cache.donor("me", [], rng) is None


def test_a_thin_plate_passes_through_its_points_and_keeps_a_plane_flat():
    rng = np.random.default_rng(0)
    at = rng.uniform(20, 200, (30, 2))
    at = at[[i for i in range(30) if np.linalg.norm(at[:i] - at[i], axis=1).min(initial=99) > 15]]
    to = at + rng.normal(0, 5, at.shape)
    where = geometry.thin_plate(at, to, SIDE, 1e-9)
    read = [
        cv2.getRectSubPix(where[..., i].copy(), (1, 1), tuple(map(float, p)))[0, 0]
        for p in at
        for i in (0, 1)
    ]
    assert np.abs(np.reshape(read, (-1, 2)) - to).max() < 1.5
    assert np.abs(geometry.thin_plate(at, at, SIDE) - masks.grid(SIDE)).max() < 0.01


def test_a_similarity_is_recovered():
    move = np.array([[0.9, -0.2, 5.0], [0.2, 0.9, -3.0]])
    points = face_points()
    moved = points @ move[:, :2].T + move[:, 2]
    assert np.abs(layout.similarity(points, moved) - move).max() < 1e-3
    assert np.abs(geometry.affine(points, moved) - move).max() < 1e-3
    place = geometry.affine_map(move, SIDE)[30, 50]
    assert np.allclose(place, move @ (50, 30, 1), atol=1e-3)


@pytest.mark.parametrize("seed", range(40))
def test_masks_stay_in_range_and_soft_ones_inside_the_hard_ones(seed):
    rng = np.random.default_rng(seed)
    hard = masks.bend(masks.shape(SIDE, face_points() if seed % 2 else None, rng), rng)
    sigma = masks.edge(rng, SIDE)
    soft = masks.soften(hard, sigma)
    assert soft.dtype == np.float32 and soft.min() >= 0 and soft.max() <= 1
    near = cv2.dilate(hard, np.ones((2 * int(3 * sigma) + 5,) * 2, np.uint8))
    assert not soft[near == 0].any()


def test_poisson_keeps_the_targets_colour_and_the_sources_detail():
    rng = np.random.default_rng(0)
    target = np.full((SIDE, SIDE, 3), (60, 90, 120), np.uint8)
    detail = rng.normal(0, 10, (SIDE, SIDE, 1))
    source = np.clip(np.array([150, 150, 150]) + detail, 0, 255).astype(np.uint8)
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[50:170, 60:180] = 1
    result = blend.poisson(target, source, mask)
    inside = result[60:160, 70:170].astype(float)
    assert np.abs(inside.mean((0, 1)) - (60, 90, 120)).max() < 6
    assert abs(inside.std((0, 1)).mean() - 10) < 2
    assert np.array_equal(result[mask == 0], target[mask == 0])


def test_the_membrane_through_a_slope_is_the_slope():
    ys, xs = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    slope = (0.5 * xs - 0.25 * ys)[..., None].repeat(3, 2)
    hole = np.zeros((SIDE, SIDE), bool)
    hole[40:190, 30:200] = True
    damaged = np.where(hole[..., None], np.float32(99), slope)
    assert np.abs(blend.membrane(damaged, hole) - slope).max() < 3


@pytest.mark.parametrize("seed", range(20))
def test_a_neutral_treatment_keeps_the_picture_recognisable(seed):
    face = portrait()
    treated = tones.neutral(face, np.random.default_rng(seed))
    assert treated.shape == face.shape and treated.dtype == np.uint8
    small = [
        cv2.resize(a, (16, 16), interpolation=cv2.INTER_AREA).astype(float).ravel() for a in (face, treated)
    ]
    assert np.corrcoef(*small)[0, 1] > 0.95


def test_matched_colours_have_the_targets_mean():
    source, target, all_of_it = synthetic(1), portrait(), np.full((SIDE, SIDE), 255, np.uint8)
    matched = tones.match_colour(source, all_of_it, target, all_of_it)
    assert np.abs(matched.mean((0, 1)) - target.mean((0, 1))).max() < 12
    nothing = np.zeros_like(all_of_it)
    assert np.array_equal(tones.match_colour(source, nothing, target, all_of_it), source)
