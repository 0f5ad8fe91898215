# SPDX-License-Identifier: Apache-2.0
"""What a training step sees: pairs of a real face and a fake of it, and single real faces."""

from dataclasses import dataclass, fields

import numpy as np

from . import augment, data, masks


@dataclass
class Batch:
    images: np.ndarray  # [N,3,size,size], normalised
    labels: np.ndarray  # [N], 1 for manipulated
    masks: np.ndarray  # [N,1,size/8,size/8], where a fake differs from its original


def ranges(config: dict) -> augment.Ranges:
    known = {f.name for f in fields(augment.Ranges)}
    unknown = config.keys() - known
    if unknown:
        raise ValueError(f"[augment] has unknown keys {sorted(unknown)}; known are {sorted(known)}")
    return augment.Ranges(**{k: tuple(v) if isinstance(v, list) else v for k, v in config.items()})


def at(step: int, table):
    """A setting that may change during a run: a value, or [first step, value] in ascending order."""
    return [value for first, value in table if first <= step][-1] if isinstance(table, list) else table


class Batches:
    """The batch of any step, from the seed alone: resuming needs no state.

    `config` is the configuration's [train]: `pairs` of DFDC, `families` pairs of a real face and a
    pseudo-manipulation of it, `portraits` single real faces. `families` makes such a pair: `pair(rng) ->
    (real, fake)`, BGR squares of one size.
    """

    def __init__(self, pairs, portraits, config: dict, r: augment.Ranges, seed: int, families=None):
        self.pairs, self.portraits, self.config, self.ranges, self.seed = pairs, portraits, config, r, seed
        self.families = families
        self.steps_per_epoch = len(pairs) // config["pairs"]

    def size(self, step: int) -> int:
        """Pixels of that step's pictures: the configuration's `sizes`."""
        return at(step, self.config.get("sizes", data.SIZE))

    def batch(self, step: int) -> Batch:
        epoch, place = divmod(step, self.steps_per_epoch)
        n, size = self.config["pairs"], self.size(step)
        order = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.pairs))
        rng = np.random.default_rng((self.seed, 1, step))
        images, labels, targets = [], [], []

        def add(image, label, d, original=None):
            picture, cover = augment.degrade(image, d, size)
            target = np.zeros((size // masks.STRIDE,) * 2, np.float32)
            if original is not None:
                target = masks.difference(original, image, size // masks.STRIDE)
                if cover is not None:
                    target *= 1 - data.resize(cover.astype(np.float32), target.shape[0])
            images.append(data.to_input(picture, size))
            labels.append(label)
            targets.append(target[None])

        def add_pair(real, fake):
            d = augment.draw(rng, self.ranges)
            real, fake = augment.cut(real, d), augment.cut(fake, d)
            add(real, 0, d)
            add(fake, 1, d, real)

        for i in order[place * n : (place + 1) * n]:
            real, fakes = self.pairs[i]
            if not self.config.get("paired", True):  # for an ablation: the real face is another one
                d = augment.draw(rng, self.ranges)
                add(augment.cut(self.pairs[rng.integers(len(self.pairs))][0].pixels(), d), 0, d)
                d = augment.draw(rng, self.ranges)
                fake = fakes[rng.integers(len(fakes))]
                add(augment.cut(fake.pixels(), d), 1, d, augment.cut(real.pixels(), d))
                continue
            add_pair(real.pixels(), fakes[rng.integers(len(fakes))].pixels())
        for _ in range(at(step, self.config.get("families", 0)) if self.families else 0):
            add_pair(*self.families.pair(rng))
        for i in rng.integers(len(self.portraits), size=self.config["portraits"]):
            d = augment.draw(rng, self.ranges)
            add(augment.cut(self.portraits[i].pixels(), d), 0, d)
        return Batch(np.stack(images), np.array(labels, np.float32), np.stack(targets))
