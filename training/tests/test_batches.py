# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
from test_data import folder  # noqa: F401
from unmask_training import augment, batches, data


class Halves:
    """A pseudo-manipulation whose upper half is inverted."""

    def pair(self, rng):
        real = np.full((96, 96, 3), 40, np.uint8)
        fake = real.copy()
        fake[:48] = 215
        return real, fake

    def points_of(self, name, side):
        return None


def some(folder, seed=1, families=None, **config):  # noqa: F811
    pairs = data.pairs(data.dfdc_faces(folder, "train")) * 4
    return batches.Batches(
        pairs,
        data.portraits(folder, "train"),
        {"pairs": 2, "portraits": 1, **config},
        augment.Ranges(),
        seed,
        families,
    )


def test_a_batch_holds_pairs_and_portraits(folder):  # noqa: F811
    batch = some(folder).batch(0)
    assert batch.images.shape == (5, 160, 160, 3) and batch.images.dtype == np.uint8
    assert batch.masks.shape == (5, 1, 20, 20)
    assert batch.labels.tolist() == [0, 1, 0, 1, 0]
    assert batch.kinds.tolist() == [batches.REAL, batches.SWAPPED] * 2 + [batches.REAL]
    assert (batch.twins == batches.ALONE).all()


def test_two_views_of_a_face_know_each_other(folder):  # noqa: F811
    batch = some(folder, families=Halves(), views=2)
    batch.config["families"] = 1
    made = batch.batch(0)
    assert len(made.labels) == 2 * (2 * 2 + 2 + 1)
    places = np.arange(len(made.labels))
    assert np.array_equal(made.twins[made.twins], places) and not (made.twins == places).any()
    assert np.array_equal(made.kinds[made.twins], made.kinds)
    assert not np.array_equal(made.images[made.twins], made.images)
    assert made.kinds.tolist().count(batches.PSEUDO) == 2


def test_an_undamaged_view_shows_the_same_part_as_the_degraded_one(folder):  # noqa: F811
    draws = {"noise": (8.0, 8.0), "p_noise": 1.0, "p_scale": 0.0, "p_jpeg": 0.0, "p_blur": 0.0}
    made = batches.Batches(
        data.pairs(data.dfdc_faces(folder, "train")) * 4,
        data.portraits(folder, "train"),
        {"pairs": 2, "portraits": 1, "views": 2, "undamaged": True},
        augment.Ranges(**draws),
        seed=5,
    ).batch(0)
    degraded = np.flatnonzero(made.twins != batches.ALONE)
    clean = made.twins[degraded]
    assert len(degraded) == len(made.labels) // 2 and not set(degraded) & set(clean)
    assert np.array_equal(made.kinds[clean], made.kinds[degraded])
    for a, b in zip(made.images[clean], made.images[degraded], strict=True):
        assert not np.array_equal(a, b)
        assert np.abs(cv2.blur(a, (9, 9)).astype(int) - cv2.blur(b, (9, 9))).mean() < 3


def test_partial_fakes_lie_between_the_face_and_its_fake(folder):  # noqa: F811
    whole, part = some(folder), some(folder, partial=1.0, families=Halves())
    real, fake = whole.pair(0, np.random.default_rng(3))
    partly = 0
    for seed in range(12):
        real, made = part.pair(0, np.random.default_rng(seed))
        low, high = np.minimum(real, fake).astype(int), np.maximum(real, fake).astype(int)
        assert (made >= low - 1).all() and (made <= high + 1).all()
        assert cv2.absdiff(real, made).mean() >= batches.MIN_CHANGE
        partly += not np.array_equal(made, fake)
    assert partly > 3


def test_fakes_that_nobody_can_see_are_not_used(folder):  # noqa: F811
    made = some(folder)
    face, fakes = made.pairs[0]
    made.pairs[0] = (face, [data.Face("same", face.jpeg, True, face.original)] * len(fakes))
    for seed in range(5):
        real, fake = made.pair(0, np.random.default_rng(seed))
        assert cv2.absdiff(real, fake).mean() >= batches.MIN_CHANGE


def test_real_faces_have_empty_masks(folder):  # noqa: F811
    batch = some(folder, families=Halves()).batch(0)
    assert not batch.masks[batch.labels == 0].any()


def test_a_step_draws_the_same_batch_again(folder):  # noqa: F811
    def images(step, seed=1):
        return some(folder, seed).batch(step).images

    assert np.array_equal(images(3), images(3))
    assert not np.array_equal(images(3), images(4))
    assert not np.array_equal(images(3), images(3, seed=2))


def test_pseudo_manipulations_come_with_their_real_face_and_mask(folder):  # noqa: F811
    made = some(folder, families=Halves())
    made.config["families"] = 2
    batch = made.batch(0)
    assert batch.labels.tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 0]
    for mask in batch.masks[[5, 7], 0]:
        assert mask[:6].mean() > 0.9 and mask[-6:].mean() < 0.1


def test_a_configuration_without_the_key_makes_no_pseudo_manipulations(folder):  # noqa: F811
    assert len(some(folder, families=Halves()).batch(0).labels) == 5


def test_the_size_of_the_pictures_changes_at_the_steps_of_the_configuration(folder):  # noqa: F811
    made = some(folder, sizes=[[0, 160], [1, 128], [2, 160]])
    assert [made.batch(step).images.shape[1] for step in range(4)] == [160, 128, 160, 160]


def test_a_setting_may_change_during_a_run():
    assert [batches.at(step, [[0, 0.5], [10, 0.25]]) for step in (0, 9, 10, 99)] == [0.5, 0.5, 0.25, 0.25]
    assert batches.at(7, 0.5) == 0.5


def test_an_unknown_augmentation_is_refused():
    with pytest.raises(ValueError, match="p_zoom"):
        batches.ranges({"p_zoom": 0.5})
    assert batches.ranges({"jpeg": [30, 95]}).jpeg == (30, 95)


def test_unpaired_fakes_stand_beside_other_faces_and_keep_their_masks(folder):  # noqa: F811
    made = some(folder, paired=False).batch(0)
    assert len(made.labels) == len(some(folder).batch(0).labels)
    assert made.labels[1] == 1 and made.masks[1].max() > 0 and made.masks[0].max() == 0
