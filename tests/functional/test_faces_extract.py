# SPDX-License-Identifier: Apache-2.0
"""`unmask faces extract`: what it writes, how it goes on after a stop, and what it refuses."""

import csv
import hashlib
import io
import json
import math
import shutil
import signal
import subprocess
import tarfile
import zlib

import pytest
from making import PORTRAIT, ROOT, ffmpeg

LANDMARKS = [f"{point}_{axis}" for point in ("right_eye", "left_eye", "nose", "mouth") for axis in "xy"]
COLUMNS = [
    *["id", "path", "label", "group", "split", "source", "source_sha256", "track", "frame", "time"],
    *["face_x", "face_y", "face_w", "face_h", *LANDMARKS, *(f"crop_{name}" for name in LANDMARKS)],
    *["detector", "detector_score", "size", "sharpness", "brightness", "yaw", "pitch", "codes"],
    *["crop_x", "crop_y", "crop_side", "saved_side"],
]


def rows_of(text: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def faces_of(folder) -> list[dict]:
    """faces.csv of a set in a folder; every picture is there, and none beside them."""
    with open(folder / "faces.csv", newline="") as file:
        rows = rows_of(file.read())
    pictures = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in (".jpg", ".png")
    }
    assert {row["path"] for row in rows} == pictures
    return rows


def contents(folder) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def pixels(file, options=()):
    """Width, height and BGR bytes of a picture, as ffmpeg decodes it."""
    size = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", file],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    width, height = map(int, size.strip().split(",")[:2])
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", file, *options, "-f", "rawvideo", "-pix_fmt", "bgr24", "-"],
        capture_output=True,
        check=True,
    ).stdout
    return width, height, raw


@pytest.fixture(scope="module")
def labelled(media, tmp_path_factory):
    """Two real clips and their fakes, a still without a label, a clip without a face. Read only."""
    folder = tmp_path_factory.mktemp("labelled")
    for label in ("real", "fake"):
        (folder / label).mkdir()
    shutil.copy(media / "clip.mp4", folder / "real" / "one.mp4")
    shutil.copy(media / "no_face.mp4", folder / "real" / "scene.mp4")
    ffmpeg("-i", media / "clip.mp4", "-t", 2, "-vf", "hflip", folder / "real" / "two.mp4")
    ffmpeg("-i", media / "clip.mp4", "-vf", "eq=contrast=1.3", folder / "fake" / "one.mp4")
    ffmpeg("-i", media / "clip.mp4", "-t", 2, "-vf", "hflip,eq=contrast=1.3", folder / "fake" / "two.mp4")
    shutil.copy(PORTRAIT, folder / "portrait.png")
    return folder


