# SPDX-License-Identifier: Apache-2.0
"""`unmask scan`: what it accepts, refuses, prints, and returns."""

import csv
import fcntl
import hashlib
import io
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import termios
from html.parser import HTMLParser

import pytest
from making import ROOT

VERDICTS = {"manipulated", "no_manipulation_found", "inconclusive"}
KEYS = [
    "schema",
    "media",
    "verdict",
    "score",
    "logit",
    "reasons",
    "thresholds",
    "tracks",
    "limits",
    "stability",
    "sampling",
    "model",
    "software",
    "options",
    "timing_ms",
]


def scan_json(run, *arguments, code=0, **more):
    """The array that --format json prints."""
    return json.loads(run("scan", "--format", "json", *arguments, code=code, **more).stdout)


def report_of(run, file, *arguments):
    [report] = scan_json(run, *arguments, file)
    assert "error" not in report, report
    return report


def without_times(reports):
    return [{key: value for key, value in report.items() if key != "timing_ms"} for report in reports]


@pytest.fixture(scope="module")
def reports(unmask, clean_environment, media):
    """The reports of all good media, by file name, with faces: one run for many tests."""
    done = subprocess.run(
        [unmask, "scan", "--format", "json", "--faces", *sorted(p for p in media.iterdir() if p.is_file())],
        capture_output=True,
        encoding="utf-8",
        env=clean_environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return {os.path.basename(report["media"]["name"]): report for report in json.loads(done.stdout)}


# --- What a report says ---------------------------------------------------------------------------


def test_report_has_the_fields_of_the_interface_in_their_order(run, media):
    report = report_of(run, media / "clip.mp4")
    assert list(report) == KEYS
    assert report["schema"] == "unmask.report/1"
    assert report["media"] | {"sha256": "", "bytes": 0, "fps": 0, "name": ""} == {
        "name": "",
        "sha256": "",
        "bytes": 0,
        "kind": "video",
        "container": "mp4",
        "codec": "h264",
        "width": 512,
        "height": 512,
        "duration": 3.0,
        "fps": 0,
        "frames": 75,
    }
    assert report["media"]["bytes"] == (media / "clip.mp4").stat().st_size
    assert report["media"]["fps"] == pytest.approx(25)
    assert report["verdict"] in VERDICTS
    assert report["options"]["fps"] == 2.0 and report["options"]["max_frames"] == 256
    assert report["model"]["name"] == "face"


def test_sha256_is_that_of_the_file(reports, media):
    assert (
        reports["portrait.png"]["media"]["sha256"]
        == hashlib.sha256((media / "portrait.png").read_bytes()).hexdigest()
    )


@pytest.mark.parametrize(
    "name",
    [
        "portrait.png",
        "portrait.jpg",
        "portrait.webp",
        "portrait.bmp",
        "portrait.heic",
        "portrait.avif",
    ],
)
def test_still_has_one_face_where_the_face_is(reports, name):
    report = reports[name]
    assert report["media"]["kind"] == "image"
    assert report["media"]["duration"] is None
    [face] = report["faces"]
    x, y, width, height = face["box"]
    assert x > 150 and x + width < 300 and y > 40 and y + height < 215
    assert len(report["tracks"]) == 1


@pytest.mark.parametrize(
    "name, codec",
    [
        ("clip.mp4", "h264"),
        ("clip.mov", "h264"),
        ("clip.mkv", "h264"),
        ("vp9.webm", "vp9"),
        ("vp8.webm", "vp8"),
        ("mpeg4.avi", "mpeg4"),
        ("mjpeg.avi", "mjpeg"),
        ("ten_bit.mp4", "h264"),
        ("hevc.mp4", "hevc"),
        ("odd.mp4", "h264"),
    ],
)
def test_every_kind_of_video_gives_one_track(reports, name, codec):
    report = reports[name]
    assert report["media"]["codec"] == codec
    assert report["sampling"]["frames_analysed"] >= 2
    assert len(report["tracks"]) == 1
    assert report["tracks"][0]["start"] == 0.0


@pytest.mark.parametrize(
    ("name", "container", "codec"), [("portrait.heic", "heif", "hevc"), ("portrait.avif", "avif", "av1")]
)
def test_a_phones_picture_is_named_and_judged_as_its_original(reports, name, container, codec):
    report, original = reports[name], reports["portrait.png"]
    assert (report["media"]["container"], report["media"]["codec"]) == (container, codec)
    assert (report["media"]["width"], report["media"]["height"]) == (512, 512)
    assert report["verdict"] == original["verdict"]
    assert abs(report["score"] - original["score"]) < 0.1


def test_folders_of_a_phones_pictures_are_walked(run, media, tmp_path):
    folder = tmp_path / "real"
    folder.mkdir()
    shutil.copy(media / "portrait.heic", folder / "IMG_0001.HEIC")
    shutil.copy(media / "portrait.avif", folder / "b.avif")
    scanned = json.loads(run("scan", "--format", "json", tmp_path, code=0).stdout)
    assert [report["media"]["container"] for report in scanned] == ["heif", "avif"]
    run("faces", "extract", tmp_path, "-o", tmp_path / "set", code=0)
    assert len((tmp_path / "set" / "faces.csv").read_text().splitlines()) == 3
    evaluated = run("evaluate", folder, "--label", "real", code=0).stdout
    assert re.search(r"^ *real +2 .* 0$", evaluated, re.MULTILINE), evaluated


def test_gif_is_accepted(reports):
    assert reports["portrait.gif"]["sampling"]["faces_found"] >= 1


def test_two_people_get_a_track_each(reports):
    assert [track["id"] for track in reports["two_people.mp4"]["tracks"]] == [1, 2]


def test_no_face_is_inconclusive_and_never_a_number(reports):
    report = reports["no_face.mp4"]
    assert report["verdict"] == "inconclusive"
    assert report["reasons"] == ["no_face"]
    assert report["score"] is None and report["logit"] is None
    assert report["tracks"] == []


def test_same_file_and_options_give_the_same_report(run, media):
    files = [media / "clip.mp4", media / "portrait.png", media / "two_people.mp4"]
    first = scan_json(run, "--faces", *files)
    assert without_times(first) == without_times(scan_json(run, "--faces", *files))
    assert without_times(first) == without_times(scan_json(run, "--faces", "--jobs", 1, *files))


# --- Sampling -------------------------------------------------------------------------------------


def test_fps_sets_how_many_frames_are_looked_at(run, media):
    few = report_of(run, media / "clip.mp4", "--fps", 1)["sampling"]
    many = report_of(run, media / "clip.mp4", "--fps", 10)["sampling"]
    assert few["frames_analysed"] == 3
    assert many["frames_analysed"] > 3 * few["frames_analysed"]


def test_max_frames_spreads_over_the_whole_clip(run, media):
    report = report_of(run, media / "clip.mp4", "--fps", 25, "--max-frames", 4, "--faces")
    assert report["sampling"]["frames_analysed"] <= 4
    assert report["sampling"]["fps"] < 25
    assert report["faces"][-1]["time"] > 1.5


def test_keyframes_looks_at_key_frames_only(run, media):
    report = report_of(run, media / "clip.mp4", "--keyframes")
    assert report["sampling"]["mode"] == "keyframes"
    assert report["sampling"]["frames_analysed"] == 3  # one a second


# --- Bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, codes",
    [
        ("empty.mp4", {"undecodable"}),
        ("text.mp4", {"unsupported_media"}),
        ("noise.mp4", {"unsupported_media", "undecodable"}),
        ("truncated.mp4", {"undecodable"}),
        ("huge.png", {"limit_exceeded"}),
        ("audio_only.mp4", {"undecodable", "unsupported_media"}),
        ("zero_frames.avi", {"undecodable"}),
        ("missing.mp4", {"not_found"}),
    ],
)
def test_bad_file_is_its_own_error_and_the_others_are_analysed(run, media, name, codes):
    done = run("scan", "--format", "jsonl", media / "bad" / name, media / "portrait.png", code=3)
    failed, good = map(json.loads, done.stdout.splitlines())
    assert failed["error"]["code"] in codes
    assert failed["error"]["message"]
    assert failed["media"] == {"name": str(media / "bad" / name)}
    assert good["verdict"] in VERDICTS
    assert f"error: {media / 'bad' / name}: " in done.stderr


