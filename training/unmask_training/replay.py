# SPDX-License-Identifier: Apache-2.0
"""What a step of going on with a model sees: faces that people labelled, and old data beside them.

Without the old data a network forgets what it knew while it learns what is new (French, 1999): each batch
replays some of it.
"""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from . import augment, data, extracted


@dataclass
class Source:
    """Labelled faces of one split: `pairs` of a real face and its fakes, and faces without a counterpart."""

    pairs: list[tuple[data.Face, list[data.Face]]]
    real: list[data.Face]
    fake: list[data.Face]

    def __len__(self) -> int:
        return len(self.real) + len(self.fake) + sum(1 + len(fakes) for _, fakes in self.pairs)

    def faces(self) -> list[data.Face]:
        return [face for real, fakes in self.pairs for face in (real, *fakes)] + self.real + self.fake


def source_of(faces: list[data.Face]) -> Source:
    pairs = data.pairs(faces)
    paired = {id(face) for real, fakes in pairs for face in (real, *fakes)}
    alone = [face for face in faces if id(face) not in paired]
    return Source(pairs, [f for f in alone if not f.fake], [f for f in alone if f.fake])


def read(path: Path, split: str) -> Source:
    """A data directory (docs/training.md, "Pair the faces"), or a set that `unmask faces` wrote."""
    if (path / "dfdc-faces.csv").is_file():
        return source_of(data.dfdc_faces(path, split) + data.portraits(path, split))
    return source_of(extracted.faces(path, split))


class Batches:
    """The batch of any step, from the seed alone, so that resuming needs no state.

    `settings`: `batch` faces a step of `size` pixels, of which `feedback` (a share, 0..1) are people's and
    the rest is replayed. Both classes alike, as far as there are faces: a real one and a fake of it, under
    the same draw of degradations, where there are pairs, else any of that class. With `made`, which has a
    pair(rng) of pictures, the share `families` of what is replayed is a real face and a pseudo-manipulation.
    """

    def __init__(
        self, new: Source, old: Source, settings: dict, ranges: augment.Ranges, seed: int, made=None
    ):
        share = settings["feedback"]
        if not 0 <= share <= 1:
            raise ValueError(f"train.feedback is a share, expected 0..1, found {share}")
        if share > 0 and not len(new):
            raise ValueError(
                "there is no face of feedback in the split train (train.feedback = 0 does without)"
            )
        if share < 1 and not len(old):
            raise ValueError(
                "there is no old face to replay in the split train (--replay; train.feedback = 1)"
            )
        self.count = round(settings["batch"] * share)
        self.new, self.old, self.settings, self.ranges, self.seed = new, old, settings, ranges, seed
        self.made, self.families = made, settings.get("families", 0.0) if made else 0.0

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs float32 [N,3,size,size], and labels [N], 1 for manipulated."""
        rng = np.random.default_rng((self.seed, step))
        images, labels = [], []

        def add(pixels: np.ndarray, fake: bool, draw: augment.Draw) -> None:
            picture, _ = augment.degrade(augment.cut(pixels, draw), draw, self.settings["size"])
            images.append(data.to_input(picture, self.settings["size"]))
            labels.append(float(fake))

        def fill(source: Source, count: int, families: float) -> None:
            end = len(images) + count
            while len(images) < end:
                draw = augment.draw(rng, self.ranges)
                if families and rng.random() < families:
                    chosen = zip(self.made.pair(rng), (False, True), strict=True)
                else:
                    chosen = ((face.pixels(), face.fake) for face in self.choose(source, rng))
                for pixels, fake in islice(chosen, end - len(images)):
                    add(pixels, fake, draw)

        fill(self.new, self.count, 0.0)
        fill(self.old, self.settings["batch"] - self.count, self.families)
        return np.stack(images), np.array(labels, np.float32)

    def choose(self, source: Source, rng: np.random.Generator) -> list[data.Face]:
        """A real face and a fake, where there are both."""
        pairs = sum(1 + len(fakes) for _, fakes in source.pairs)
        if rng.random() < pairs / len(source):
            real, fakes = source.pairs[rng.integers(len(source.pairs))]
            return [real, fakes[rng.integers(len(fakes))]]
        return [faces[rng.integers(len(faces))] for faces in (source.real, source.fake) if faces]