@pytest.fixture(scope="module")
def whole(labelled, unmask, clean_environment, tmp_path_factory):
    """The set that an undisturbed run makes of them. Read only."""
    folder = tmp_path_factory.mktemp("whole") / "set"
    done = subprocess.run(
        [unmask, "faces", "extract", "--output", folder, labelled],
        capture_output=True,
        encoding="utf-8",
        env=clean_environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder


# --- What a set holds -----------------------------------------------------------------------------


def test_every_face_has_a_picture_and_a_line(whole, labelled):
    faces = faces_of(whole)
    assert list(faces[0]) == COLUMNS
    assert len({face["id"] for face in faces}) == len(faces) == 6 + 4 + 6 + 4 + 1
    for face in faces:
        assert face["path"] == f"all/{face['label'] or 'unlabelled'}/{face['id']}.jpg"
        source = labelled / face["source"]
        assert face["source_sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
        assert face["label"] == {"real": "real", "fake": "fake"}.get(source.parent.name, "")
        assert face["detector"] == "blazeface" and float(face["detector_score"]) > 0.5
        x, y, width, height = (float(face[f"face_{name}"]) for name in "xywh")
        assert x < float(face["right_eye_x"]) < float(face["left_eye_x"]) < x + width
        assert y < float(face["nose_y"]) < float(face["mouth_y"]) < y + height
        assert 0 < float(face["crop_nose_x"]) < int(face["saved_side"])
        assert pixels(whole / face["path"])[:2] == (int(face["saved_side"]),) * 2


def test_sources_are_listed_also_those_without_a_face(whole, labelled):
    sources = rows_of((whole / "sources.csv").read_text())
    assert {source["source"].removeprefix(f"{labelled}/"): int(source["faces"]) for source in sources} == {
        "fake/one.mp4": 6,
        "fake/two.mp4": 4,
        "portrait.png": 1,
        "real/one.mp4": 6,
        "real/scene.mp4": 0,
        "real/two.mp4": 4,
    }
    state = json.loads((whole / "extract.json").read_text())
    assert state["schema"] == "unmask.faces/1" and state["complete"] is True
    assert state["faces"] == 21 and state["sources"] == 6 and state["sources_without_faces"] == 1


def test_csv_ends_its_lines_as_the_standard_says(whole):
    for name in ("faces.csv", "sources.csv"):
        text = (whole / name).read_bytes()
        assert text.endswith(b"\r\n") and text.count(b"\n") == text.count(b"\r\n")


def test_crop_is_what_the_model_sees(run, tmp_path):
    run("faces", "extract", "-o", tmp_path / "set", "--format", "png", "--size", 0, PORTRAIT, code=0)
    [face] = faces_of(tmp_path / "set")
    rule = json.loads((ROOT / "models" / "face" / "1" / "model.json").read_text())["crop"]
    assert rule["side_of"] == "geometric_mean"
    x, y, width, height = (float(face[f"face_{name}"]) for name in "xywh")
    side = math.floor(rule["scale"] * math.sqrt(width * height) + 0.5)
    left = math.floor(x + width / 2 + rule["dx"] * width - side / 2 + 0.5)
    top = math.floor(y + height / 2 + rule["dy"] * height - side / 2 + 0.5)
    assert [int(face[name]) for name in ("crop_x", "crop_y", "crop_side", "saved_side")] == [
        *(left, top, side, side)
    ]
    expected = pixels(PORTRAIT, ["-vf", f"crop={side}:{side}:{left}:{top}"])[2]
    assert pixels(tmp_path / "set" / face["path"])[2] == expected


def test_box_is_that_of_a_scan(run, whole, labelled):
    report = json.loads(run("scan", "--format", "json", "--faces", labelled / "real" / "one.mp4").stdout)[0]
    faces = [face for face in faces_of(whole) if face["source"].endswith("real/one.mp4")]
    assert [face["frame"] for face in report["faces"]] == [int(face["frame"]) for face in faces]
    for scanned, face in zip(report["faces"], faces, strict=True):
        assert scanned["box"] == pytest.approx([float(face[f"face_{name}"]) for name in "xywh"], abs=0.51)
        assert scanned["quality"]["sharpness"] == pytest.approx(float(face["sharpness"]), abs=0.001)


@pytest.mark.parametrize("jobs", [1, 3])
def test_same_files_and_options_give_the_same_set(run, labelled, whole, tmp_path, jobs):
    run("faces", "extract", "-o", tmp_path / "set", "--jobs", jobs, labelled, code=0)
    assert contents(tmp_path / "set") == contents(whole)


def test_summary_goes_to_standard_output(run, labelled, tmp_path):
    done = run("faces", "extract", "-o", tmp_path / "set", labelled / "real", code=0)
    assert done.stdout == (
        f"{tmp_path}/set: 10 faces of 3 files\n"
        "  all        10 real\n"
        "  1 file gave no face (see sources.csv)\n"
    )


# --- Archives -------------------------------------------------------------------------------------


def test_archive_holds_the_same_as_a_folder(run, labelled, whole, tmp_path):
    run("faces", "extract", "--output", tmp_path / "set.tar", labelled, code=0)
    assert [path.name for path in tmp_path.iterdir()] == ["set.tar"]
    with tarfile.open(tmp_path / "set.tar") as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar}
        assert all(member.mode == 0o644 and member.mtime == 0 for member in tar.getmembers())
    expected = contents(whole)
    del members["sources.csv"], expected["sources.csv"]  # they say how long the other files are
    assert members == expected
    listing = subprocess.run(["tar", "tf", tmp_path / "set.tar"], capture_output=True, text=True, check=True)
    assert listing.stderr == "" and "faces.csv" in listing.stdout.splitlines()


def test_archive_is_replaced_only_when_asked(run, media, tmp_path):
    archive = tmp_path / "set.tar"
    run("faces", "extract", "-o", archive, PORTRAIT, code=0)
    before = archive.read_bytes()
    assert "is there already" in run("faces", "extract", "-o", archive, PORTRAIT, code=2).stderr
    assert "is complete" in run("faces", "extract", "-o", archive, "--resume", PORTRAIT, code=2).stderr
    assert archive.read_bytes() == before
    run("faces", "extract", "-o", archive, "--overwrite", media / "clip.mp4", code=0)
    assert archive.read_bytes() != before


# --- Labels, groups, splits -----------------------------------------------------------------------


def test_label_can_be_given_for_all(run, labelled, tmp_path):
    run("faces", "extract", "-o", tmp_path / "set", "--label", "fake", labelled / "portrait.png", code=0)
    assert [face["label"] for face in faces_of(tmp_path / "set")] == ["fake"]


def test_split_never_divides_a_group(run, labelled, tmp_path):
    arguments = ["--split", "train=0.5,val=0.5", "--group-by", "name", "--max-per-track", 1]
    run("faces", "extract", "-o", tmp_path / "set", *arguments, labelled, code=0)
    splits = {}
    for face in faces_of(tmp_path / "set"):
        splits.setdefault(face["group"], set()).add(face["split"])
        assert face["path"].startswith(face["split"] + "/")
    assert set(splits) == {f"{labelled}/{name}" for name in ("one", "two", "portrait")}
    assert all(len(names) == 1 for names in splits.values())


def test_group_by_folder_keeps_a_person_together(run, media, tmp_path):
    for label, name in (("real", "clip.mp4"), ("fake", "portrait.jpg")):
        folder = tmp_path / "in" / label / "ann"
        folder.mkdir(parents=True)
        shutil.copy(media / name, folder)
    run("faces", "extract", "-o", "set", "--group-by", "folder", "in", cwd=tmp_path, code=0)
    assert {(face["group"], face["label"]) for face in faces_of(tmp_path / "set")} == {
        ("in/ann", "real"),
        ("in/ann", "fake"),
    }


def test_split_depends_on_seed_and_group_alone(run, labelled, tmp_path):
    def split(name, seed):
        arguments = ["--split", "a=0.5,b=0.5", "--seed", seed, "--max-per-track", 1]
        run("faces", "extract", "-o", tmp_path / name, *arguments, labelled, code=0)
        return {face["source"]: face["split"] for face in faces_of(tmp_path / name)}

    first = split("first", 0)
    for source, found in first.items():
        group = hashlib.sha256((labelled / source).read_bytes()).hexdigest()[:16]
        place = int(hashlib.sha256(f"0\n{group}".encode()).hexdigest()[:13], 16) / 2**52
        assert found == ("a" if place < 0.5 else "b")
    assert split("other", 6) != first


# --- Which faces, and how they are cut ------------------------------------------------------------


def test_margin_is_a_share_of_the_box(run, tmp_path):
    run("faces", "extract", "-o", tmp_path / "set", "--margin", 0.5, "--size", 0, PORTRAIT, code=0)
    [face] = faces_of(tmp_path / "set")
    x, y, width, height = (float(face[f"face_{name}"]) for name in "xywh")
    side = math.floor(2 * math.sqrt(width * height) + 0.5)
    assert int(face["crop_side"]) == int(face["saved_side"]) == side
    assert int(face["crop_x"]) == math.floor(x + width / 2 - side / 2 + 0.5)


def test_size_reduces_and_enlarges_only_when_asked(run, tmp_path):
    def side(name, *arguments):
        run("faces", "extract", "-o", tmp_path / name, *arguments, PORTRAIT, code=0)
        return int(faces_of(tmp_path / name)[0]["saved_side"])

    assert side("small", "--size", 64) == 64
    own = side("own", "--size", 0)
    assert side("standard") == own < 224, "a face smaller than the size stays as it is"
    assert side("large", "--enlarge") == 224


def test_jpeg_keeps_its_colour_whole(run, tmp_path):
    run("faces", "extract", "-o", tmp_path / "set", "--quality", 95, PORTRAIT, code=0)
    [face] = faces_of(tmp_path / "set")
    probe = ["ffprobe", "-v", "error", "-show_entries", "stream=pix_fmt", "-of", "csv=p=0"]
    found = subprocess.run([*probe, tmp_path / "set" / face["path"]], capture_output=True, text=True).stdout
    assert found.strip() == "yuvj444p"


def test_fewer_faces_of_each_track(run, media, tmp_path):
    arguments = ["--fps", 5, "--max-per-track", 3]
    run("faces", "extract", "-o", tmp_path / "set", *arguments, media / "two_people.mp4", code=0)
    faces = faces_of(tmp_path / "set")
    assert sorted(face["track"] for face in faces) == ["1", "1", "1", "2", "2", "2"]
    times = [float(face["time"]) for face in faces if face["track"] == "1"]
    assert times[0] < 0.7 and times[-1] > 1.2


def test_small_and_bad_faces_are_left_out_when_asked(run, labelled, media, tmp_path):
    ffmpeg("-i", PORTRAIT, "-vf", "scale=160:160", tmp_path / "small.png")
    files = [PORTRAIT, tmp_path / "small.png"]
    run("faces", "extract", "-o", tmp_path / "all", *files, code=0)
    assert sorted(face["codes"] for face in faces_of(tmp_path / "all")) == ["", "small"]
    run("faces", "extract", "-o", tmp_path / "skip", "--skip", "dark,small", *files, code=0)
    run("faces", "extract", "-o", tmp_path / "size", "--min-size", 60, *files, code=0)
    for name in ("skip", "size"):
        assert [face["source"] for face in faces_of(tmp_path / name)] == [str(PORTRAIT)]


def test_sampling_is_that_of_a_scan(run, media, tmp_path):
    run("faces", "extract", "-o", tmp_path / "keys", "--keyframes", media / "clip.mp4", code=0)
    assert [face["frame"] for face in faces_of(tmp_path / "keys")] == ["0", "25", "50"]
    arguments = ["--fps", 25, "--max-frames", 4]
    run("faces", "extract", "-o", tmp_path / "few", *arguments, media / "clip.mp4", code=0)
    assert len(faces_of(tmp_path / "few")) <= 4


# --- Bad and odd input ----------------------------------------------------------------------------


def test_bad_files_are_named_and_the_others_are_done(run, media, tmp_path):
    files = [media / "bad" / "text.mp4", PORTRAIT, media / "bad" / "missing.mp4"]
    done = run("faces", "extract", "-o", tmp_path / "set", *files, code=3)
    assert len(faces_of(tmp_path / "set")) == 1
    assert "text.mp4: " in done.stderr and "missing.mp4: no such file" in done.stderr
    assert done.stdout.endswith("  2 files failed\n")


def test_nothing_is_left_when_no_file_could_be_read(run, media, tmp_path):
    for name in ("set", "set.tar"):
        done = run("faces", "extract", "-o", tmp_path / name, media / "bad" / "text.mp4", code=3)
        assert "nothing was written" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["set", "set.tar"])
