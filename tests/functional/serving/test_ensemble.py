# SPDX-License-Identifier: Apache-2.0
"""Several models that judge one face: scores, members in every report, failures.

`near` and `wide` are copies of face:1; `wide` looks at a larger square.
"""

import json
import shutil

import pytest
from engine_stand_in import closed_port, mean, stand_in
from ensembles import MEAN, member, pair, put_ensemble, put_face, sha_of
from making import PORTRAIT

WEIGHTED = {"method": "weighted", "weights": [0.25, 1.5], "bias": -0.75}


@pytest.fixture
def scan(run, models):
    def scan(model, *flags, file=PORTRAIT, code=0, form="json"):
        done = run("scan", "--models", models, "--model", model, "--format", form, *flags, file, code=code)
        return json.loads(done.stdout)[0] if form == "json" else done.stdout

    return scan


@pytest.mark.parametrize("combination", [MEAN, WEIGHTED])
@pytest.mark.parametrize("kind", ["still", "clip"])
def test_members_say_what_they_say_alone(scan, models, media, combination, kind):
    folder = put_ensemble(models, pair(models), combination=combination)
    file = PORTRAIT if kind == "still" else media / "clip.mp4"
    alone = [scan(f"face:{version}", "--faces", file=file) for version in (1, 2)]
    both = scan("duo", "--faces", file=file)
    assert both["faces"]
    weights, bias = combination.get("weights", [0.5, 0.5]), combination.get("bias", 0)
    for faces in zip(both["faces"], *(report["faces"] for report in alone), strict=True):
        said = faces[0]["members"]
        assert [m["model"] for m in said] == ["face:1", "face:2"]
        for found, expected in zip(said, faces[1:], strict=True):
            assert found["logit"] == pytest.approx(expected["logit"], abs=1e-5)
            assert found["score"] == pytest.approx(expected["score"], abs=1e-5)
        combined = bias + sum(w * m["logit"] for w, m in zip(weights, said, strict=True))
        assert faces[0]["logit"] == pytest.approx(combined, abs=2e-4)
    assert both["members"] == both["tracks"][0]["members"]
    facts = both["model"]
    assert (facts["name"], facts["version"], facts["sha256"]) == ("duo", 1, sha_of(folder / "model.json"))
    pinned = [(m["name"], m["version"], m["sha256"]) for m in facts["members"]]
    assert pinned == [("face", v, sha_of(models / "face" / str(v) / "face.bin")) for v in (1, 2)]
    # face:1 draws no map, so the joined one is face:2's.
    maps = [report["tracks"][0]["best"] for report in (both, alone[1])]
    if maps[0]["frame"] == maps[1]["frame"]:
        assert maps[0]["heat"] == maps[1]["heat"] is not None


def test_people_see_each_member(scan, run, models):
    put_ensemble(models, pair(models))
    assert "face:1 " in scan("duo", form="table") and "face:2 " in scan("duo", form="table")
    page = scan("duo", form="html")
    assert "Each model alone: face:1 " in page and sha_of(models / "face" / "2" / "face.bin") in page
    shown = run("model", "show", "duo", "--models", models, code=0).stdout
    assert "the mean of the logits of" in shown and "- face:2 (sha256" in shown
    assert "golden inputs" in run("model", "verify", "duo", "--models", models, code=0).stdout


def test_members_see_their_own_squares(scan, models):
    put_face(models, "wide", change=lambda card: card["crop"].update(scale=1.8))
    put_ensemble(models, [member(models, "face", 1), member(models, "wide")])
    alone = [scan(name, "--faces") for name in ("face:1", "wide")]
    said = scan("duo", "--faces")["faces"][0]["members"]
    for found, report in zip(said, alone, strict=True):
        assert found["logit"] == pytest.approx(report["faces"][0]["logit"], abs=1e-5)
    assert abs(said[0]["logit"] - said[1]["logit"]) > 0.01


def test_a_member_may_run_elsewhere_and_none_judges_without_it(scan, models):
    with stand_in() as engine:
        engine.model = lambda batch: mean(batch) * 0 + 3
        put_face(models, "far", engine=engine.url)
        put_ensemble(models, [member(models, "face", 1), member(models, "far")])
        said = scan("duo", "--faces")["faces"][0]["members"]
        assert said[1]["logit"] == 3
        engine.mode = "nan"
        error = scan("duo", code=3)["error"]
        assert error["message"].startswith("far:1, a member of duo:1: ")
    shutil.rmtree(models / "far")
    put_face(models, "far", engine=f"http://127.0.0.1:{closed_port()}")
    error = scan("duo", code=3)["error"]
    assert error["code"] == "overloaded"
    assert error["message"].startswith("far:1, a member of duo:1: ")


def spoil_weights(models):
    weights = models / "face" / "2" / "face.bin"
    weights.write_bytes(weights.read_bytes()[:1000])
    return "face.bin has the sha256"


def spoil_golden_of_member(models):
    golden = models / "face" / "2" / "golden.json"
    stated = json.loads(golden.read_text())
    for case in stated["cases"]:
        case["logit"] += 0.5
    golden.write_text(json.dumps(stated))
    return "face:2, a member of duo:1: the golden input"


def spoil_own_golden(models):
    case = {"name": "a case", "source": "synthetic", "rect": [0, 0, 160, 160], "logit": 99}
    (models / "duo" / "1" / "golden.json").write_text(json.dumps({"tolerance": 0.02, "cases": [case]}))
    return "the golden input 'a case' gives the logit"


def exchange_a_member(models):
    card = models / "face" / "2" / "model.json"
    stated = json.loads(card.read_text())
    stated["network"]["files"]["face.bin"] = "0" * 64
    card.write_text(json.dumps(stated))
    return "duo:1 was made with face:2 of the sha256"


def remove_a_member(models):
    shutil.rmtree(models / "face" / "2")
    return "duo:1 needs face:2"


@pytest.mark.parametrize(
    "spoil",
    [spoil_weights, spoil_golden_of_member, spoil_own_golden, exchange_a_member, remove_a_member],
)
def test_an_ensemble_is_as_good_as_each_member(run, models, spoil):
    put_ensemble(models, pair(models))
    words = spoil(models)
    done = run("model", "verify", "duo", "--models", models, code=3)
    assert words in done.stderr and "hint" in done.stderr


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda card: card["ensemble"]["members"].append({"model": "duo", "version": 1}), "names itself"),
        (lambda card: card["ensemble"]["members"].pop(), "2 to 16 models, found 1"),
        (lambda card: card["ensemble"].update(combination=WEIGHTED | {"weights": [1]}), "found 1"),
        (lambda card: card["ensemble"].update(combination={"method": "max"}), "'max'"),
        (lambda card: card.update(input={}), 'no "input" of its own'),
    ],
)
def test_a_card_that_makes_no_sense_says_why(run, models, change, words):
    folder = put_ensemble(models, pair(models))
    card = json.loads((folder / "model.json").read_text())
    change(card)
    (folder / "model.json").write_text(json.dumps(card))
    assert words in run("scan", "--models", models, "--model", "duo", PORTRAIT, code=3).stderr


def test_it_has_no_network_to_serve(run, models, tmp_path):
    put_ensemble(models, pair(models))
    flags = ("--listen", "127.0.0.1:0", "--data", tmp_path, "--kserve", "127.0.0.1:0")
    done = run("serve", "--models", models, "--model", "face", "--serve-model", "duo:1", *flags, code=3)
    assert "duo:1 cannot be served to others: it is an ensemble" in done.stderr
