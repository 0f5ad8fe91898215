#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what asking a network on the same machine costs beside computing it (docs/gpu.md).

    .venv/bin/python tools/measure_remote.py [ROUNDS]

Imports a network that takes what the newest face model takes and computes next to nothing, their mean, so
that what is left is the asking: encoding, HTTP both ways, decoding, queues. Starts `unmask serve` with both
protocols, and scores the same random crops with the network in this process and with the one there, by turns;
the overhead is the difference. CPU seconds are those of both programs, which a busy machine changes least.
Needs build/release with the targets unmask, unmask-decoder and remote-probe, and onnx, which the environment
of the tests has.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import onnx
from machine import cpu_seconds, processor
from onnx import TensorProto, helper
from shipped import newest_card

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "release"
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 60
FACES = (1, 4, 16)  # in a request, as remote-probe has them


def import_mean(folder, side):
    """A repository with `face`, whose logit is the mean of a face's values."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Reshape", ["mean", "column"], ["logit"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, side, side])
    logit = helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["n", 1])
    column = helper.make_tensor("column", TensorProto.INT64, [2], [-1, 1])
    graph = helper.make_graph(nodes, "mean", [image], [logit], [column])
    opset = helper.make_opsetid("", 13)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), folder / "mean.onnx")
    command = [BUILD / "unmask", "model", "import", folder / "mean.onnx", "--name", "face"]
    command += ["--models", folder / "models", "--colour", "rgb", "--scale", "127.5", "--mean", "127.5"]
    subprocess.run(
        [*command, "--output", "logit", "--crop", "1"], check=True, stdout=subprocess.DEVNULL, timeout=120
    )
    return folder / "models"


def remote_card(folder, models, protocol, url):
    card = json.loads((models / "face" / "1" / "model.json").read_text())
    del card["network"]
    card["engine"] = {"type": protocol, "url": url, "model": "face"}
    place = folder / protocol / "face" / "1"
    place.mkdir(parents=True)
    (place / "model.json").write_text(json.dumps(card))
    return place.parents[1]


def measure(protocol, models, remote, server, rounds):
    before = os.times(), cpu_seconds(server)
    probe = [BUILD / "remote-probe", models, remote, str(rounds)]
    done = subprocess.run(probe, check=True, stdout=subprocess.PIPE, text=True)
    after = os.times(), cpu_seconds(server)
    faces = sum(FACES) * (rounds + 1)
    client = sum(getattr(after[0], k) - getattr(before[0], k) for k in ("children_user", "children_system"))
    for row in map(json.loads, done.stdout.splitlines()):
        least = row["remote_least"] - row["local_least"]
        median = row["remote_median"] - row["local_median"]
        print(f"{protocol:10} {row['faces']:3} faces: overhead {least:7.2f} least {median:7.2f} median, ms")
    print(f"{protocol:10} CPU of a face: client {client / faces * 1e3:.2f} ms, server", end=" ")
    print(f"{(after[1] - before[1]) / faces * 1e3:.2f} ms")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        side = newest_card()["input"]["width"]
        models = import_mean(folder, side)
        command = [BUILD / "unmask", "serve", "--models", models, "--listen", "127.0.0.1:0"]
        command += ["--kserve", "127.0.0.1:0", "--tf-serving", "127.0.0.1:0"]
        load = os.getloadavg()[0]
        print(f"{processor()}, {os.cpu_count()} cores, load {load:.1f}; faces of 3 x {side} x {side}")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                urls = dict(
                    re.fullmatch(r"(\S+) is listening on (\S+)\n", server.stdout.readline()).groups()
                    for _ in range(3)
                )
                for protocol, listener, rounds in (
                    ("kserve-v2", "kserve", ROUNDS),
                    ("tf-serving", "tf-serving", max(5, ROUNDS // 10)),
                ):
                    remote = remote_card(folder, models, protocol, urls[listener])
                    measure(protocol, models, remote, server.pid, rounds)
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