def test_media_without_faces_give_an_empty_set(run, media, tmp_path, name):
    done = run("faces", "extract", "-o", tmp_path / name, media / "no_face.mp4", code=0)
    assert "0 faces of 1 file\n" in done.stdout and "  all        no face\n" in done.stdout
    if name == "set":
        assert faces_of(tmp_path / "set") == []
    else:
        with tarfile.open(tmp_path / "set.tar") as tar:
            assert tar.getnames() == ["faces.csv", "sources.csv", "extract.json"]


def test_files_of_the_same_name_do_not_meet(run, media, tmp_path):
    for folder, name in (("a", "portrait.png"), ("b", "portrait.jpg")):
        (tmp_path / folder).mkdir()
        shutil.copy(media / name, tmp_path / folder / "face.png")
    run("faces", "extract", "-o", tmp_path / "set", tmp_path / "a", tmp_path / "b", code=0)
    assert len(faces_of(tmp_path / "set")) == 2


def test_same_content_counts_once(run, media, tmp_path):
    shutil.copy(PORTRAIT, tmp_path / "copy.png")
    done = run("faces", "extract", "-o", tmp_path / "set", PORTRAIT, tmp_path / "copy.png", code=0)
    assert [face["source"] for face in faces_of(tmp_path / "set")] == [str(PORTRAIT)]
    assert "1 file left out: the same content came before" in done.stdout


