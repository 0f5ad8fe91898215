# SPDX-License-Identifier: Apache-2.0
import cv2
import numpy as np
import pytest
from test_data import folder  # noqa: F401
from unmask_training import data, pseudo
from unmask_training.families.points import Landmarks


def upright() -> np.ndarray:
    """98 points in a face-like place; enough for a family that needs none of their meaning."""
    angle = np.linspace(0, 2 * np.pi, 98, endpoint=False)
    return np.float32(np.stack([0.5 + 0.3 * np.cos(angle), 0.5 + 0.3 * np.sin(angle)], axis=1))


def face(name: str, person: str) -> data.Face:
    rng = np.random.default_rng(list(name.encode()))
    image = cv2.GaussianBlur(rng.integers(0, 256, (96, 96, 3), np.uint8), (0, 0), 3)
    return data.Face(name, cv2.imencode(".png", image)[1].tobytes(), False, person)


@pytest.fixture
def faces():
    return [face(f"{i}.png", f"person {i % 3}") for i in range(6)]


@pytest.fixture
def landmarks(faces):
    points = {f.name: upright() for f in faces}
    return Landmarks(points, {name: np.zeros(3, np.float32) for name in points})


def test_the_real_side_and_the_fake_have_one_size(faces, landmarks):
    made = pseudo.Pseudo(faces, landmarks, {"resynth": 1})
    real, fake = made.pair(np.random.default_rng(1))
    assert real.shape == fake.shape == (pseudo.SIDE, pseudo.SIDE, 3)
    assert not np.array_equal(real, fake)


def test_a_pair_repeats_with_the_seed(faces, landmarks):
    made = pseudo.Pseudo(faces, landmarks, {"resynth": 1, "selfblend": 2})
    first, second = (made.pair(np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first[1], second[1])


def test_fakes_and_faces_without_landmarks_are_left_out(faces, landmarks):
    fake = data.Face("f.png", faces[0].jpeg, True, "person 0")
    unknown = face("unknown.png", "person 9")
    made = pseudo.Pseudo([*faces, fake, unknown], landmarks, {"resynth": 1})
    assert made.names == [f.name for f in faces]
    with pytest.raises(ValueError, match="landmarks.py"):
        pseudo.Pseudo([unknown], landmarks, {"resynth": 1})


def test_an_unknown_family_is_refused(faces, landmarks):
    with pytest.raises(ValueError, match="hologram"):
        pseudo.Pseudo(faces, landmarks, {"hologram": 1})


def test_a_family_of_weight_nothing_is_never_drawn(faces, landmarks):
    assert pseudo.Pseudo(faces, landmarks, {"resynth": 1, "swap": 0}).families == ["resynth"]


def test_the_other_face_is_another_persons(faces, landmarks, monkeypatch):
    seen = []

    def pair(family, image, points, other, rng):
        seen.append(other)
        return image, image, np.zeros(image.shape[:2], np.float32)

    monkeypatch.setattr(pseudo.families, "pair", pair)
    monkeypatch.setattr(Landmarks, "donor", lambda self, name, names, rng: "0.png")
    made = pseudo.Pseudo(faces, landmarks, {"swap": 1})
    made.make("3.png", "swap", np.random.default_rng(1))
    made.make("1.png", "swap", np.random.default_rng(1))
    assert seen[0] is None and seen[1] is not None


def test_faces_for_measuring_are_kept_without_loss(faces, landmarks):
    made = pseudo.Pseudo(faces, landmarks, {"resynth": 1})
    found = made.faces_of("resynth", 3)
    assert [f.fake for f in found] == [False, True] * 3
    assert found[0].original == found[1].original != found[2].original
    again = made.faces_of("resynth", 3)
    assert all(np.array_equal(a.pixels(), b.pixels()) for a, b in zip(found, again, strict=True))
