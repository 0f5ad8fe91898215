# SPDX-License-Identifier: Apache-2.0
"""What a training step sees: pairs of a real face and a fake of it, and single real faces."""

from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from . import augment, data, masks
from .families import blend
from .families.resynth import region

REAL, SWAPPED, PSEUDO = 0, 1, 2  # kinds: real, a fake of the data, a pseudo-manipulation
ALONE = -1
MIN_CHANGE = 1.0  # levels of 255: a fake that differs less from its original on average is not used
TRIES = 8
MIN_PART = 0.4  # share of that change which a partial fake keeps at least


@dataclass
class Batch:
    images: np.ndarray  # [N,size,size,3], RGB, uint8
    labels: np.ndarray  # [N], 1 for manipulated
    masks: np.ndarray  # [N,1,size/8,size/8], where a fake differs from its original
    kinds: np.ndarray  # [N], REAL, SWAPPED or PSEUDO
    twins: np.ndarray  # [N], where the same face stands that this one's logit is held to, or ALONE


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
    pseudo-manipulation of it, `portraits` single real faces; `views` draws for each of them (1), or with
    `undamaged` one draw, first without its degradations; `partial`, the share of DFDC's fakes of which only a
    part, or a weaker one, is put into the original (0). `families`
    makes a pair, `pair(rng) -> (real, fake)`, BGR squares of one size, and knows the faces' landmarks.
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
        views = range(self.config.get("views", 1))
        undamaged = self.config.get("undamaged", False)
        images, targets, kinds, twins = [], [], [], []

        def add(image, kind, d, original=None):
            picture, cover = augment.degrade(image, d, size)
            target = np.zeros((size // masks.STRIDE,) * 2, np.float32)
            if original is not None:
                target = masks.difference(original, image, size // masks.STRIDE)
                if cover is not None:
                    target *= 1 - data.resize(cover.astype(np.float32), target.shape[0])
            images.append(np.ascontiguousarray(picture[..., ::-1]))
            targets.append(target[None])
            kinds.append(kind)
            twins.append(ALONE)

        def add_views(real, fake=None, kind=REAL):
            first, many = len(images), 1 if fake is None else 2
            for view in views:
                if view == 0 or not undamaged:
                    drawn = augment.draw(rng, self.ranges)
                    d = replace(drawn, order=("resize",)) if undamaged else drawn
                else:
                    d = drawn
                original = augment.cut(real, d)
                add(original, REAL, d)
                if fake is not None:
                    add(augment.cut(fake, d), kind, d, original)
            if len(views) == 2:
                for i in range(first, first + many):
                    twins[i], twins[i + many] = ALONE if undamaged else i + many, i

        for i in order[place * n : (place + 1) * n]:
            if not self.config.get("paired", True):  # for an ablation: the real face is another one
                real, fake = self.pair(i, rng)
                add_views(self.pairs[rng.integers(len(self.pairs))][0].pixels())
                d = augment.draw(rng, self.ranges)
                add(augment.cut(fake, d), SWAPPED, d, augment.cut(real, d))
                continue
            add_views(*self.pair(i, rng), SWAPPED)
        for _ in range(at(step, self.config.get("families", 0)) if self.families else 0):
            add_views(*self.families.pair(rng), PSEUDO)
        for i in rng.integers(len(self.portraits), size=self.config["portraits"]):
            add_views(self.portraits[i].pixels())
        kinds = np.array(kinds)
        labels = (kinds != REAL).astype(np.float32)
        return Batch(np.stack(images), labels, np.stack(targets), kinds, np.array(twins))

    def pair(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A real face and one of its fakes, whole or in part; another pair where the fake hardly differs."""
        for _ in range(TRIES):
            face, fakes = self.pairs[index]
            real, fake = face.pixels(), fakes[rng.integers(len(fakes))].pixels()
            change = cv2.absdiff(real, fake).mean()
            if change >= MIN_CHANGE:
                break
            index = rng.integers(len(self.pairs))
        if rng.random() < self.config.get("partial", 0.0):
            least = max(MIN_PART * change, MIN_CHANGE)
            made = blend.alpha(real, fake, self.part(face, len(real), rng))
            if cv2.absdiff(real, made).mean() >= least:
                fake = made
        return real, fake

    def part(self, face: data.Face, side: int, rng: np.random.Generator) -> np.ndarray:
        """Where, and how much, of a fake is shown: a region of the face, or all of it, and then weaker."""
        if rng.random() < 0.5:
            return np.full((side, side), rng.uniform(0.4, 0.8), np.float32)
        return region(side, self.families.points_of(face.name, side) if self.families else None, rng)