def test_huge_header_names_the_limit(run, media):
    [failed] = scan_json(run, media / "bad" / "huge.png", code=3)
    assert failed["error"]["limit"]


def test_renamed_file_is_taken_for_what_it_is(run, media, tmp_path):
    shutil.copy(media / "portrait.png", tmp_path / "portrait.mp4")
    assert report_of(run, tmp_path / "portrait.mp4")["media"]["kind"] == "image"


def test_folder_without_media_is_an_error(run, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here")
    [failed] = scan_json(run, tmp_path, code=3)
    assert failed["error"]["code"] == "not_found"


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_unreadable_file_is_an_error(run, media, tmp_path):
    shutil.copy(media / "portrait.png", tmp_path / "secret.png")
    (tmp_path / "secret.png").chmod(0)
    [failed] = scan_json(run, tmp_path / "secret.png", code=3)
    assert failed["error"]["code"] == "unreadable"


def test_pipe_is_an_error_and_does_not_hang(run, tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    [failed] = scan_json(run, tmp_path / "pipe.mp4", code=3, timeout=30)
    assert failed["error"]["code"] == "unreadable"


def test_many_bad_files_are_as_many_errors(run, media):
    reports = scan_json(run, media / "bad", code=3)
    assert len(reports) == len(list((media / "bad").iterdir()))
    assert all("error" in report for report in reports)


def test_hostile_names_do_no_harm(run, media, tmp_path):
    name = "\x1b[31m\n<script>alert('1')</script>,\"=1+1.png"
    name = name.replace("/", "\u2215")
    shutil.copy(media / "portrait.png", tmp_path / name)
    for kind in ("table", "csv", "html"):
        done = run("scan", "--format", kind, name, cwd=tmp_path, code=0)
        assert "\x1b" not in done.stdout + done.stderr
        assert "<script" not in done.stdout or kind != "html"
    [report] = scan_json(run, name, cwd=tmp_path)
    assert report["media"]["name"] == name


# --- Usage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["scam"],
        ["scan"],
        ["scan", "-"],
        ["scan", "--nonsense", "x"],
        ["scan", "--fps", "fast", "x"],
        ["scan", "--fps", "0", "x"],
        ["scan", "--fps"],
        ["scan", "--max-frames", "1000000", "x"],
        ["scan", "--jobs", "0", "x"],
        ["scan", "--format", "pdf", "x"],
        ["scan", "--fail-on", "never", "x"],
        ["scan", "--output", "/no/such/folder/out.json", "x"],
        ["scan", "--overlay", "/proc/no", "x"],
        ["scan", "--config", "/no/such/file", "x"],
        ["model"],
        ["model", "show"],
        ["doctor", "extra"],
        ["serve", "--max-upload", "lots"],
        ["--log-level", "loud", "doctor"],
    ],
)
def test_wrong_usage_is_two_lines_and_exit_code_2(run, arguments):
    done = run(*arguments, code=2)
    assert done.stdout == ""
    error, hint = done.stderr.splitlines()
    assert error.startswith("error: ") and hint.startswith("hint: ")


