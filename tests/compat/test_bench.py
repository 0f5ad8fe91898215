# SPDX-License-Identifier: Apache-2.0
"""tools/bench_compat.py works and reports all that it promises. Its figures are nobody's concern here."""

import json
import subprocess
import sys

from making import ROOT

CONTRACTS = ["microservice-v1", "microservice-v2", "web-upload", "mesonet-api", "predict-api"]


def test_it_reports_everything_and_misses_no_heartbeat(unmask, media, tmp_path, clean_environment):
    report = tmp_path / "report.json"
    tiny = ["--clients", "1,3", "--seconds", "0", "--idle", "20", "--heartbeats", "1", "--upload-mb", "3"]
    command = [
        ROOT / "tools" / "bench_compat.py",
        unmask,
        "--clip",
        media / "clip.mp4",
        "--json",
        report,
        *tiny,
    ]
    done = subprocess.run(
        [sys.executable, *command, "--upload-seconds", "2"],
        capture_output=True,
        text=True,
        timeout=300,
        env=clean_environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(report.read_text())
    cells = [(row["contract"], row["clients"]) for row in found["rows"]]
    assert cells == [(name, count) for name in CONTRACTS for count in (1, 3)]
    for row in found["rows"]:
        assert row["requests"] == row["clients"] and row["failed"] == 0
        assert row["per_second"] > 0 and 0 < row["p50"] <= row["p99"]
        assert row["cpu_seconds"] > 0 and row["original"]
        assert row["contract"] in done.stdout
    beats = found["heartbeats"]
    assert beats["clients"] == 20 and beats["count"] >= 20 and beats["missed"] == 0
    assert beats["p50_late"] <= beats["p99_late"] <= beats["max_late"]
    assert found["upload"]["sent_mb"] > 0 and found["upload"]["error"] is None
    assert found["machine"] and found["date"] and found["clip"] == "clip.mp4"