def test_same_content_with_two_labels_is_an_error(run, tmp_path):
    for label in ("real", "fake"):
        (tmp_path / label).mkdir()
        shutil.copy(PORTRAIT, tmp_path / label / "face.png")
    done = run("faces", "extract", "-o", tmp_path / "set", tmp_path / "fake", tmp_path / "real", code=3)
    assert "the same file is real here and fake elsewhere" in done.stderr
    assert [face["label"] for face in faces_of(tmp_path / "set")] == ["fake"]


def test_odd_names_survive_in_the_csv(run, tmp_path):
    name = 'a, "b"\n=c.png'
    shutil.copy(PORTRAIT, tmp_path / name)
    run("faces", "extract", "-o", tmp_path / "set", tmp_path / name, code=0)
    [face] = faces_of(tmp_path / "set")
    assert face["source"] == f'{tmp_path}/a, "b"\\n=c.png'


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["-o", "set"], "no file or folder given"),
        (["x.png"], "no output given"),
        (["-o", "set", "--resume", "--overwrite", "x.png"], "exclude each other"),
        (["-o", "set", "--margin", "0.3", "--like-training", "x.png"], "--margin"),
        (["-o", "set", "--split", "train=0.9,val=0.2", "x.png"], "add up to 1"),
        (["-o", "set", "--split", "real=1", "x.png"], "label"),
        (["-o", "set", "--group-by", "person", "x.png"], "source, folder, name"),
        (["-o", "set", "--label", "genuine", "x.png"], "real, fake"),
        (["-o", "set", "--skip", "ugly", "x.png"], "small, blurred"),
        (["-o", "set", "--size", "-1", "x.png"], "--size"),
        (["-o", "set", "--quality", "0", "x.png"], "--quality"),
        (["-o", "set", "--model", "nothing", "x.png"], "nothing"),
    ],
)
def test_wrong_usage_is_said_and_writes_nothing(run, tmp_path, arguments, words):
    shutil.copy(PORTRAIT, tmp_path / "x.png")
    done = run("faces", "extract", *arguments, cwd=tmp_path)
    assert done.returncode in (2, 3) and done.stdout == ""
    assert done.stderr.startswith("error: ") and words in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


