#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures whole scans beside plain decoding, in one run, so that the ratios hold on any machine.

For each clip: CPU seconds of `ffmpeg -threads 1` decoding it, of `unmask scan`, the wall clock of the scan's
stages, and the peak memory of the scan with its decoder. Then the start-up: a scan of one still, and what one
more still costs. Every figure is the median of --runs runs; the two programs take turns, so that a busy
moment meets both.

    tools/bench.py build/release/unmask [CLIP...]

Default clips: ../shared/samples and a clip of 60 s made from them.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from machine import processor, tree

ROOT = Path(__file__).resolve().parent.parent


def resident(pid):
    """Proportional resident memory in bytes, so that memory shared by scan and decoder counts once."""
    total = 0
    for process in tree(pid):
        try:
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        except OSError:
            pass
    return total


def run(command, memory=False):
    """Runs a command: (CPU seconds with all waited-for children, peak bytes or 0, standard output)."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    peak = 0
    done = threading.Event()

    def watch():
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, resident(process.pid))

    watcher = threading.Thread(target=watch) if memory else None
    if watcher:
        watcher.start()
    errors = []
    drain = threading.Thread(target=lambda: errors.append(process.stderr.read()))
    drain.start()
    output = process.stdout.read()
    drain.join()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    done.set()
    if watcher:
        watcher.join()
    if process.returncode != 0:
        sys.exit(
            f"error: {' '.join(map(str, command))} ended with {process.returncode}:\n{errors[0].decode()}"
        )
    return usage.ru_utime + usage.ru_stime, peak, output


def minute_clip(samples, folder):
    """60 s at 1280x720, 25 frames a second, made of the sample clips in turn."""
    target = folder / "minute.mp4"
    listing = folder / "list.txt"
    parts = []
    for index, sample in enumerate(samples):
        part = folder / f"part{index}.mp4"
        fit = "scale=1280:720:force_original_aspect_ratio=decrease,pad=1280:720:-1:-1,fps=25,format=yuv420p"
        encode = ["-c:v", "libx264", "-crf", "21", "-preset", "medium"]
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-i", sample, "-an", "-vf", fit, *encode, part], check=True
        )
        parts.append(part)
    listing.write_text("".join(f"file '{part}'\n" for part in parts * 10))
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "concat", "-safe", "0", "-i", listing]
        + ["-t", "60", "-c", "copy", target],
        check=True,
    )
    return target


def bench_clip(unmask, clip, runs):
    decode, scan, peak, timing = [], [], 0, {}
    for _ in range(runs):
        decode.append(
            run(["ffmpeg", "-v", "error", "-threads", "1", "-i", clip, "-map", "0:v", "-f", "null", "-"])[0]
        )
        seconds, memory, output = run([unmask, "scan", "--format", "json", clip], memory=True)
        scan.append(seconds)
        peak = max(peak, memory)
        timing = json.loads(output)[0]["timing_ms"]
    plain, whole = statistics.median(decode), statistics.median(scan)
    stages = " ".join(f"{stage} {timing[stage]:.0f}" for stage in ("decode", "find", "score", "total"))
    print(
        f"| {clip.name} | {plain:.2f} | {whole:.2f} | {whole / plain:.2f} | {stages} | {peak / 2**20:.0f} |",
        flush=True,
    )
    return whole / plain


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("unmask", type=Path)
    parser.add_argument("clips", type=Path, nargs="*")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_intermixed_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = arguments.clips
        if not clips:
            clips = sorted((ROOT.parent / "shared" / "samples").rglob("*.mp4"))
            if not clips:
                sys.exit("error: no clips at ../shared/samples\nhint: name some on the command line")
            clips.append(minute_clip(clips, folder))
        print(f"{processor()}, {os.cpu_count()} cores, median of {arguments.runs} runs\n")
        print("| clip | decoding alone, CPU s | scan, CPU s | ratio | stages, wall ms | peak MiB |")
        print("|---|---|---|---|---|---|")
        ratios = [bench_clip(arguments.unmask, clip, arguments.runs) for clip in clips]

        still = folder / "still.png"
        shutil.copy(ROOT / "third_party" / "test_media" / "astronaut.png", still)
        copies = folder / "stills"
        copies.mkdir()
        for index in range(21):
            shutil.copy(still, copies / f"{index}.png")
        one = statistics.median(run([arguments.unmask, "scan", still])[0] for _ in range(arguments.runs))
        many = statistics.median(run([arguments.unmask, "scan", copies])[0] for _ in range(arguments.runs))
        print(f"\nfrom start to the first verdict on a still: {one:.2f} CPU s")
        print(f"each further 512x512 still: {(many - one) / 20 * 1000:.0f} CPU ms")
        print(f"worst ratio of scan to decoding: {max(ratios):.2f}")


if __name__ == "__main__":
    main()
