#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes one network of two finished runs, and says what each tower and both together find on validation data.

The mix of the towers' logits is fitted on the validation data, as calibration and thresholds are.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from unmask_training import data, export, families, metrics, net, pseudo, towers
from unmask_training.config import load as load_config
from unmask_training.infer import torch_logits

ROOT = Path(__file__).resolve().parent
PAIRS = 200  # of each family


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=ROOT / "configs/face-2.toml")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("UNMASK_DATA", ROOT.parent / "../shared/data"))
    )
    parser.add_argument("--landmarks", type=Path, default=ROOT / "runs/landmarks.npz")
    parser.add_argument("--size", type=int, help="pixels of the input; default: the configuration's")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="default: final.pt of the configuration's run")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    config = load_config(args.config)
    size, names = args.size or config["export"]["size"], config["towers"]
    checkpoints = [ROOT / "runs" / names[tower] / "final.pt" for tower in ("first", "second")]
    folded = [net.fold_batch_norm(export.load(file, "lite0")) for file in checkpoints]

    val, portraits = data.dfdc_faces(args.data, "val"), data.portraits(args.data, "val")
    made = pseudo.load(val + portraits, args.landmarks, dict.fromkeys(families.NAMES, 1.0))
    sets = {"dfdc": val, "portraits": portraits}
    sets |= {name: made.faces_of(name, PAIRS) for name in families.NAMES}
    logits, labels = {}, {}
    for name, faces in sets.items():
        logits[name] = np.stack([torch_logits(model, faces, size=size) for model in folded], axis=1)
        labels[name] = np.array([face.fake for face in faces])

    def together(*chosen: str) -> tuple[np.ndarray, np.ndarray]:
        return np.concatenate([labels[n] for n in chosen]), np.concatenate([logits[n] for n in chosen])

    mix = towers.fit(together("dfdc"), together("portraits", *families.NAMES))
    real = towers.odds_of(mix, logits["portraits"])
    limit = metrics.threshold_at_fpr(labels["dfdc"], towers.odds_of(mix, logits["dfdc"]), 0.01)
    found = {"size": size, "mix": mix.round(4).tolist(), "portraits_called": round((real >= limit).mean(), 4)}
    for name in ("dfdc", *families.NAMES):
        each = {"first": logits[name][:, 0], "second": logits[name][:, 1]}
        each["both"] = towers.odds_of(mix, logits[name])
        ranked = {key: metrics.figures(labels[name], scores) for key, scores in each.items()}
        found[name] = {key: round(figures["auc"]["value"], 4) for key, figures in ranked.items()}
        if name == "dfdc":
            found["dfdc_tpr_at_fpr_1"] = {
                key: round(figures["tpr_at_fpr_1"]["value"], 4) for key, figures in ranked.items()
            }
    print(json.dumps(found, indent=2))

    model = towers.Towers()
    for tower, file in zip((model.first, model.second), checkpoints, strict=True):
        state = torch.load(file, map_location="cpu", weights_only=True)
        tower.load_state_dict(state.get("average", state["model"]))
    model.mix.copy_(torch.from_numpy(mix))
    out = args.out or ROOT / "runs" / config["name"] / "final.pt"
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": model.state_dict(), "step": max(export.steps_of(file) for file in checkpoints)}, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