def test_folder_of_other_files_is_never_touched(run, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine.txt").write_text("mine")
    for more in ([], ["--resume"], ["--overwrite"]):
        done = run("faces", "extract", "-o", tmp_path / "photos", *more, PORTRAIT, code=2)
        assert "holds files that are no set of faces" in done.stderr
    assert contents(tmp_path / "photos") == {"mine.txt": b"mine"}


def test_help_explains_itself(run):
    assert "extract" in run("faces", "--help", code=0).stdout
    text = run("faces", "extract", "--help", code=0).stdout
    for word in ("--like-training", "--max-per-track", "--group-by", "--resume", "docs/training.md"):
        assert word in text
    assert "'unmask faces' needs a command" in run("faces", code=2).stderr


# --- Stopping and going on ------------------------------------------------------------------------


def test_set_that_is_there_is_not_touched_unasked(run, labelled, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "set")
    done = run("faces", "extract", "-o", tmp_path / "set", labelled, code=2)
    assert "holds a complete set of faces" in done.stderr and "--resume" in done.stderr
    assert contents(tmp_path / "set") == contents(whole)


def test_resuming_skips_what_is_complete(run, labelled, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "set")
    done = run("faces", "extract", "-o", tmp_path / "set", "--resume", labelled, code=0)
    assert "  6 files had been done before\n" in done.stdout
    assert contents(tmp_path / "set") == contents(whole)


def test_killed_run_goes_on_to_the_same_set(run, labelled, whole, tmp_path):
    """The state of a run that was killed while it wrote the fourth source."""
    folder = tmp_path / "set"
    shutil.copytree(whole, folder)
    sources = (folder / "sources.csv").read_bytes().splitlines(keepends=True)
    (folder / "sources.csv").write_bytes(b"".join(sources[:4]) + sources[4][:20])
    rows = (folder / "faces.csv").read_bytes()
    (folder / "faces.csv").write_bytes(rows[:-100])
    done = run("faces", "extract", "-o", folder, "--resume", labelled, code=0)
    assert "  3 files had been done before\n" in done.stdout
    assert contents(folder) == contents(whole)


@pytest.mark.parametrize("name", ["set", "set.tar"])
def test_interrupted_run_goes_on_to_the_same_set(run, unmask, clean_environment, media, tmp_path, name):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(60):
        # Bytes behind the picture's end: other content, the same pixels.
        (folder / f"{number:02}.jpg").write_bytes((media / "portrait.jpg").read_bytes() + b"%d" % number)
    state = tmp_path / (name if name == "set" else "set.tar.part")
    command = [unmask, "faces", "extract", "-o", tmp_path / name, "--jobs", "1", folder]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=clean_environment
    )
    while process.poll() is None:  # until two sources are recorded
        if (state / "sources.csv").exists() and (state / "sources.csv").read_bytes().count(b"\n") > 2:
            process.send_signal(signal.SIGINT)
            break
    errors = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130, errors
    assert "interrupted: " in errors and "--resume" in errors
    assert not (tmp_path / "set.tar").exists()
    assert "not finished" in run("faces", "extract", "-o", tmp_path / name, folder, code=2).stderr
    run("faces", "extract", "-o", tmp_path / name, "--resume", folder, code=0)
    other = tmp_path / f"other-{name}"
    run("faces", "extract", "-o", other, folder, code=0)
    if name == "set":
        assert contents(tmp_path / "set") == contents(other)
    else:
        assert zlib.crc32((tmp_path / name).read_bytes()) == zlib.crc32(other.read_bytes())
        assert not state.exists()


