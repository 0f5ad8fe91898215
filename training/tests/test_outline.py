# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
from unmask_training import export, net, outline

SMALL = net.Backbone(
    (
        (1, 16, 1, 1, 3),
        (2, 16, 1, 2, 3),
        (2, 16, 2, 2, 5),
        (2, 24, 1, 2, 3),
        (2, 24, 1, 1, 5),
        (2, 32, 4, 2, 5),
        (2, 32, 1, 1, 3),
    ),
    ((4, 16), (6, 24), (12, net.FEATURES)),
)


def worn(model: torch.nn.Module) -> torch.nn.Module:
    """As training leaves a network: its norms have statistics."""
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(8, 3, 64, 64))
    return model.eval()


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(3)
    return worn(net.KindsNet(0.0, SMALL))


@pytest.fixture
def outlined(trained):
    model = outline.OutlinedNet(0.0, SMALL)
    model.begin_from(trained.state_dict())
    return model.eval()


def test_the_logit_stays_that_of_the_network_before(trained, outlined):
    x = torch.randn(3, 3, 64, 64)
    with torch.inference_mode():
        for parameter in outlined.outline.parameters():
            parameter.normal_()
        before, after = trained(x), outlined(x)
    assert torch.allclose(after[0], before[0], atol=1e-4) and torch.allclose(after[2], before[2], atol=1e-4)
    assert after[1].shape == before[1].shape == (3, 1, 8, 8)
    assert not torch.allclose(after[1], before[1], atol=1e-2)


def test_the_outline_begins_with_the_blocks_after_stride_16(outlined):
    for own, theirs in zip(outlined.outline.blocks, outlined.blocks[7:11], strict=True):
        for key, value in own.state_dict().items():
            assert torch.equal(value, theirs.state_dict()[key]), key


def test_an_outline_begins_anew_on_the_weights_of_another_outlined_network(outlined):
    with torch.no_grad():
        outlined.outline.mask.bias.fill_(7.0)
    again = outline.OutlinedNet(0.0, SMALL)
    again.begin_from(outlined.state_dict())
    assert torch.equal(again.head.weight, outlined.head.weight) and again.outline.mask.bias.item() == -2.0


def test_weights_of_another_network_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        outline.OutlinedNet(0.0, SMALL).begin_from({"head.bias": torch.zeros(3)})


def test_only_the_outline_learns_from_its_loss(outlined):
    with torch.no_grad():
        fine, middle = outlined.tapped(torch.randn(2, 3, 64, 64))[:2]
    targets = torch.zeros(2, 1, 8, 8)
    targets[0, 0, 2:5, 2:5] = 1
    outline.overlap_loss(outlined.outline(fine, middle), targets).backward()
    for name, parameter in outlined.named_parameters():
        assert (parameter.grad is not None) == name.startswith("outline."), name


def test_the_loss_is_least_for_the_changed_places():
    targets = torch.zeros(2, 1, 8, 8)
    targets[0, 0, 2:6, 2:6] = 0.9

    def loss(mask):
        logits = torch.where(mask, 6.0, -6.0)
        return outline.overlap_loss(logits, targets).item()

    right = targets > 0.5
    all_over, nowhere, moved = torch.ones_like(right), torch.zeros_like(right), right.roll(2, dims=3)
    assert loss(right) < loss(moved) < loss(nowhere)
    assert loss(moved) < loss(all_over)


def test_without_changed_places_the_loss_is_that_of_an_empty_mask():
    targets = torch.zeros(2, 1, 4, 4)
    some = outline.overlap_loss(torch.full((2, 1, 4, 4), 2.0), targets)
    none = outline.overlap_loss(torch.full((2, 1, 4, 4), -9.0), targets)
    assert none.item() == pytest.approx(0, abs=1e-3) and some.item() > 0.5
    assert np.isfinite(some.item())


def test_folding_keeps_both_outputs(outlined):
    x = torch.randn(2, 3, 64, 64)
    folded = net.fold_batch_norm(outlined)
    with torch.inference_mode():
        for a, b in zip(folded(x), outlined(x), strict=True):
            assert torch.allclose(a, b, atol=1e-4)
    assert export.outputs_of(outlined) == ["logit", "mask"]
