# SPDX-License-Identifier: Apache-2.0
import numpy as np
import torch
from unmask_training import export, net, towers


def test_a_face_is_as_suspicious_as_the_more_suspicious_tower_finds_it():
    torch.manual_seed(1)
    model = towers.Towers().eval()
    model.mix.copy_(torch.tensor([[2.0, 0.5, -1.0], [0.0, 1.5, 0.25]]))
    x = torch.randn(3, 3, 64, 64)
    with torch.inference_mode():
        logit, mask = model(x)
        each = [model.first(x), model.second(x)]
    logits = np.concatenate([each[0][0].numpy(), each[1][0].numpy()], axis=1)
    assert np.allclose(logit[:, 0].numpy(), towers.odds_of(model.mix.numpy(), logits), atol=1e-5)
    assert mask.shape == (3, 1, 8, 8)


def test_the_mask_is_that_of_the_tower_that_decides():
    model = towers.Towers().eval()
    x = torch.randn(1, 3, 64, 64)
    for winner, other in ((0, 1), (1, 0)):
        model.mix.zero_()
        model.mix[winner, 2], model.mix[other, 2] = 5.0, -5.0
        with torch.inference_mode():
            own = (model.first, model.second)[winner](x)[1]
            assert torch.allclose(model(x)[1], own, atol=1e-4)


def test_folding_and_loading_reach_both_towers(tmp_path):
    model = towers.Towers()
    model(torch.randn(4, 3, 64, 64))  # moves the norms' statistics
    model.eval()
    x = torch.randn(2, 3, 64, 64)
    torch.save({"model": model.state_dict(), "step": 1}, tmp_path / "final.pt")
    loaded = net.fold_batch_norm(export.load(tmp_path / "final.pt", "towers"))
    with torch.inference_mode():
        assert torch.allclose(loaded(x)[0], model(x)[0], atol=1e-4)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in loaded.modules())


def test_the_fit_calibrates_each_tower_where_it_is_at_home():
    rng = np.random.default_rng(1)
    labels = rng.random(4000) < 0.5
    logits = np.stack([np.where(labels, 1.0, -1.0), np.zeros(4000)], axis=1) + rng.normal(size=(4000, 2))
    mix = towers.fit((labels, logits), (labels, logits[:, ::-1] * 0.5))
    assert mix[0, 1] == 0 and mix[1, 0] == 0
    assert np.allclose(mix[0, [0, 2]], [2, 0], atol=0.25)  # normal classes at -1 and 1: log odds 2x
    assert np.allclose(mix[1, [1, 2]], [4, 0], atol=0.5)