def test_help_and_version(run):
    assert run("--version", code=0).stdout.startswith("unmask ")
    for command in ([], ["scan"], ["serve"], ["doctor"], ["model"], ["model", "show"]):
        assert "Usage: unmask" in run(*command, "--help", code=0).stdout


def test_environment_and_config_file_set_options(run, media, tmp_path):
    config = tmp_path / "unmask.toml"
    config.write_text("max-frames = 2\n[scan]\nfps = 5\n")
    options = report_of(run, media / "clip.mp4", "--config", config)["options"]
    assert (options["fps"], options["max_frames"]) == (5.0, 2)
    [report] = scan_json(run, "--config", config, media / "clip.mp4", env={"UNMASK_FPS": "4"})
    assert (report["options"]["fps"], report["options"]["max_frames"]) == (4.0, 2)
    [report] = scan_json(run, "--config", config, "--fps", 3, media / "clip.mp4", env={"UNMASK_FPS": "4"})
    assert report["options"]["fps"] == 3.0


def test_unknown_model_and_device_are_named(run, media):
    assert "nosuch" in run("scan", "--model", "nosuch", media / "portrait.png", code=3).stderr
    refused = run("scan", "--device", "NOSUCH", media / "portrait.png", code=3).stderr
    assert re.match(r"error: no device 'NOSUCH' to compute on \(there is: .*CPU.*\)", refused)