def test_other_options_do_not_mix_into_a_set(run, labelled, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "set")
    done = run("faces", "extract", "-o", tmp_path / "set", "--resume", "--size", 112, labelled, code=2)
    assert "begun with size 224, now it is 112" in done.stderr
    assert contents(tmp_path / "set") == contents(whole)


def test_resuming_adds_new_files_and_ignores_the_set_itself(run, media, tmp_path):
    shutil.copy(PORTRAIT, tmp_path / "a.png")
    run("faces", "extract", "-o", tmp_path / "set", tmp_path, code=0)
    shutil.copy(media / "portrait.jpg", tmp_path / "b.jpg")
    done = run("faces", "extract", "-o", tmp_path / "set", "--resume", tmp_path, code=0)
    assert "2 faces of 2 files" in done.stdout and "1 file had been done before" in done.stdout


def test_overwriting_begins_again(run, media, tmp_path):
    run("faces", "extract", "-o", tmp_path / "set", media / "clip.mp4", code=0)
    run("faces", "extract", "-o", tmp_path / "set", "--overwrite", "--split", "x=1", PORTRAIT, code=0)
    assert [face["path"].split("/")[0] for face in faces_of(tmp_path / "set")] == ["x"]


def test_full_disk_is_an_error_that_can_be_resumed(unmask, clean_environment, labelled, tmp_path):
    """A limit on file size stands for a full disk."""
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$0" "$@"', unmask, "faces", "extract"]
        + ["--cache", "", "-o", tmp_path / "set", labelled],
        capture_output=True,
        encoding="utf-8",
        env=clean_environment,
        timeout=120,
    )
    assert done.returncode == 3 and done.stdout == ""
    assert "File too large" in done.stderr
