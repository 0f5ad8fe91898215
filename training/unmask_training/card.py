# SPDX-License-Identifier: Apache-2.0
"""CARD.md: the words of a card file and the figures of model.json, for people."""

import tomllib
from pathlib import Path

# Of a limit's `when`: see src/analysis/limits.hpp.
SITUATIONS = {
    "still",
    "video",
    "manipulated",
    "cleared",
    "inconclusive",
    "not_manipulated",
    "heat_map",
    "card",
}
NAMES = {
    "auc": "AUC",
    "average_precision": "average precision",
    "eer": "equal error rate",
    "tpr_at_fpr_1": "found at 1 % false alarms",
    "tpr_at_fpr_01": "found at 0.1 % false alarms",
    "log_loss": "log loss",
    "brier": "Brier score",
    "ece": "calibration error (ECE, 10 bins)",
}
VERDICTS = {
    "real_called_manipulated": "real called manipulated",
    "fake_called_manipulated": "fake called manipulated",
    "fake_with_nothing_found": "fake with nothing found",
    "inconclusive": "inconclusive",
    "error": "wrong among the answers",
}
SHARES = {"eer", "tpr_at_fpr_1", "tpr_at_fpr_01", *VERDICTS}
BAR, AUC_FROM = 20, 0.5


def read(file: Path) -> dict:
    """The words of a model (docs/training.md has every key). ValueError names what is missing or wrong."""
    words = tomllib.loads(file.read_text())
    for section, keys in {
        "model": ("description", "network", "method", "licence"),
        "validation": ("faces", "portraits"),
    }.items():
        for key in keys:
            if not isinstance(words.get(section, {}).get(key), str):
                raise ValueError(f"{file}: [{section}] needs a text {key}")
    for section, keys in {"data": ("name", "use", "terms"), "limits": ("text",)}.items():
        for entry in words.get(section, []):
            if missing := [key for key in keys if key not in entry]:
                raise ValueError(f"{file}: an entry of [[{section}]] has no {missing[0]}")
    if not words.get("data") or not words.get("limits"):
        raise ValueError(f"{file}: expected at least one [[data]] and one [[limits]]")
    for limit in words["limits"]:
        if unknown := set(limit.get("when", [])) - SITUATIONS:
            raise ValueError(
                f"{file}: unknown situation {min(unknown)} (known: {', '.join(sorted(SITUATIONS))})"
            )
    return words


def limits_of(words: dict) -> list:
    """For model.json: a sentence, or one with its situations (src/analysis/limits.hpp)."""
    return [
        {"text": limit["text"], "when": limit["when"]} if limit.get("when") else limit["text"]
        for limit in words["limits"]
    ]


def number(value: float | None, share: bool) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if share else f"{value:.4f}"


def shown(figure: dict, share: bool = False) -> str:
    """A figure with its interval, or why there is none."""
    if figure["value"] is None:
        return f"– ({figure['reason']})"
    text = number(figure["value"], share)
    if interval := figure.get("interval"):
        digits = "{:.1f} to {:.1f} %" if share else "{:.3f} to {:.3f}"
        text += " (" + digits.format(*(100 * end if share else end for end in interval)) + ")"
    return text


