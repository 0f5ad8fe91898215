# SPDX-License-Identifier: Apache-2.0
"""The words of a model: what model.json and CARD.md say beside the figures."""

from pathlib import Path

DESCRIPTION = {
    1: "Finds face swaps of the DFDC family in a single face crop; MobileNetV2 at 160x160.",
    2: "Finds manipulated faces in a single face crop, and where they were changed; "
    "MobileNetV2 with a mask head.",
}
LICENCE = "Apache-2.0"
DATA = [
    {
        "name": "DFDC training faces",
        "terms": "Deepfake Detection Challenge (Meta AI): research data set with consenting actors",
    },
    {
        "name": "portraits",
        "terms": "several public collections: mixed terms, mostly research or non-commercial; "
        "US-government portraits are public domain",
    },
]
COMMON_LIMITS = [
    "A person may stand in both training and validation data, so the validation figures are optimistic.",
    "The data name no ages, skin tones or genders, so error rates by group are not known; children and many "
    "groups are rare or absent.",
    "A low score is no proof that a picture is authentic.",
]

LIMITS = {
    1: [
        "It has learnt one family of fakes: faces swapped into video by the methods of DFDC (2019-2020).",
        "It does not find faces that are synthesised as a whole, by GANs or diffusion models.",
        "It does not find lip-synced clips reliably: the face is real but for the mouth.",
        "Generators that appeared after its data, and hand-made composites, are not covered.",
        *COMMON_LIMITS,
    ],
    2: [
        "It has learnt faces swapped into video by the methods of DFDC (2019-2020), and imitations of other "
        "manipulations made from real faces; real manipulations of those kinds were not in its data.",
        "It does not find faces that are synthesised as a whole, by GANs or diffusion models, reliably.",
        "It does not find lip-synced clips reliably: the face is real but for the mouth.",
        "Generators that appeared after its data are not covered.",
        "Its map shows where the face looks changed; it was learnt from the differences between a video "
        "and its fakes, coarse, and is no proof of an edit.",
        *COMMON_LIMITS,
    ],
}

DEGRADED = {
    "jpeg40": "JPEG, quality 40",
    "half": "half the size",
    "blur": "Gaussian blur, sigma 2 of 224 pixels",
    "noise": "Gaussian noise, sigma 10 of 255",
    "crf32": "H.264, crf 32",
}


def render(card: dict, facts: dict) -> str:
    v, q = card["quality"]["validation"], card["quality"]
    return (
        Path(__file__)
        .with_name(f"card-{card['version']}.md.in")
        .read_text()
        .format(
            description=card["description"],
            size=card["input"]["width"],
            licence=card["licence"],
            slope=card["calibration"]["slope"],
            intercept=card["calibration"]["intercept"],
            scale=card["crop"]["scale"],
            dx=card["crop"]["dx"],
            dy=card["crop"]["dy"],
            val_real=v["real"],
            val_fake=v["fake"],
            dfdc_terms=DATA[0]["terms"],
            portrait_terms=DATA[1]["terms"],
            portrait_faces=q["portraits"]["faces"],
            called=q["portraits"]["called_manipulated"],
            auc=v["auc"],
            auc_low=v["auc_interval"][0],
            auc_high=v["auc_interval"][1],
            ap=v["ap"],
            eer=v["eer"],
            tpr=v["tpr_at_fpr_1"],
            tpr_low=v["tpr_at_fpr_1_interval"][0],
            tpr_high=v["tpr_at_fpr_1_interval"][1],
            log_loss=v["log_loss"],
            brier=v["brier"],
            ece=v["ece"],
            degraded="\n".join(
                f"| {DEGRADED[k]} | {d['auc']:.4f} | {d['tpr_at_fpr_1']:.3f} |"
                for k, d in q["degraded"].items()
            ),
            t_manipulated=card["thresholds"]["manipulated"]["score"],
            t_clear=card["thresholds"]["clear"]["score"],
            limits="\n".join(f"- {line}" for line in card["limits"]),
            mask_size=card.get("mask", {}).get("width"),
            mask_iou=q.get("mask", {}).get("iou"),
            ellipse_iou=q.get("mask", {}).get("ellipse_iou"),
            **facts,
        )
    )