# --- Exit codes -----------------------------------------------------------------------------------


def test_fail_on_matches_its_verdict_only(run, media):
    run("scan", "--fail-on", "inconclusive", media / "no_face.mp4", code=1)
    run("scan", "--fail-on", "manipulated", media / "no_face.mp4", code=0)
    run("scan", "--fail-on", "manipulated", "--fail-on", "inconclusive", media / "no_face.mp4", code=1)


def test_fail_on_goes_before_failed_files(run, media):
    run("scan", "--fail-on", "inconclusive", media / "no_face.mp4", media / "bad" / "empty.mp4", code=1)
    run("scan", "--fail-on", "manipulated", media / "no_face.mp4", media / "bad" / "empty.mp4", code=3)


# --- Formats --------------------------------------------------------------------------------------


def test_results_keep_the_order_of_the_input(run, media):
    names = ["two_people.mp4", "portrait.png", "no_face.mp4", "portrait.jpg", "clip.mp4"]
    reports = scan_json(run, "--jobs", 4, *[media / name for name in names])
    assert [report["media"]["name"] for report in reports] == [str(media / name) for name in names]


def test_jsonl_is_the_default_elsewhere_than_on_a_terminal(run, media):
    lines = run("scan", media / "portrait.png", media / "portrait.jpg", code=0).stdout.splitlines()
    assert [json.loads(line)["media"]["kind"] for line in lines] == ["image", "image"]


def test_faces_only_on_request(run, media):
    assert "faces" not in report_of(run, media / "clip.mp4")
    report = report_of(run, media / "clip.mp4", "--faces")
    assert len(report["faces"]) == report["sampling"]["faces_found"]
    assert list(report["faces"][0])[:4] == ["track", "frame", "time", "box"]
    assert list(report["faces"][0])[4:] == ["score", "logit", "detector_score", "quality", "used"]
    assert list(report)[7:9] == ["tracks", "faces"]


def test_a_report_quotes_the_limits_that_touch_it(run, media, tmp_path):
    models = tmp_path / "models"
    shutil.copytree(ROOT / "models" / "face" / "1", models / "face" / "1")
    card = json.loads((models / "face" / "1" / "model.json").read_text())
    card["limits"] = ["always", {"text": "lips", "when": ["video", "not_manipulated"]}]
    card["limits"] += [{"text": "never", "when": ["card"]}]
    (models / "face" / "1" / "model.json").write_text(json.dumps(card))
    still, clip, nobody = (
        report_of(run, media / name, "--models", models)
        for name in ("portrait.png", "clip.mp4", "no_face.mp4")
    )
    assert still["limits"][0] == "always" and clip["limits"][:2] == ["always", "lips"]
    assert any("one look" in limit for limit in still["limits"])
    assert not any("one look" in limit for limit in clip["limits"])
    assert any("pixels wide" in limit for limit in still["limits"])  # the astronaut's face has about 100
    assert "lips" not in still["limits"] and "never" not in clip["limits"]
    assert nobody["limits"] == []


def test_csv_has_one_line_for_each_report(run, media):
    done = run(
        "scan", "--format", "csv", media / "clip.mp4", media / "bad" / "empty.mp4", media / "portrait.png"
    )
    rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
    assert [row["name"] for row in rows] == [str(media / "clip.mp4"), str(media / "portrait.png")]
    assert all(row["verdict"] in VERDICTS and None not in row for row in rows)
    assert rows[0]["width"] == "512" and rows[1]["duration"] == ""
    assert "empty.mp4" in done.stderr