def bar(value: float | None, low: float = 0.0, high: float = 1.0) -> str:
    if not value:
        return ""
    return "`" + "█" * round(BAR * min(max((value - low) / (high - low), 0), 1)) + "`"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def figures_section(quality: dict, network: dict) -> str:
    found, software = quality["validation"], quality["software"]
    versions = f"unmask {software['unmask']}, OpenVINO {software['openvino'].split('-')[0]}"
    text = f"""## Figures

Measured on {network["date"]}, on {network["machine"]}, by `unmask evaluate` from the files of this folder
({versions}, f32). Intervals are 95 %: of shares of files Wilson's, of all other figures a bootstrap over
videos. docs/evaluation.md defines every figure.
"""
    if "difference" in network:
        difference = f"{network['difference']:.4f}"
        text += f"The largest difference to PyTorch in fp32 over these faces is {difference} in the logit.\n"
    text += f"\nValidation, {found['data']}: {found['real']} real and {found['fake']} fake faces.\n\n"
    text += table(
        ["figure", "value (95 %)"],
        [[words, shown(found[key], key in SHARES)] for key, words in NAMES.items()],
    )
    text += """
Log loss, Brier score and ECE are of five-fold calibration: no face is scored by a fit that saw it.

### Verdicts

As the product gives them, with the check under mild re-encodings, on the same faces.

"""
    text += table(
        ["share", "value (95 %)"],
        [[words, shown(found["verdicts"][key], True)] for key, words in VERDICTS.items()],
    )
    text += "\nWhen only the surest files are answered (risk against coverage):\n\n"
    text += table(
        ["answered", "wrong among them", ""],
        [
            [f"{point['coverage']:.0%}", number(point["risk"], True), bar(point["risk"], 0, 0.2)]
            for point in found["risk_coverage"]
        ],
    )
    return text


def degraded_section(quality: dict) -> str:
    if not quality.get("degraded"):
        return ""
    rows = [
        ["clean", shown(quality["validation"]["auc"]), bar(quality["validation"]["auc"]["value"], AUC_FROM)]
    ]
    rows[0] += [shown(quality["validation"]["tpr_at_fpr_1"], True)]
    rows[0] += ["", "", ""]
    for found in quality["degraded"].values():
        rows.append(
            [
                found["description"],
                shown(found["auc"]),
                bar(found["auc"]["value"], AUC_FROM),
                shown(found["tpr_at_fpr_1"], True),
                shown(found["real_called_manipulated"], True),
                shown(found["flips"], True),
                number(found["opposite_flips"]["value"], True),
            ]
        )
    head = ["under", "AUC (95 %)", "from 0.5 to 1", "found at 1 % false alarms", "real called manipulated"]
    return f"""
### Degradations

The same faces, degraded before the crop is resized. Flips are verdicts that differ from the clean one;
opposite ones go between `manipulated` and `no_manipulation_found`. Here verdicts are without the check under
mild re-encodings, which makes some of them inconclusive.

{table([*head, "flips", "opposite"], rows)}"""


def portraits_section(quality: dict) -> str:
    found = quality.get("portraits")
    if not found:
        return ""
    called, open_ = (shown(found[key], True) for key in ("called_manipulated", "inconclusive"))
    text = f"""
### Ordinary photographs

{found["data"]}: of {found["faces"]} real faces, found by the product in whole pictures,
{called} are called manipulated and {open_} are inconclusive.
"""
    if found["groups"]:
        rows = [
            [name, str(group["faces"]), shown(group["called_manipulated"], True)]
            for name, group in found["groups"].items()
        ]
        text += "\n" + table(["source", "faces", "at or above the threshold"], rows)
    return text


def mask_section(quality: dict) -> str:
    found = quality.get("mask")
    if not found:
        return ""
    return f"""
### Heat map

Mean overlap (IoU) with where a fake differs from its original, over the validation fakes: {found["iou"]:.3f};
of a centred ellipse as a guess: {found["ellipse_iou"]:.3f}.
"""


def thresholds_section(card: dict) -> str:
    at = card["quality"]["validation"]["thresholds"]
    rows = []
    for name, meaning in (("manipulated", "manipulated from here on"), ("clear", "nothing found below")):
        limit = card["thresholds"][name]
        rows.append(
            [
                meaning,
                f"{limit['score']:.4f}",
                shown(at[name]["fpr"], True),
                shown({**at[name]["tpr"]}, True),
            ]
        )
    limit = card["thresholds"]["clear"]
    clear = f"the lowest that at most {limit['fpr']:.0%} of the real ones reach"
    if "miss" in limit:
        clear = f"the highest below which at most {limit['miss']:.0%} of the fakes lie"
    text = f"""
## Thresholds

Fitted, as the calibration, on the validation faces alone: `manipulated` is the lowest score that at most
{card["thresholds"]["manipulated"]["fpr"]:.0%} of the real ones reach, `clear` {clear}.
Between them the answer is `inconclusive`.

{table(["threshold", "score", "reals at or above", "fakes at or above"], rows)}"""
    return text + tracks_section(card)


