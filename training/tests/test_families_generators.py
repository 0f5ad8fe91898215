# SPDX-License-Identifier: Apache-2.0
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
import train_generators
from test_families import SIDE, face_points, synthetic
from unmask_training import data, families
from unmask_training.families import generators

CONFIG = tomllib.loads((Path(__file__).resolve().parents[1] / "configs/generators.toml").read_text())
SPECS = {entry["name"]: {"kind": "auto-encoder", **entry} for entry in CONFIG["generator"]}
NAMES = ("denoiser", "shuffle-l1-f16", "transposed3-ssim-f4")


@pytest.fixture(autouse=True)
def one_thread():
    """Waking a second thread costs such small networks more than it brings."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Generators with random weights: two up-samplers, and a denoiser."""
    folder = tmp_path_factory.mktemp("generators")
    torch.manual_seed(0)
    for name in NAMES:
        spec = {**SPECS[name], "widths": [4] * len(SPECS[name]["widths"])}
        generators.store(folder / f"{name}.npz", spec, generators.network(spec).state_dict())
    forget()
    yield folder
    forget()


def forget():
    generators._stages.cache_clear()
    generators._compiled.cache_clear()


@pytest.fixture
def folder(weights, monkeypatch):
    monkeypatch.setattr(generators, "FOLDER", weights)
    monkeypatch.setattr(generators, "SIZES", (96,))
    monkeypatch.setattr(generators, "available", lambda: NAMES)
    return weights


@pytest.mark.parametrize("name", SPECS)
def test_a_network_keeps_the_size_of_its_picture(name):
    net = generators.network(SPECS[name])
    with torch.inference_mode():
        assert net(torch.zeros(1, 3, 64, 96)).shape == (1, 3, 64, 96)
    assert sum(p.numel() for p in net.parameters()) * 2 < 300_000  # bytes in float16


def test_an_unknown_upsampler_is_refused():
    with pytest.raises(ValueError, match="up-sampler"):
        generators.network({**SPECS["nearest-l1-f4"], "grow": "magic"})


def test_stored_weights_come_back_in_half_precision(tmp_path):
    spec = SPECS["nearest-l1-f4"]
    net = generators.network(spec)
    generators.store(tmp_path / "a.npz", spec, net.state_dict())
    again, loaded = generators.load(tmp_path / "a.npz")
    assert again == spec
    for key, value in net.state_dict().items():
        assert torch.allclose(value, loaded.state_dict()[key], atol=1e-3)


def test_the_compiled_stages_are_the_network(folder):
    _, net = generators.load(folder / "transposed3-ssim-f4.npz")
    x = np.random.default_rng(0).uniform(-1, 1, (1, 3, 96, 96)).astype(np.float32)
    encode, decode = generators._compiled("transposed3-ssim-f4", 96)
    with torch.inference_mode():
        wanted = net(torch.from_numpy(x)).numpy()
    assert np.abs(decode([np.tanh(encode([x])[0] / 3) * 3])[0] - wanted).max() < 1e-4


@pytest.mark.parametrize("seed", range(6))
def test_drawing_repeats_with_the_seed(folder, seed):
    image = synthetic(1, 96).astype(np.float32)
    for name in generators.available():
        first = generators.draw(name, image, np.random.default_rng(seed))
        assert first.shape == image.shape and first.dtype == np.float32
        assert np.array_equal(first, generators.draw(name, image, np.random.default_rng(seed)))


@pytest.mark.parametrize("seed", range(12))
def test_a_face_is_drawn_by_a_generator_and_blended_by_its_mask(folder, seed, monkeypatch):
    monkeypatch.setattr(sys.modules["unmask_training.families.resynth"], "P_GENERATOR", 1.0)
    face = synthetic(2)
    image, mask = families.make("resynth", face, face_points(), None, np.random.default_rng(seed))
    assert image.shape == face.shape and mask.shape == (SIDE, SIDE)
    assert not (image != face).any(axis=2)[mask == 0].any()


def test_without_weights_the_traces_alone_are_imitated(tmp_path, monkeypatch):
    assert generators.available(tmp_path) == ()
    monkeypatch.setattr(generators, "available", lambda: ())
    assert families.make("resynth", synthetic(2), None, None, np.random.default_rng(0)) is not None


def test_ssim_is_one_for_the_same_picture_and_less_for_another():
    a, b = torch.rand(2, 3, 32, 32) * 2 - 1, torch.rand(2, 3, 32, 32) * 2 - 1
    assert train_generators.ssim(a, a) > 0.999
    assert train_generators.ssim(a, b) < 0.3


def faces() -> list[data.Face]:
    import cv2

    pictures = [cv2.imencode(".jpg", synthetic(i))[1].tobytes() for i in range(3)]
    return [data.Face(f"{i}.jpg", picture, False, str(i)) for i, picture in enumerate(pictures)]


def test_patches_repeat_and_have_the_asked_size():
    patches = train_generators.Patches(faces(), 4, 64, 1)
    assert patches(3).shape == (4, 3, 64, 64)
    assert torch.equal(patches(3), patches(3)) and not torch.equal(patches(3), patches(4))
    assert patches(0).abs().max() <= 1


@pytest.mark.parametrize("name", ["nearest-l1-f4", "shuffle-patch-f4", "transposed3-ssim-f4", "denoiser"])
def test_training_lowers_the_error_and_resumes(name, tmp_path, monkeypatch):
    monkeypatch.setattr(train_generators, "SAVE_EVERY", 20)
    spec = {**SPECS[name], "widths": [8] * len(SPECS[name]["widths"]), "steps": 40}
    config = {**CONFIG, "batch": 2, "patch": 32}

    def error(net):
        x = train_generators.Patches(faces(), 2, 32, 9)(0)
        with torch.inference_mode():
            return float((net(x) - x).abs().mean())

    torch.manual_seed(config["seed"])
    before = error(generators.network(spec)) if name != "denoiser" else 1.0
    whole = train_generators.train(spec, config, faces(), Path("none"), tmp_path / "a.pt")
    assert error(whole) < before
    # Stopped after 20 of its steps, and taken up again.
    part = tmp_path / "b.pt"
    train_generators.train(spec, config, faces(), Path("none"), part, stop_at=20)
    resumed = train_generators.train(spec, config, faces(), Path("none"), part)
    assert abs(error(resumed) - error(whole)) < 1e-4


def test_an_unknown_loss_is_refused(tmp_path):
    spec = {**SPECS["nearest-l1-f4"], "losses": {"l3": 1.0}}
    with pytest.raises(ValueError, match="l3"):
        train_generators.train(spec, CONFIG, faces(), Path("none"), tmp_path / "a.pt")
