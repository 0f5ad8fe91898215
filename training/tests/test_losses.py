# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from unmask_training import ahead, batches, losses

SETTINGS = {"label_smoothing": 0.0}


def some(labels, kinds=None, twins=None) -> losses.Tensors:
    labels = np.array(labels, np.float32)
    count = len(labels)
    return losses.tensors(
        batches.Batch(
            np.zeros((count, 16, 16, 3), np.uint8),
            labels,
            np.zeros((count, 1, 2, 2), np.float32),
            np.array(labels if kinds is None else kinds, np.int64),
            np.array([batches.ALONE] * count if twins is None else twins),
        )
    )


def test_inputs_are_what_the_product_feeds_its_network():
    batch = some([0])
    batch.images[0, 3, 5] = torch.tensor([255, 128, 0], dtype=torch.uint8)
    x = batch.inputs()
    assert x.shape == (1, 3, 16, 16) and x.is_contiguous(memory_format=torch.channels_last)
    assert x[0, :, 3, 5].tolist() == pytest.approx([1.0, 128 / 127.5 - 1, -1.0], abs=1e-6)


def test_each_class_has_half_of_the_loss():
    logits = torch.tensor([[0.0], [0.0], [0.0], [3.0]])
    whole, shown = losses.objective(logits, some([0, 0, 0, 1]), SETTINGS)
    expected = 0.5 * np.log(2) + 0.5 * np.log1p(np.exp(-3))
    assert whole.item() == pytest.approx(expected, rel=1e-5) and shown.tolist() == pytest.approx(
        [expected, 0]
    )


def test_masks_and_kinds_add_their_share():
    batch = some([0, 1, 1], kinds=[batches.REAL, batches.SWAPPED, batches.PSEUDO])
    scores = torch.tensor([[0.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 2.0, 0.0]])
    outputs = (torch.zeros(3, 1), torch.zeros(3, 1, 2, 2), scores)
    plain, shown = losses.objective(outputs, batch, SETTINGS)
    assert shown[1].item() == pytest.approx(np.log(2), rel=1e-5)
    whole, _ = losses.objective(outputs, batch, SETTINGS | {"mask_weight": 0.5, "kind_weight": 0.2})
    right, wrong = np.log1p(np.exp(-2.0)), np.log1p(np.exp(2.0))
    assert (whole - plain).item() == pytest.approx(0.5 * np.log(2) + 0.2 * 0.25 * (right + wrong), rel=1e-4)


def test_views_of_one_face_that_agree_cost_nothing_and_others_what_they_differ():
    settings, batch = SETTINGS | {"twin_weight": 1.0}, some([0, 1, 0, 1], twins=[2, 3, 0, 1])

    def cost(logits):
        logits = torch.tensor(logits)[:, None]
        return (
            losses.objective(logits, batch, settings)[0] - losses.objective(logits, batch, SETTINGS)[0]
        ).item()

    assert cost([1.0, -1.0, 1.0, -1.0]) == pytest.approx(0, abs=1e-6)
    p, q = 1 / (1 + np.exp(-2.0)), 0.5
    both_ways = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    both_ways += q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p))
    assert cost([2.0, 0.0, 0.0, 0.0]) == pytest.approx(0.5 * both_ways, rel=1e-4)


def test_a_degraded_view_follows_the_undamaged_one_and_does_not_pull_it():
    settings = SETTINGS | {"twin_weight": 1.0, "undamaged": True}
    batch = some([0, 1, 0, 1], twins=[batches.ALONE, batches.ALONE, 0, 1])
    logits = torch.tensor([[-2.0], [1.0], [-1.0], [1.0]], requires_grad=True)
    apart = losses.objective(logits, batch, settings)[0] - losses.objective(logits, batch, SETTINGS)[0]
    assert apart.item() == pytest.approx(0.25 * (1.0 - losses.STEADY / 2), rel=1e-5)
    pulled = torch.autograd.grad(apart, logits)[0][:, 0]
    assert pulled.tolist() == pytest.approx([0, 0, 0.25, 0], abs=1e-6)


def test_a_mask_may_be_taught_by_its_overlap():
    batch = some([0, 1])
    batch.masks[1, 0, 0] = 1.0
    outputs = (torch.zeros(2, 1), 20 * (2 * batch.masks - 1))
    settings = SETTINGS | {"mask_loss": "overlap"}
    right = losses.objective(outputs, batch, settings)[1][1].item()
    wrong = losses.objective((outputs[0], -outputs[1]), batch, settings)[1][1].item()
    assert right == pytest.approx(0, abs=1e-3) and wrong > 1 - 1 / 3 - 1e-3


def test_a_face_without_a_twin_is_not_compared():
    logits, batch = torch.tensor([[5.0], [-5.0]]), some([0, 1])
    with_twins = losses.objective(logits, batch, SETTINGS | {"twin_weight": 1.0})[0]
    assert with_twins.item() == losses.objective(logits, batch, SETTINGS)[0].item()


class Counted:
    """Batches whose only label is their step."""

    def batch(self, step):
        batch = batches.Batch(*(np.full((1, 1), step, np.int64) for _ in range(5)))
        return batch


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_come_in_order_from_a_thread_and_from_processes(workers):
    found = [batch.labels.item() for batch in ahead.prepare(Counted(), 3, 9, workers)]
    assert found == [3, 4, 5, 6, 7, 8]


def test_a_batch_of_one_class_has_half_of_the_loss():
    loss, weight = losses.logit_loss(torch.zeros(4), torch.ones(4), 0.0)
    assert loss.item() == pytest.approx(0.5 * np.log(2), rel=1e-5) and weight.tolist() == [0.125] * 4