def tracks_section(card: dict) -> str:
    compared = card["quality"].get("tracks")
    if not compared:
        return ""
    head = ["faces", "fpr, own", "found, own", "cleared fakes, own"]
    head += ["fpr, of one face", "found, of one face", "cleared fakes, of one face"]
    rows = [
        [str(row["faces"])]
        + [
            number(row[which][rate], True)
            for which in ("own", "of_one_face")
            for rate in ("fpr", "tpr", "miss")
        ]
        for row in compared["points"]
    ]
    use = (
        "So tracks have calibration and thresholds of their own."
        if card.get("tracks")
        else "The difference is small, so tracks keep the thresholds of one face."
    )
    return f"""
### Tracks of several faces

The validation data have one frame of each video, so a track of n faces is **simulated** by n looks at one
frame: codec, resolution and blur drawn once, the box's place and size, light and grain for each look, joined
by the product's own rule. In a real video pose and expression change too; what the network gets wrong about
one frame averages out better there. So these thresholds err towards caution: fewer false alarms than stated,
and more fakes missed. Longer tracks were not simulated: of these the higher half
counts once evidence persists, which works the other way.

{table(head, rows)}
{use}
"""


def render(card: dict, words: dict, facts: dict) -> str:
    model, calibration, crop = words["model"], card["calibration"], card["crop"]
    weights = model.get("weights", "large weights in fp16")
    outputs = (
        f"tensor `{card['output']['name']}`, [N, 1]; score = sigmoid({calibration['slope']:.4f} * logit "
    )
    outputs += f"{calibration['intercept']:+.4f})"
    if "mask" in card:
        height, width = card["mask"]["height"], card["mask"]["width"]
        outputs += f"; tensor `mask`, [N, 1, {height}, {width}]: where the face looks changed, 0 to 1"
    taken = card["input"]
    inputs = f"{taken['width']}x{taken['height']} {taken['color']}, NCHW, tensor `{taken['name']}`"
    square = (
        f"square of {crop['scale']} times the {crop['side_of'].replace('_', ' ')} of the YuNet box's sides, "
    )
    square += f"centre moved by ({crop['dx']}, {crop['dy']}) of its width and height"
    text = f"""# {card["name"]} {card["version"]}

{model["description"]}

It takes one face and gives a score between 0 and 1: the calibrated probability that the face is manipulated,
when manipulated and real faces are about as common as in the validation data. In ordinary traffic manipulated
faces are much rarer, so read the score against the thresholds and not as a percentage.

"""
    text += table(
        ["", ""],
        [
            ["network", f"{model['network']}; {facts['mib']:.1f} MiB ({weights})"],
            ["input", inputs],
            ["output", outputs],
            ["crop", square],
            ["licence", f"{card['licence']} for the weights; see the terms of the data below"],
        ],
    )
    text += "\n## Data\n\n"
    text += table(["data", "use", "terms"], [[d["name"], d["use"], d["terms"]] for d in words["data"]])
    text += """
The pictures are not part of this repository. Whether a model that was trained on research data may be used
for a given purpose is for its user to decide: read the terms above.

"""
    text += f"## Method\n\n{model['method'].strip()}\n\n"
    text += figures_section(card["quality"], facts)
    text += degraded_section(card["quality"]) + portraits_section(card["quality"])
    text += mask_section(card["quality"]) + thresholds_section(card)
    text += "\n## Limits\n\nA report quotes those that touch it.\n\n"
    return text + "".join(f"- {limit['text']}\n" for limit in words["limits"])
