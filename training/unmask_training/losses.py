# SPDX-License-Identifier: Apache-2.0
"""What training makes small: losses of logit, mask and kinds, and how far two views of a face differ."""

from dataclasses import dataclass

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, smooth_l1_loss

from . import batches, net
from .outline import overlap_loss

SCALE = 127.5
STEADY = 0.3  # of a logit: smaller moves count by their square


@dataclass
class Tensors:
    """A batches.Batch on its device."""

    images: torch.Tensor
    labels: torch.Tensor
    masks: torch.Tensor
    kinds: torch.Tensor
    twins: torch.Tensor

    def to(self, device: torch.device) -> "Tensors":
        return Tensors(**{k: v.to(device, non_blocking=True) for k, v in vars(self).items()})

    def pin_memory(self) -> "Tensors":
        return Tensors(**{k: v.pin_memory() for k, v in vars(self).items()})

    def inputs(self) -> torch.Tensor:
        """The network's input, float32 [N,3,H,W], channels last in memory."""
        return (self.images.float() / SCALE - 1).permute(0, 3, 1, 2)


def tensors(batch: batches.Batch) -> Tensors:
    return Tensors(**{k: torch.from_numpy(v) for k, v in vars(batch).items()})


def logit_loss(logits: torch.Tensor, labels: torch.Tensor, smoothing: float) -> tuple:
    """Cross-entropy of logits [N] in which each class has half of the weight, and the weights [N]."""
    weight = torch.where(labels > 0.5, 0.5 / labels.sum(), 0.5 / (1 - labels).sum())
    target = labels * (1 - smoothing) + smoothing / 2
    each = binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (weight * each).sum(), weight


def divergence(logits: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """The symmetric Kullback-Leibler divergence (as Hendrycks et al., AugMix, 2020, but of two)."""
    return (logits.sigmoid() - others.sigmoid()) * (logits - others)


def steadiness(logits: torch.Tensor, undamaged: torch.Tensor) -> torch.Tensor:
    """How far a degraded face's logit moved from the undamaged one's, which it is to follow, not to pull."""
    return smooth_l1_loss(logits, undamaged.detach(), reduction="none", beta=STEADY)


def objective(outputs, batch: Tensors, settings: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss to descend, and for the log the losses of the logit and of the mask (0 without a mask head).

    Each class has half of the weight, however many portraits there are. `mask_weight` weighs the masks'
    loss (`mask_loss`: "cross-entropy", or "overlap", the outline's), `kind_weight` that of telling one kind
    of fake from another, `twin_weight` how far two views of one face differ.
    """
    logits = net.logits_of(outputs).float()
    loss, weight = logit_loss(logits, batch.labels, settings["label_smoothing"])
    whole, mask_loss = loss, torch.zeros((), device=loss.device)
    if isinstance(outputs, tuple):
        if settings.get("mask_loss", "cross-entropy") == "overlap":
            mask_loss = overlap_loss(outputs[1].float(), batch.masks)
        else:
            each = binary_cross_entropy_with_logits(outputs[1].float(), batch.masks, reduction="none")
            mask_loss = (weight * each.mean(dim=(1, 2, 3))).sum()
        whole = whole + settings.get("mask_weight", 0.0) * mask_loss
    if settings.get("kind_weight"):
        # Real faces have no kind: any class will do for them, their weight is nothing.
        each = cross_entropy(outputs[2][:, 1:].float(), (batch.kinds - 1).clamp(min=0), reduction="none")
        whole = whole + settings["kind_weight"] * (weight * batch.labels * each).sum()
    if settings.get("twin_weight"):
        each = steadiness if settings.get("undamaged") else divergence
        apart = each(logits, logits[batch.twins]) * (batch.twins != batches.ALONE)
        whole = whole + settings["twin_weight"] * (weight * apart).sum()
    return whole, torch.stack([loss.detach(), mask_loss.detach()])
