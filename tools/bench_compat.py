#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the contracts of `unmask serve` under load, as their clients see them.

For each contract and each number of clients: requests a second, the median and the 99th percentile of the
time to an answer, and CPU seconds a request of the server with its decoders, beside what the original spends.
All the while a client uploads --upload-mb over and over, slowly, and --idle Socket.IO clients wait; it is
measured how late their heartbeats come. The clients run on the same machine and take part of it.

    .venv/bin/python tools/bench_compat.py build/release/unmask [--clip FILE.mp4] [--json FILE]

Needs websockets, which the environment of the tests has. Default clip: one of ../shared/samples, else one
that is made with ffmpeg from the test portrait; 13.5 s of 1280x720 both.
"""

import argparse
import asyncio
import datetime
import http.client
import itertools
import json
import multiprocessing
import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from machine import cpu_seconds, processor

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT.parent / "shared" / "samples" / "real" / "ffpp_634.mp4"
PORTRAIT = ROOT / "third_party" / "test_media" / "astronaut.png"
BOUNDARY = "bench-compat"
PIECE = 64 * 1024
PING_INTERVAL, PING_TIMEOUT = 25.0, 20.0  # of mesonet-api

# name, path, field, whether it takes the clip (else the picture), what the original spends: CPU seconds of
# one request for a clip of 13.5 s (a picture) of 1280x720.
CONTRACTS = [
    ("microservice-v1", "/detect_deepfake_image", "image", False, "3.4"),
    ("microservice-v2", "/detect_deepfake_video", "video", True, "11.1"),
    ("web-upload", "/upload", "file", False, "0.16 to 0.20"),
    ("mesonet-api", "/upload", "file", True, "25.5"),
    ("predict-api", "/predict", "file", True, "17 to 20"),
]


def percentile(values, share):
    """The value below or at which `share` of all lie; None of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


# ---- the server ----


class Server:
    def __init__(self, binary, data):
        listeners = [w for name, *_ in CONTRACTS for w in ("--contract", f"{name}=127.0.0.1:0")]
        flags = [
            "--listen",
            "127.0.0.1:0",
            "--data",
            data,
            "--trusted-proxy",
            "127.0.0.1",
            "--max-connections",
            "4096",
        ]
        self.log = data.with_suffix(".log")
        with open(self.log, "w") as errors:
            command = [binary, "serve", *flags, *listeners]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        self.ports = {}
        for _ in range(len(CONTRACTS) + 1):
            line = self.process.stdout.readline()
            found = re.fullmatch(r"(\S+) is listening on http://127\.0\.0\.1:(\d+)\n", line)
            if not found:
                sys.exit(f"error: the server did not start: {line}{self.log.read_text()}")
            self.ports[found[1]] = int(found[2])

    def cpu(self):
        """Seconds of user and system time of the server and of all that it has started."""
        return cpu_seconds(self.process.pid)

    def stop(self):
        self.process.terminate()
        if self.process.wait(60) != 0:
            sys.exit(f"error: the server ended badly:\n{self.log.read_text()}")


# ---- clients ----


def part_head(field, filename, kind):
    disposition = f'form-data; name="{field}"; filename="{filename}"'
    return f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\nContent-Type: {kind}\r\n\r\n".encode()


END = f"\r\n--{BOUNDARY}--\r\n".encode()


counter = itertools.count()


def address():
    """Another one for each call."""
    n = next(counter)
    return f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"


def clients(port, path, body, count, seconds):
    """`count` clients that ask again and again: (times of all answers, failures, wall seconds)."""
    times, failures = [], []
    began = time.monotonic()

    def work():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        while True:
            headers = {
                "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
                "X-Forwarded-For": address(),  # web-upload allows one address 5 a minute
            }
            before = time.monotonic()
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            times.append(time.monotonic() - before)
            if answer.status != 200:
                failures.append(answer.status)
            if time.monotonic() - began > seconds:
                return

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, failures, time.monotonic() - began


