# SPDX-License-Identifier: Apache-2.0
"""Small convolutional auto-encoders and a denoiser that draw faces anew; `train_generators.py` trains them.

They are fully convolutional, so one network draws any size. Weights (float16, one npz file for each) lie in
training/generators; without them `available()` is empty, and `resynth` uses the imitated traces alone.
"""

import json
import warnings
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[2] / "generators"
SIZES = (96, 128, 160)  # of the pictures that are drawn; each is a compiled network of its own


def network(spec: dict):
    """The untrained network that a spec describes. Maps RGB in -1..1, [N, 3, H, W], to the same."""
    import torch
    from torch import nn

    def act():
        return nn.LeakyReLU(0.2)

    def conv(inputs, outputs, stride=1):
        return nn.Conv2d(inputs, outputs, 3, stride, 1, padding_mode="replicate")

    def grow(kind: str, inputs: int, outputs: int):
        if kind == "nearest":
            return nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), conv(inputs, outputs))
        if kind == "bilinear":
            up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
            return nn.Sequential(up, conv(inputs, outputs))
        if kind == "transposed4":
            return nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
        if kind == "transposed3":  # kernels that overlap unevenly: the checkerboard of old GANs
            return nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, output_padding=1)
        if kind == "shuffle":
            return nn.Sequential(conv(inputs, 4 * outputs), nn.PixelShuffle(2))
        raise ValueError(f"unknown up-sampler {kind!r}")

    class Denoiser(nn.Module):
        """Takes away noise of unknown strength."""

        def __init__(self):
            super().__init__()
            width, layers = spec["widths"][0], [conv(3, spec["widths"][0]), act()]
            for _ in range(spec["depth"]):
                layers += [conv(width, width), act()]
            self.layers = nn.Sequential(*layers, conv(width, 3))

        def forward(self, x):
            return x - self.layers(x)

    class AutoEncoder(nn.Module):
        def __init__(self):
            super().__init__()
            widths, latent = spec["widths"], spec["latent"]
            encoder = [conv(3, widths[0]), act()]
            for a, b in zip(widths, widths[1:], strict=False):
                encoder += [conv(a, b, 2), act()]
            self.encoder = nn.Sequential(*encoder, conv(widths[-1], latent))
            decoder = [conv(latent, widths[-1]), act(), conv(widths[-1], widths[-1]), act()]
            for a, b in zip(widths[:0:-1], widths[-2::-1], strict=True):
                decoder += [grow(spec["grow"], a, b), act()]
            self.decoder = nn.Sequential(*decoder, conv(widths[0], 3))

        def forward(self, x):
            # Bounded latents: noise of one strength means the same to every network.
            return self.decoder(torch.tanh(self.encoder(x) / 3) * 3)

    return Denoiser() if spec["kind"] == "denoiser" else AutoEncoder()


def store(file: Path, spec: dict, state: dict) -> None:
    arrays = {key: value.detach().cpu().numpy().astype(np.float16) for key, value in state.items()}
    np.savez_compressed(file, spec=np.array(json.dumps(spec)), **arrays)


def load(file: Path):
    """The spec and the trained network."""
    import torch

    with np.load(file) as stored:
        spec = json.loads(str(stored["spec"]))
        state = {k: torch.from_numpy(stored[k].astype(np.float32)) for k in stored.files if k != "spec"}
    net = network(spec)
    net.load_state_dict(state)
    return spec, net.eval()


@lru_cache(maxsize=1)
def available(folder: Path = FOLDER) -> tuple[str, ...]:
    return tuple(sorted(file.stem for file in folder.glob("*.npz")))


@lru_cache(maxsize=1)
def _core():
    """OpenVINO, or None where it is not installed: PyTorch draws the same, slower."""
    try:
        import openvino as ov
    except ImportError:
        return None
    return ov.Core()


@cache
def _networks(name: str) -> tuple:
    """A generator's stages and the channels they take: encoder and decoder, or the denoiser alone."""
    spec, net = load(FOLDER / f"{name}.npz")
    return ((net, 3),) if spec["kind"] == "denoiser" else ((net.encoder, 3), (net.decoder, spec["latent"]))


@cache
def _stages(name: str) -> tuple:
    """The stages as OpenVINO models."""
    import openvino as ov
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's tracer calls itself deprecated; OpenVINO still uses it
        return tuple(
            ov.convert_model(part, example_input=torch.zeros(1, channels, 32, 32))
            for part, channels in _networks(name)
        )


def _plain(part):
    """A stage that PyTorch runs, called as a compiled one is."""
    import torch

    def run(inputs):
        with torch.inference_mode():
            return [part(torch.from_numpy(np.ascontiguousarray(inputs[0], np.float32))).numpy()]

    return run


@cache
def _compiled(name: str, size: int) -> tuple:
    """A generator's stages, compiled for pictures of that size."""
    if _core() is None:
        return tuple(_plain(part) for part, _ in _networks(name))
    # OpenVINO on one thread of its own: PyTorch's threads belong to the training.
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled, shape = [], [1, 3, size, size]
    for stage in _stages(name):
        model = stage.clone()
        model.reshape(shape)
        compiled.append(_core().compile_model(model, "CPU", settings))
        shape = list(model.output(0).shape)
    return tuple(compiled)


def _planes(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)[None], np.float32) / np.float32(127.5) - 1


def _picture(planes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray((planes[0].transpose(1, 2, 0)[..., ::-1] + 1) * np.float32(127.5))


def draw(name: str, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture, float32 BGR 0..255, S x S with S one of SIZES, drawn anew by a generator.

    An auto-encoder's code is disturbed or rounded now and then; a denoiser gets noise to take away, in up to
    three rounds of falling strength.
    """
    stages, x = _compiled(name, image.shape[0]), _planes(image)
    if len(stages) == 1:
        for spread in sorted(rng.uniform(8, 45, int(rng.integers(1, 4))), reverse=True):
            noise = np.float32(spread / 127.5) * rng.standard_normal(x.shape, np.float32)
            x = stages[0]([x + noise])[0]
        return _picture(x)
    code = np.tanh(stages[0]([x])[0] / 3) * 3
    kind = rng.choice(("as it is", "noisy", "rounded"), p=(0.5, 0.3, 0.2))
    unit = np.float32(max(float(code.std()), 1e-3))
    if kind == "noisy":
        code = code + unit * np.float32(rng.uniform(0.04, 0.2)) * rng.standard_normal(code.shape, np.float32)
    elif kind == "rounded":
        step = unit * np.float32(rng.uniform(0.15, 0.5))
        code = np.round(code / step) * step
    return _picture(stages[1]([code])[0])
