# SPDX-License-Identifier: Apache-2.0
"""`unmask evaluate`: its metrics against scikit-learn, inputs and outputs, what it says of bad ones."""

import csv
import io
import json
import os
import shutil
import tarfile

import numpy as np
import pytest
from making import PORTRAIT, ffmpeg
from sklearn import metrics
from sklearn.calibration import calibration_curve


def write_scores(file, labels, scores, **columns):
    with open(file, "w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["path", "label", "score", *columns])
        for i, (label, score) in enumerate(zip(labels, scores, strict=True)):
            writer.writerow(
                [f"f{i}", "fake" if label else "real", repr(float(score)), *(c[i] for c in columns.values())]
            )
    return file


@pytest.fixture
def evaluate(run, tmp_path):
    """Runs it and gives the JSON."""

    def evaluate(*arguments, code=0):
        file = tmp_path / "evaluation.json"
        run("evaluate", *arguments, "--json", file, code=code, timeout=300)
        return json.loads(file.read_text())

    return evaluate


# --- metrics -------------------------------------------------------------------------------------------


def drawn(kind: str, seed: int, count: int = 3000):
    """Labels and scores 0..1: smooth, with many ties, almost separate, or pure chance."""
    rng = np.random.default_rng(seed)
    labels = rng.random(count) < 0.4
    shift = {"smooth": 1.5, "ties": 1.0, "separate": 6.0, "chance": 0.0}[kind]
    scores = 1 / (1 + np.exp(-(rng.normal(size=count) + shift * (labels - 0.5))))
    if kind == "ties":
        scores = np.round(scores, 1)
    return labels.astype(int), scores


@pytest.mark.parametrize("kind", ["smooth", "ties", "separate", "chance"])
def test_metrics_agree_with_scikit_learn(evaluate, tmp_path, kind):
    labels, scores = drawn(kind, seed=7)
    found = evaluate("--input", "scores", "--bootstrap", 0, write_scores(tmp_path / "s.csv", labels, scores))[
        "figures"
    ]
    clipped = np.clip(scores, 1e-12, 1 - 1e-12)
    expected = {
        "auc": metrics.roc_auc_score(labels, scores),
        "average_precision": metrics.average_precision_score(labels, scores),
        "log_loss": metrics.log_loss(labels, clipped),
        "brier": metrics.brier_score_loss(labels, scores),
    }
    for name, value in expected.items():
        assert found[name]["value"] == pytest.approx(value, abs=1e-6), name

    fpr, tpr, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    for name, limit in (("tpr_at_fpr_1", 0.01), ("tpr_at_fpr_01", 0.001)):
        assert found[name]["value"] == pytest.approx(tpr[fpr <= limit + 1e-12].max(), abs=1e-6), name
    grid = np.linspace(0, 1, 2_000_001)  # the curve is straight between thresholds
    gap = np.abs(grid - (1 - np.interp(grid, fpr, tpr)))
    assert found["eer"]["value"] == pytest.approx(grid[gap.argmin()], abs=2e-6)

    place = np.minimum((scores * 10).astype(int), 9)
    ece = sum(
        abs(scores[place == b].mean() - labels[place == b].mean()) * (place == b).sum()
        for b in np.unique(place)
    )
    assert found["ece"]["value"] == pytest.approx(ece / len(labels), abs=1e-6)


def test_curves_and_matrices_agree_with_scikit_learn(evaluate, tmp_path):
    labels, scores = drawn("smooth", seed=11, count=600)
    found = evaluate(
        "--input", "scores", "--thresholds", "0.8,0.4", write_scores(tmp_path / "s.csv", labels, scores)
    )
    roc = [(p["fpr"], p["tpr"]) for p in found["curves"]["roc"]["points"]]
    fpr, tpr, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    for point in roc:
        assert np.hypot(fpr - point[0], tpr - point[1]).min() < 1e-6
    assert metrics.auc(*zip(*roc, strict=True)) == pytest.approx(
        metrics.roc_auc_score(labels, scores), abs=1e-6
    )
    for name, threshold in (("manipulated", 0.8), ("clear", 0.4)):
        at = found["figures"]["thresholds"][name]
        tn, fp, fn, tp = metrics.confusion_matrix(labels, scores >= threshold).ravel()
        assert (
            at["true_negatives"],
            at["false_positives"],
            at["false_negatives"],
            at["true_positives"],
        ) == (tn, fp, fn, tp)
    bins = [b for b in found["curves"]["reliability"] if b["count"]]
    share, mean = calibration_curve(labels, scores, n_bins=10, strategy="uniform")
    assert np.allclose([b["share_fake"] for b in bins], share, atol=1e-6)
    assert np.allclose([b["mean_score"] for b in bins], mean, atol=1e-6)


def bootstrap(metric, labels, scores, clusters, rounds=1500):
    """A plain cluster bootstrap, percentiles 2.5 and 97.5."""
    rng, values = np.random.default_rng(5), []
    names = np.unique(clusters)
    members = [np.flatnonzero(clusters == name) for name in names]
    while len(values) < rounds:
        chosen = np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
        if 0 < labels[chosen].sum() < len(chosen):
            values.append(metric(labels[chosen], scores[chosen]))
    return np.percentile(values, [2.5, 97.5])


@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_agree_with_a_bootstrap_of_scikit_learns_metrics(evaluate, tmp_path, clustered):
    rng = np.random.default_rng(3)
    count = 400
    clusters = np.repeat(np.arange(count // 5), 5) if clustered else np.arange(count)
    shared = rng.normal(size=count // 5)[np.arange(count) // 5] if clustered else 0
    labels = (rng.random(count) < 0.5).astype(int)
    scores = 1 / (1 + np.exp(-(rng.normal(size=count) + 1.5 * (labels - 0.5) + shared)))
    file = write_scores(tmp_path / "s.csv", labels, scores, cluster=[f"c{c}" for c in clusters])
    found = evaluate("--input", "scores", file)
    assert found["run"]["bootstrap"]["clusters"] == len(np.unique(clusters))
    for name, metric in (
        ("auc", metrics.roc_auc_score),
        ("average_precision", metrics.average_precision_score),
        ("brier", metrics.brier_score_loss),
        ("log_loss", metrics.log_loss),
    ):
        low, high = bootstrap(metric, labels, scores, clusters)
        tolerance = 0.12 * (high - low)
        assert found["figures"][name]["interval"] == pytest.approx([low, high], abs=tolerance), name


def test_any_column_may_name_the_clusters(evaluate, tmp_path):
    labels, scores = drawn("smooth", 1, count=100)
    file = write_scores(tmp_path / "s.csv", labels, scores, original=[f"o{i // 4}" for i in range(100)])
    found = evaluate("--input", "scores", "--cluster-column", "original", file)
    assert found["run"]["bootstrap"]["clusters"] == 25


def test_scores_that_are_no_probabilities_give_ranks_alone(evaluate, tmp_path):
    labels, scores = drawn("smooth", 1, count=200)
    logits = np.log(scores / (1 - scores))
    found = evaluate(
        "--input", "scores", "--thresholds", "1,-1", write_scores(tmp_path / "s.csv", labels, logits)
    )
    assert found["figures"]["auc"]["value"] == pytest.approx(metrics.roc_auc_score(labels, logits), abs=1e-6)
    for name in ("log_loss", "brier", "ece"):
        assert found["figures"][name]["value"] is None
        assert "no probabilities" in found["figures"][name]["reason"]


def test_groups_have_figures_and_a_worst_one(evaluate, tmp_path):
    labels, scores = drawn("smooth", 2, count=400)
    groups = ["good" if i % 2 else "bad" for i in range(400)]
    scores[::2] = np.random.default_rng(1).random(200)
    found = evaluate("--input", "scores", write_scores(tmp_path / "s.csv", labels, scores, group=groups))
    by_name = {g["group"]: g for g in found["groups"]}
    assert by_name["bad"]["auc"]["value"] == pytest.approx(
        metrics.roc_auc_score(labels[::2], scores[::2]), abs=1e-6
    )
    assert {w["figure"]: w["group"] for w in found["worst_groups"]}["auc"] == "bad"


# --- inputs and outputs --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A labelled folder: faces as crops and whole pictures, one without a face. Read only."""
    folder = tmp_path_factory.mktemp("labelled")
    for label in ("real", "fake"):
        (folder / "crops" / label).mkdir(parents=True)
        (folder / "media" / label).mkdir(parents=True)
    for i, (label, corner) in enumerate((("real", 150), ("real", 155), ("fake", 145), ("fake", 140))):
        ffmpeg("-i", PORTRAIT, "-vf", f"crop=150:150:{corner}:50", folder / f"crops/{label}/{i}.png")
    shutil.copy(PORTRAIT, folder / "media/real/portrait.png")
    ffmpeg("-i", PORTRAIT, "-vf", "hflip", folder / "media/fake/mirrored.jpg")
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=320x240", "-frames:v", 1, folder / "media/fake/no_face.png")
    return folder


def counts(found):
    return {label: c["files"] for label, c in found["figures"]["counts"].items()}


def test_folder_archive_and_csv_give_the_same_scores(run, labelled, tmp_path):
    archive = tmp_path / "faces.tar"
    with tarfile.open(archive, "w") as tar:
        for file in sorted((labelled / "crops").rglob("*.png")):
            tar.add(file, arcname=f"val/{file.parent.name}/{file.name}")
    table = tmp_path / "faces.csv"
    table.write_text(
        "path,label\n"
        + "".join(f"{f},{f.parent.name}\n" for f in sorted((labelled / "crops").rglob("*.png")))
    )
    results = []
    for i, source in enumerate((labelled / "crops", archive, table)):
        scores = tmp_path / f"{i}.csv"
        run("evaluate", "--input", "crops", "--scores", scores, source, code=0)
        rows = list(csv.DictReader(scores.open()))
        assert list(rows[0]) == ["path", "label", "group", "score", "logit", "verdict", "reasons"]
        results.append(
            sorted((r["path"].split("/")[-1], r["label"], r["score"], r["logit"], r["verdict"]) for r in rows)
        )
    assert results[0] == results[1] == results[2]
    assert len(results[0]) == 4


def test_media_are_judged_as_a_scan_judges_them(run, labelled, tmp_path):
    scores = tmp_path / "scores.csv"
    run("evaluate", "--scores", scores, labelled / "media", code=0)
    scanned = {
        r["media"]["name"].split("/")[-1]: r
        for r in map(json.loads, run("scan", "--format", "jsonl", labelled / "media").stdout.splitlines())
    }
    for row in csv.DictReader(scores.open()):
        report = scanned[row["path"].split("/")[-1]]
        assert row["verdict"] == report["verdict"]
        assert row["reasons"].split() == report["reasons"]
        if report["score"] is not None:
            assert float(row["score"]) == pytest.approx(report["score"], abs=1e-6)
    assert {r["verdict"] for r in scanned.values()} <= {
        "manipulated",
        "no_manipulation_found",
        "inconclusive",
    }


def test_a_faceless_picture_is_counted(evaluate, labelled):
    found = evaluate(labelled / "media")
    assert found["figures"]["counts"]["fake"]["no_face"] == 1
    assert found["figures"]["no_face"]["value"] == pytest.approx(1 / 3)


def test_scores_evaluate_to_the_same_figures(run, evaluate, labelled, tmp_path):
    scores = tmp_path / "scores.csv"
    run("evaluate", "--input", "crops", "--scores", scores, labelled / "crops", code=0)
    direct = evaluate("--input", "crops", labelled / "crops")
    again = evaluate("--input", "scores", scores)
    assert again["figures"] == direct["figures"]


def draw_cartoon(file, side=200):
    """A face of even colours with black outlines."""
    y, x = np.mgrid[0:side, 0:side] / side

    def inside(centre_x, centre_y, width, height):
        return ((x - centre_x) / width) ** 2 + ((y - centre_y) / height) ** 2 < 1

    picture = np.full((side, side, 3), (150, 200, 230), np.uint8)
    parts = [(0.5, 0.52, 0.38, 0.45, (245, 200, 170)), (0.5, 0.75, 0.15, 0.05, (200, 60, 60))]
    parts += [(eye, 0.42, 0.08, 0.1, (255, 255, 255)) for eye in (0.35, 0.65)]
    parts += [(eye, 0.44, 0.03, 0.04, (0, 0, 0)) for eye in (0.37, 0.67)]
    for centre_x, centre_y, width, height, colour in parts:
        picture[inside(centre_x, centre_y, width + 0.015, height + 0.015)] = 0
        picture[inside(centre_x, centre_y, width, height)] = colour
    raw = file.with_suffix(".ppm")
    raw.write_bytes(b"P6 %d %d 255\n" % (side, side) + picture.tobytes())
    ffmpeg("-i", raw, file)
    raw.unlink()


def test_a_drawing_is_no_photograph(evaluate, labelled, tmp_path):
    for label in ("real", "fake"):
        (tmp_path / "set" / label).mkdir(parents=True)
        draw_cartoon(tmp_path / "set" / label / "drawn.png")
        ffmpeg("-i", tmp_path / "set" / label / "drawn.png", tmp_path / "set" / label / "drawn.jpg")
        for file in (labelled / "crops" / label).iterdir():
            shutil.copy(file, tmp_path / "set" / label)
    found = evaluate("--input", "crops", tmp_path / "set")["figures"]["counts"]
    for label in ("real", "fake"):
        assert found[label]["reasons"]["not_a_photo"] == 2
        assert found[label]["inconclusive"] >= 2
        assert found[label]["scored"] == 4


def test_the_tables_of_an_extracted_set_are_no_samples(run, evaluate, labelled, tmp_path):
    run("faces", "extract", "-o", tmp_path / "set", labelled / "media", code=0)
    run("faces", "extract", "-o", tmp_path / "set.tar", labelled / "media", code=0)
    for source in (tmp_path / "set", tmp_path / "set.tar"):
        found = evaluate("--input", "crops", source)
        assert found["skipped"] == []
        assert {kind["reason"]: kind["count"] for kind in found["left_out"]} == {"table_of_set": 3}
        assert sum(counts(found).values()) == 2


def copy_with_tracks(models, folder):
    """The newest model with an operating point of its own for tracks, far from one face's."""
    newest = max((models / "face").iterdir(), key=lambda version: int(version.name))
    copy = folder / "face" / newest.name
    shutil.copytree(newest, copy)
    card = json.loads((copy / "model.json").read_text())
    limits = {"manipulated": {"score": 0.999999, "fpr": 0.01}, "clear": {"score": 0.999998, "fpr": 0.01}}
    card["tracks"] = [{"faces": 2, "calibration": card["calibration"], "thresholds": limits}]
    (copy / "model.json").write_text(json.dumps(card))
    return folder


def test_confusion_matrices_use_the_thresholds_of_the_verdicts(run, evaluate, tmp_path):
    for label in ("real", "fake"):
        (tmp_path / "set" / label).mkdir(parents=True)
        shutil.copy(PORTRAIT, tmp_path / "set" / label / "still.png")
        ffmpeg("-loop", 1, "-i", PORTRAIT, "-t", 3, "-r", 4, tmp_path / "set" / label / "clip.mp4")
    models = copy_with_tracks(PORTRAIT.parents[2] / "models", tmp_path / "models")
    arguments = ["--models", models, "--no-stability", tmp_path / "set"]
    found = evaluate(*arguments)["figures"]
    clear = found["thresholds"]["clear"]
    assert clear["by_another"] == 2  # the clips; a still has one face
    cleared = sum(found["counts"][label]["no_manipulation_found"] for label in ("real", "fake"))
    assert clear["true_negatives"] + clear["false_negatives"] == cleared >= 2
    asked = evaluate("--thresholds", "0.9,0.0", *arguments)["figures"]["thresholds"]["clear"]
    assert asked["by_another"] == 0 and asked["true_negatives"] + asked["false_negatives"] == 0
    assert "tracks of several faces" in run("evaluate", *arguments, code=0).stdout


def test_degrade_reports_every_degradation(evaluate, labelled):
    found = evaluate("--input", "crops", "--degrade", labelled / "crops")
    names = [d["name"] for d in found["degraded"]]
    assert names == [
        "jpeg_90", "jpeg_60", "jpeg_40", "jpeg_20", "scale_0.5", "scale_0.25", "blur_2", "noise_10",
        "h264_crf_23", "h264_crf_32", "h264_crf_40",
    ]  # fmt: skip
    for degraded in found["degraded"]:
        assert 0 <= degraded["flips"]["value"] <= 1
        assert degraded["figures"]["auc"]["value"] is not None
        assert degraded["figures"]["counts"]["real"]["failed"] == 0


def test_the_page_needs_nothing_else(run, labelled, tmp_path):
    page = tmp_path / "report.html"
    run("evaluate", "--input", "crops", "--html", page, labelled / "crops", code=0)
    html = page.read_text()
    assert html.startswith("<!doctype html>") and html.rstrip().endswith("</html>")
    assert "<svg" in html and "<script" not in html and "http" not in html.replace("http-equiv", "")


def test_split_list_and_limit_choose_files(evaluate, labelled, tmp_path):
    archive = tmp_path / "faces.tar"
    with tarfile.open(archive, "w") as tar:
        for file in sorted((labelled / "crops").rglob("*.png")):
            for split in ("train", "val"):
                tar.add(file, arcname=f"{split}/{file.parent.name}/{split}{file.name}")
    listed = tmp_path / "list.csv"
    listed.write_text("id,original,source\nval0,a,x\nval1,b,x\nval2,a,y\ntrain0,a,x\nval9,a,x\n")
    found = evaluate("--input", "crops", "--split", "val", archive)
    assert counts(found) == {"real": 2, "fake": 2}
    found = evaluate(
        "--input", "crops", "--split", "val", "--list", listed, "--cluster-column", "original",
        "--group-column", "source", archive,
    )  # fmt: skip
    assert counts(found) == {"real": 2, "fake": 1}
    assert found["run"]["bootstrap"]["clusters"] == 2
    assert {g["group"] for g in found["groups"]} == {"x", "y"}
    assert {s["reason"]: s["count"] for s in found["left_out"]} == {"not_listed": 4, "other_split": 1}
    found = evaluate("--input", "crops", "--limit", 4, archive)
    assert counts(found) == {"real": 2, "fake": 2}
    assert any("Limited to 2 real and 2 fake" in note for note in found["notes"])


# --- bad input -----------------------------------------------------------------------------------------


def test_broken_files_are_counted_and_the_others_evaluated(run, labelled, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(labelled / "crops", folder)
    (folder / "real/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    (folder / "fake/text.png").write_text("no picture")
    (folder / "fake/empty.jpg").touch()
    file = tmp_path / "e.json"
    done = run("evaluate", "--input", "crops", "--json", file, folder, code=3)
    found = json.loads(file.read_text())
    assert sum(s["count"] for s in found["skipped"]) == 3
    assert found["figures"]["counts"]["fake"]["failed"] == 2
    assert found["figures"]["auc"]["value"] is not None
    assert all(s["examples"][0]["path"] for s in found["skipped"])
    assert "Skipped: 3" in done.stdout


def test_one_class_gives_null_with_a_reason(run, labelled, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(labelled / "crops/real", folder / "real")
    file = tmp_path / "e.json"
    done = run("evaluate", "--input", "crops", "--json", file, folder, code=0)
    found = json.loads(file.read_text())
    for name in ("auc", "eer", "tpr_at_fpr_1", "average_precision"):
        assert found["figures"][name]["value"] is None
        assert found["figures"][name]["reason"] == "no manipulated file has a score"
    assert found["figures"]["thresholds"]["manipulated"]["fpr"]["value"] is not None
    assert "has no folder fake/" in done.stdout


def tar_member(tar, name, data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in fields.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


def test_an_archive_with_odd_names_is_read_safely(run, labelled, tmp_path):
    archive = tmp_path / "odd.tar"
    picture = (labelled / "crops/real/0.png").read_bytes()
    with tarfile.open(archive, "w") as tar:
        tar_member(tar, "val/real/good.png", picture)
        tar_member(tar, "val/fake/good.png", picture)
        tar_member(tar, "/val/real/absolute.png", picture)
        tar_member(tar, "val/real/../../../escape.png", picture)
        tar_member(tar, "val/real/link.png", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        tar_member(tar, "val/real/hard.png", type=tarfile.LNKTYPE, linkname="/etc/passwd")
        tar_member(tar, "val/real/device", type=tarfile.CHRTYPE)
        tar_member(tar, "val/real/\x1b[31mred.png", picture)
    file = tmp_path / "e.json"
    done = run("evaluate", "--input", "crops", "--json", file, archive, code=3)
    found = json.loads(file.read_text())
    assert counts(found) == {"real": 2, "fake": 1}
    assert {s["reason"]: s["count"] for s in found["skipped"]} == {"unsafe_name": 2, "not_a_file": 3}
    assert "\x1b" not in done.stdout + done.stderr
    assert sorted(os.listdir(tmp_path)) == ["e.json", "odd.tar"]


def test_broken_csv_lines_are_counted(run, labelled, tmp_path):
    picture = labelled / "crops/real/0.png"
    table = tmp_path / "t.csv"
    table.write_text(f'path,label\n{picture},real\n{picture},fake\n{picture},maybe\nx\n"open,real\n')
    file = tmp_path / "e.json"
    run("evaluate", "--input", "crops", "--json", file, table, code=3)
    skipped = json.loads(file.read_text())["skipped"]
    assert [(s["reason"], s["count"]) for s in skipped] == [("bad_line", 3)]
    assert skipped[0]["examples"][0]["path"] == "t.csv:4"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/no/such/place"], "/no/such/place"),
        ([], "no labelled files given"),
        (["--crop-margin", "0.1", "x"], "--crop-margin"),
        (["--input", "scores", "--degrade", "x"], "--degrade"),
        (["--input", "pictures", "x"], "media, crops, scores"),
        (["--thresholds", "0.2,0.8", "x"], "the larger first"),
        (["--json", "/no/such/folder/x.json", "x"], "--json cannot be written"),
    ],
)
def test_wrong_usage_says_what_is_wrong(run, arguments, words):
    done = run("evaluate", *arguments, code=2)
    assert words in done.stderr and "hint: " in done.stderr
    assert done.stdout == ""


def test_a_folder_without_labels_is_refused(run, tmp_path):
    shutil.copy(PORTRAIT, tmp_path / "a.png")
    done = run("evaluate", tmp_path, code=2)
    assert "no labelled file" in done.stderr and "1 no_label" in done.stderr