def test_csv_defuses_formulas(run, media, tmp_path):
    shutil.copy(media / "portrait.png", tmp_path / "=1+1.png")
    done = run("scan", "--format", "csv", "=1+1.png", cwd=tmp_path, code=0)
    [row] = csv.DictReader(io.StringIO(done.stdout, newline=""))
    assert row["name"] == "'=1+1.png"


def test_table_has_a_line_for_each_file_and_track(run, media):
    lines = run(
        "scan", "--format", "table", media / "clip.mp4", media / "no_face.mp4", code=0
    ).stdout.splitlines()
    assert lines[0].split() == ["FILE", "VERDICT", "SCORE", "DETAILS"]
    assert "clip.mp4" in lines[1] and "6 frames analysed" in lines[1]
    assert sum("face 1:" in line for line in lines) == 1
    assert any("no face found" in line for line in lines)
    assert lines[-1].startswith("2 files: ")
    assert all(len(line) <= 120 for line in lines)


class Page(HTMLParser):
    """Collects what the tests ask for and checks that tags are balanced."""

    VOID = {"meta", "img", "link", "br", "hr", "input"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_html_is_one_page_that_loads_nothing(run, media):
    done = run(
        "scan", "--format", "html", media / "clip.mp4", media / "portrait.png", media / "bad" / "empty.mp4"
    )
    assert done.returncode == 3
    page = Page(done.stdout)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "base", "form"}
    policy = next(a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    for _, attributes in page.tags:
        assert "style" not in attributes and not any(name.startswith("on") for name in attributes)
        assert attributes.get("src", "data:image/jpeg;base64,").startswith("data:image/jpeg;base64,")
        assert attributes.get("href", "#").startswith("#")
    assert sum(tag == "img" for tag, _ in page.tags) == 2
    assert "Not analysed" in page.text and "How to read this" in page.text
    assert report_of(run, media / "clip.mp4")["media"]["sha256"] in page.text


def test_output_is_written_whole_and_nothing_goes_to_standard_output(run, media, tmp_path):
    target = tmp_path / "out.json"
    target.write_text("old")
    done = run("scan", "--format", "json", "--output", target, media / "portrait.png", code=0)
    assert done.stdout == ""
    assert json.loads(target.read_text())[0]["verdict"] in VERDICTS
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_table_in_a_file_has_no_colours(run, media, tmp_path):
    run("scan", "--format", "table", "-o", tmp_path / "t.txt", media / "portrait.png", code=0)
    assert "\x1b" not in (tmp_path / "t.txt").read_text()


# --- Folders --------------------------------------------------------------------------------------


def test_folders_are_scanned_in_depth_sorted_and_without_loops(run, media, tmp_path):
    (tmp_path / "b" / "c").mkdir(parents=True)
    for name in ("b/z.png", "b/c/y.png", "a.png", ".hidden.png"):
        shutil.copy(media / "portrait.png", tmp_path / name)
    (tmp_path / "notes.txt").write_text("no media")
    (tmp_path / "b" / "loop").symlink_to(tmp_path, target_is_directory=True)
    done = run("scan", "--format", "json", tmp_path, code=0)
    names = [report["media"]["name"] for report in json.loads(done.stdout)]
    assert names == [str(tmp_path / name) for name in ("a.png", "b/c/y.png", "b/z.png")]
    assert "skipped 1 file" in done.stderr and "1 hidden" in done.stderr


# --- Overlays -------------------------------------------------------------------------------------


def test_overlay_writes_a_picture_for_a_still_and_for_each_track(run, media, tmp_path):
    overlays = tmp_path / "new" / "overlays"
    run("scan", "--overlay", overlays, media / "portrait.png", media / "two_people.mp4", code=0)
    names = sorted(path.name for path in overlays.iterdir())
    assert names == ["portrait.png.faces.jpg", "two_people.mp4.track1.jpg", "two_people.mp4.track2.jpg"]
    assert all((overlays / name).read_bytes().startswith(b"\xff\xd8\xff") for name in names)


def test_overlays_of_files_with_the_same_name_do_not_meet(run, media, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(media / "portrait.png", tmp_path / folder / "same.png")
    run("scan", "--overlay", tmp_path / "out", tmp_path / "a", tmp_path / "b", code=0)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "same.png-2.faces.jpg",
        "same.png.faces.jpg",
    ]


def test_overlay_changes_nothing_in_the_report(run, media, tmp_path):
    plain = scan_json(run, media / "clip.mp4")
    assert without_times(plain) == without_times(
        scan_json(run, "--overlay", tmp_path / "o", media / "clip.mp4")
    )


# --- Terminals and signals ------------------------------------------------------------------------


def run_on_terminal(unmask, arguments, env, streams, columns=100):
    """Runs the program with the named streams on one terminal; returns what that got, and the exit code."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    other = {name: subprocess.DEVNULL for name in ("stdout", "stderr") if name not in streams}
    process = subprocess.Popen(
        [unmask, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        env=env | {"TERM": "xterm"},
        **dict.fromkeys(streams, terminal),
        **other,
    )
    os.close(terminal)
    output = b""
    while True:
        try:
            piece = os.read(controller, 65536)
        except OSError:  # EIO: the program has closed the terminal
            break
        if not piece:
            break
        output += piece
    os.close(controller)
    return output.decode(), process.wait(timeout=60)


def test_progress_bar_on_a_terminal_only(unmask, clean_environment, run, media):
    files = [media / "clip.mp4", media / "portrait.png"]
    shown, code = run_on_terminal(unmask, ["scan", *files], clean_environment, ["stderr"])
    assert code == 0
    assert "of 2 files" in shown and "%" in shown and "\r" in shown
    assert shown.endswith("\r\x1b[K")  # nothing stays behind
    assert run("scan", *files, code=0).stderr == ""


def test_table_with_colours_on_a_terminal_only(unmask, clean_environment, media):
    arguments = ["scan", media / "portrait.png"]
    shown, _ = run_on_terminal(unmask, arguments, clean_environment, ["stdout"])
    assert "VERDICT" in shown and "\x1b[1m" in shown
    plain, _ = run_on_terminal(unmask, arguments, clean_environment | {"NO_COLOR": "1"}, ["stdout"])
    assert "VERDICT" in plain and "\x1b[1m" not in plain


@pytest.mark.parametrize("columns", [50, 90, 200])
def test_table_fits_its_terminal(unmask, clean_environment, media, columns):
    env = clean_environment | {"NO_COLOR": "1"}
    shown, _ = run_on_terminal(unmask, ["scan", media / "clip.mp4"], env, ["stdout"], columns)
    assert all(len(line) <= columns for line in shown.splitlines())


def many_copies(media, folder, count=60):
    for number in range(count):
        os.link(media / "clip.mp4", folder / f"{number:03}.mp4")


def test_interrupt_prints_what_is_done(unmask, clean_environment, media, tmp_path):
    many_copies(media, tmp_path)
    with subprocess.Popen(
        [unmask, "scan", "--jobs", "1", "--format", "json", tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # communicate() knows nothing of what a buffer holds
        env=clean_environment,
    ) as process:
        first = process.stdout.readline() + process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    reports = json.loads(first + rest)
    assert 1 <= len(reports) < 60 and all("verdict" in report for report in reports)
    assert b"interrupted: " in errors


@pytest.mark.parametrize("target", ["/dev/full", "&-"])
def test_output_that_cannot_be_written_is_an_error(unmask, clean_environment, media, target):
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" scan "$1" >{target}', unmask, media / "portrait.png"],
        capture_output=True,
        text=True,
        env=clean_environment,
        timeout=60,
    )
    assert done.returncode == 3
    assert done.stderr.startswith("error: cannot write to standard output: ")


def test_reader_that_goes_away_ends_the_run(unmask, clean_environment, media, tmp_path):
    many_copies(media, tmp_path)
    with subprocess.Popen(
        [unmask, "scan", "--jobs", "1", "--format", "jsonl", tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment,
    ) as process:
        assert json.loads(process.stdout.readline())
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait(timeout=60) == 128 + signal.SIGPIPE
    assert errors == ""