class Upload:
    """One client that sends a large body at a steady pace, again and again."""

    def __init__(self, port, size, seconds):
        self.port, self.size, self.pause = port, size, seconds / max(1, size // PIECE)
        self.sent, self.finished, self.error = 0, 0, None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        head = part_head("file", "large.mp4", "video/mp4")
        piece = os.urandom(PIECE)
        try:
            while not self.ended.is_set():
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
                connection.putrequest("POST", "/upload")
                connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
                connection.putheader("Content-Length", str(len(head) + self.size + len(END)))
                connection.endheaders(head)
                for begin in range(0, self.size, PIECE):
                    connection.send(piece[: self.size - begin])
                    self.sent += min(PIECE, self.size - begin)
                    if self.ended.wait(self.pause):
                        return connection.close()
                connection.send(END)
                connection.getresponse().read()
                connection.close()
                self.finished += 1
        except OSError as error:
            self.error = str(error)

    def stop(self):
        self.ended.set()
        self.thread.join()


def idle_clients(port, count, wanted, ready, loads_over, result):
    """Socket.IO clients that only answer heartbeats, in a process of their own, until the loads are over and
    each has had `wanted` of them. Reports how many seconds late each came."""
    from websockets.asyncio.client import connect

    late, lost = [], []

    async def wait_for_all(tasks, counts):
        while not loads_over.is_set() or min(counts) < wanted:
            if all(task.done() for task in tasks):
                return
            await asyncio.sleep(0.2)

    async def client(index, counts, connected):
        url = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
        async with connect(url, ping_interval=None, compression=None, open_timeout=60) as socket:
            await socket.recv()
            await socket.send("40")
            due = time.monotonic() + PING_INTERVAL
            connected.append(index)
            try:
                while True:
                    message = await socket.recv()
                    if message == "2":
                        late.append(time.monotonic() - due)
                        await socket.send("3")
                        due = time.monotonic() + PING_INTERVAL
                        counts[index] += 1
            except Exception as error:  # the server has closed it
                lost.append(f"{type(error).__name__}: {error}")
                counts[index] = wanted

    async def main():
        counts, connected = [0] * count, []
        tasks = [asyncio.create_task(client(i, counts, connected)) for i in range(count)]
        while len(connected) < count and not any(task.done() for task in tasks):
            await asyncio.sleep(0.05)
        ready.set()
        await wait_for_all(tasks, counts)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        failed = [str(error) for error in ended if isinstance(error, Exception)]
        return len(connected), failed

    connected, failed = asyncio.run(main())
    result.put({"connected": connected, "late": late, "lost": lost + failed})


# ---- media ----


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def make_clip(file):
    zoom = "scale=1440:1440,zoompan=z='1+0.2*on/340':d=1:s=1280x720:fps=25"
    ffmpeg("-loop", 1, "-i", PORTRAIT, "-vf", zoom, "-t", 13.5, "-c:v", "libx264", "-preset", "veryfast",
           "-pix_fmt", "yuv420p", file)  # fmt: skip


# ---- report ----


def number(value, digits=3):
    return "-" if value is None else f"{value:.{digits}f}"


def print_table(report):
    print(f"\n{report['date']}, {report['cpus']} cores of {report['machine']}, clip {report['clip']}")
    line = "{:16} {:>7} {:>8} {:>6} {:>8} {:>7} {:>7} {:>10} {:>13}"
    print(line.format("contract", "clients", "requests", "failed", "a second", "p50 s", "p99 s", "CPU s each",
                      "original"))  # fmt: skip
    for row in report["rows"]:
        print(line.format(row["contract"], row["clients"], row["requests"], row["failed"],
                          number(row["per_second"], 2), number(row["p50"]), number(row["p99"]),
                          number(row["cpu_seconds"]), row["original"]))  # fmt: skip
    beats, upload = report["heartbeats"], report["upload"]
    late = ", ".join(
        f"{number(beats[key])} s ({word})"
        for key, word in (("p50_late", "median"), ("p99_late", "p99"), ("max_late", "most"))
    )
    print(f"heartbeats of {beats['clients']} idle clients: {beats['count']} came, late by {late}")
    print(f"heartbeats missed: {beats['missed']}")
    print(f"upload beside it: {upload['sent_mb']:.0f} MB in bodies of {upload['size_mb']} MB")


def read_options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("binary", type=Path)
    parser.add_argument("--clip", type=Path, help="the video that is sent; its first frame is the picture")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    for flag, default, meaning in (
        ("clients", "1,4,32", "numbers of clients at once"),
        ("seconds", 10.0, "of each cell, at least"),
        ("idle", 500, "Socket.IO clients that wait"),
        ("heartbeats", 2, "that each of them gets, at least"),
        ("upload-mb", 200, "of the large upload"),
        ("upload-seconds", 120.0, "that it takes"),
    ):
        what = f"{meaning} (default: {default})"
        parser.add_argument(f"--{flag}", type=type(default), default=default, help=what)
    return parser.parse_args()


def measure(server, options, clip, picture):
    """A row for each contract and number of clients."""
    rows = []
    for name, path, field, takes_clip, original in CONTRACTS:
        kind, file = ("video/mp4", clip) if takes_clip else ("image/jpeg", picture)
        body = part_head(field, file.name, kind) + file.read_bytes() + END
        for count in map(int, options.clients.split(",")):
            before = server.cpu()
            times, failures, wall = clients(server.ports[name], path, body, count, options.seconds)
            rows.append(
                {
                    "contract": name,
                    "clients": count,
                    "requests": len(times),
                    "failed": len(failures),
                    "per_second": len(times) / wall,
                    "p50": percentile(times, 0.5),
                    "p99": percentile(times, 0.99),
                    "cpu_seconds": (server.cpu() - before) / len(times),
                    "original": original,
                }
            )
            print(f"{name}, {count} clients: {len(times)} requests in {wall:.1f} s", file=sys.stderr)
    return rows


def run(options, folder):
    """All figures."""
    clip = options.clip or (SAMPLE if SAMPLE.exists() else folder / "made.mp4")
    if not clip.exists():
        make_clip(clip)
    picture = folder / "picture.jpg"
    ffmpeg("-i", clip, "-frames:v", 1, "-q:v", 3, picture)
    data = folder / "data"
    data.mkdir()
    server = Server(options.binary, data)
    port = server.ports["mesonet-api"]
    context = multiprocessing.get_context("spawn")
    ready, loads_over, result = context.Event(), context.Event(), context.Queue()
    arguments = (port, options.idle, options.heartbeats, ready, loads_over, result)
    idle = context.Process(target=idle_clients, args=arguments)
    idle.start()
    ready.wait(120)
    upload = Upload(port, options.upload_mb << 20, options.upload_seconds)
    rows = measure(server, options, clip, picture)
    loads_over.set()
    beats = result.get()
    idle.join()
    upload.stop()
    server.stop()
    late = beats["late"]
    return {
        "date": datetime.date.today().isoformat(),
        "machine": processor(),
        "cpus": os.cpu_count(),
        "clip": clip.name,
        "rows": rows,
        "heartbeats": {
            "clients": beats["connected"],
            "count": len(late),
            "p50_late": percentile(late, 0.5),
            "p99_late": percentile(late, 0.99),
            "max_late": max(late, default=None),
            "missed": len(beats["lost"]) + sum(seconds > PING_TIMEOUT for seconds in late),
            "lost": sorted(set(beats["lost"])),
        },
        "upload": {
            "size_mb": options.upload_mb,
            "sent_mb": upload.sent / (1 << 20),
            "finished": upload.finished,
            "error": upload.error,
        },
    }


def main():
    options = read_options()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory(prefix="unmask-bench-") as folder:
        report = run(options, Path(folder))
    print_table(report)
    for text in report["heartbeats"]["lost"]:
        print(f"an idle client was lost: {text}")
    if report["upload"]["error"]:
        print(f"the upload broke: {report['upload']['error']}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    broken = report["upload"]["error"] or report["heartbeats"]["missed"]
    return 1 if broken or any(row["failed"] for row in report["rows"]) else 0


if __name__ == "__main__":
    sys.exit(main())
