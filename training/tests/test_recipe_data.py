# SPDX-License-Identifier: Apache-2.0
"""The faces of a recipe: divided by source, then oversampled. Needs no PyTorch: `make test` runs these."""

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from test_data import write_tar
from unmask_training import data, recipe, recipe_data
from unmask_training.recipe import Augment, Input
from unmask_training.recipe_data import Sample

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
SMALL = Input(size=8, channels="rgb", scale=255, resize="area")


def picture(seed: int, side=24) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side, 3), np.uint8)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def many(groups=60, frames=3, reals_of_ten=3) -> list[Sample]:
    """Videos of several frames; three of ten are real. Every fifth begins like the one before."""
    samples = []
    for g in range(groups):
        for f in range(frames):
            again = g % 5 == 4 and f == 0
            content = picture((g - 1) * 100 if again else g * 100 + f)
            fake = g % 10 >= reals_of_ten
            samples.append(Sample(data.Face(f"{g}-{f}", content, fake, f"v{g}"), f"v{g}"))
    return samples


def counts(samples) -> Counter:
    return Counter(s.fake for s in samples)


@pytest.mark.parametrize("seed", range(5))
def test_no_group_and_no_picture_is_on_both_sides(seed):
    samples = many()
    training, held_out = recipe_data.divide(samples, 0.3, seed)
    assert len(training) + len(held_out) == len(samples)
    drawn = recipe_data.oversample(training, np.random.default_rng(seed))
    assert not {s.group for s in drawn} & {s.group for s in held_out}
    assert not {s.face.jpeg for s in drawn} & {s.face.jpeg for s in held_out}
    assert not {s.face.name for s in drawn} & {s.face.name for s in held_out}
    # Nothing was drawn twice where figures come from.
    assert Counter(s.face.name for s in held_out).most_common(1)[0][1] == 1


def test_groups_that_share_a_picture_stay_together():
    def sample(name, group, content):
        return Sample(data.Face(name, content, False, group), group)

    a, b = picture(1), picture(2)
    chain = [sample("1", "x", a), sample("2", "y", a), sample("3", "y", b), sample("4", "z", b)]
    other = sample("5", "w", picture(3))
    found = recipe_data.indivisible([*chain, other])
    assert found["x"] == found["y"] == found["z"] != found["w"]


def test_a_group_keeps_its_place_when_the_set_grows():
    before = {s.face.name for s in recipe_data.divide(many(40), 0.3, 1)[1]}
    after = {s.face.name for s in recipe_data.divide(many(60), 0.3, 1)[1]}
    assert before == {name for name in after if int(name.split("-")[0]) < 40}


def test_the_classes_are_alike_after_oversampling_and_no_face_is_preferred():
    samples = many()
    assert counts(samples) == {False: 54, True: 126}
    drawn = recipe_data.oversample(samples, np.random.default_rng(0))
    assert counts(drawn) == {False: 126, True: 126}
    real = Counter(s.face.name for s in drawn if not s.fake)
    assert len(real) == 54 and set(real.values()) == {2, 3}
    assert {s.face.name for s in drawn} == {s.face.name for s in samples}


def test_fakes_are_limited_and_reals_kept():
    kept = recipe_data.limit_fakes(many(), 1.5, 1)
    assert counts(kept) == {False: 54, True: 81}
    assert recipe_data.limit_fakes(many(), 9, 1) == many()


def test_a_part_without_one_of_the_classes_is_refused():
    reals = [s for s in many() if not s.fake]
    with pytest.raises(ValueError, match="needs real and fake faces"):
        recipe_data.divide(reals, 0.3, 1)


@pytest.mark.parametrize("column", [True, False])
def test_groups_come_from_the_data_set(tmp_path, column):
    """A set of `unmask faces extract` says what is one group; DFDC's list has the source video."""
    rows = ["id,label,original,split,shard", "a,real,a,train,0", "b,fake,a,train,0", "c,fake,c,train,0"]
    if column:
        rows = [f"{row},{group}" for row, group in zip(rows, ("group", "p", "p", "p"), strict=True)]
    (tmp_path / "dfdc-faces.csv").write_text("\n".join(rows) + "\n")
    names = ("train/real/a.jpg", "train/fake/b.jpg", "train/fake/c.jpg")
    write_tar(tmp_path / "dfdc-faces-00.tar", {n: picture(i) for i, n in enumerate(names)})
    groups = [s.group for s in recipe_data.read(tmp_path, "train")]
    assert groups == (["p", "p", "p"] if column else ["a", "a", "c"])


@pytest.mark.parametrize("real_is_one", [True, False])
def test_labels_have_the_meaning_of_the_output(real_is_one):
    samples = many(10)
    images, labels = recipe_data.batch(samples, SMALL, real_is_one)
    assert images.shape == (30, 8, 8, 3) and images.dtype == np.float32 and images.max() <= 1
    assert [bool(y) for (y,) in labels] == [s.fake != real_is_one for s in samples]


@pytest.mark.parametrize("channels, last", [("rgb", 200), ("bgr", 10)])
def test_channels_are_ordered_and_scaled(channels, last):
    image = np.zeros((16, 16, 3), np.uint8)
    image[..., 0] = 200  # blue
    image[..., 2] = 10
    found = recipe_data.to_input(image, Input(size=16, channels=channels, scale=2, resize="bilinear"))
    assert found[0, 0, 2] == last / 2


def test_changes_keep_the_shape_and_half_of_the_faces_of_the_microservice_as_they_are():
    image = cv2.imdecode(np.frombuffer(picture(7), np.uint8), cv2.IMREAD_COLOR)
    microservice = recipe.load(CONFIGS / "recipe-microservice.toml").augment
    rng = np.random.default_rng(0)
    same = flipped = turned = 0
    for _ in range(400):
        found = recipe_data.change(image, microservice, rng)
        same += np.array_equal(found, image)
        flipped += np.array_equal(found, image[:, ::-1])
        turned += np.array_equal(found, np.rot90(image, -1))
    assert same + flipped + turned == 400
    assert 160 < same < 240 and 70 < flipped < 130 and 70 < turned < 130
    strong = Augment(rotate=20, zoom=0.2, brightness=0.5, channel_shift=30)
    assert recipe_data.change(image, strong, rng).shape == image.shape


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("recipe-*.toml")), ids=lambda f: f.stem)
def test_every_recipe_is_read(file):
    found = recipe.load(file)
    assert found.name == file.stem and found.meaning in ("p_fake", "p_real")


def test_a_recipe_that_says_nonsense_is_refused(tmp_path):
    text = (CONFIGS / "recipe-meso4.toml").read_text()
    for old, new, word in (
        ('channels = "rgb"', 'channels = "gbr"', "rgb, bgr"),
        ("held_out = 0.1", "held_out = 1", "share"),
        ("flip = 0.5", "flap = 0.5", "unknown keys"),
        ("size = 256\n", "", "size"),
        ('backbone = "Meso4"', 'backbone = "Meso4"\ndense = [3]', "dense and dropout"),
    ):
        assert old in text
        (tmp_path / "recipe.toml").write_text(text.replace(old, new))
        with pytest.raises(ValueError, match=word):
            recipe.load(tmp_path / "recipe.toml")
