#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what one request costs the engine `faithful`: CPU seconds of the server and its decoders.

    tools/faithful_cost.py build/release/unmask --contract NAME --model PATH FILE [--field NAME=VALUE]
    tools/faithful_cost.py --write-b7 PATH

One request warms up, then each of --repeat is measured by itself: user and system time of the server and all
its descendants, ended ones too. --write-b7 writes a network of EfficientNet-B7's shape with random weights
(needs `onnx`): it costs what the microservices' network costs, whose weights are not public.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROUTES = {
    "microservice-v1": ("/detect_deepfake_video", "video"),
    "microservice-v2": ("/detect_deepfake_video", "video"),
    "web-upload": ("/upload", "file"),
    "mesonet-api": ("/upload", "file"),
    "predict-api": ("/predict", "file"),
}


def cpu_seconds(root: int) -> float:
    """Of a process and all its descendants, with those that have ended."""
    parents, times = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has just ended
        parents[int(folder.name)] = int(fields[1])
        times[int(folder.name)] = sum(map(int, fields[11:15]))
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(times.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def serve(arguments):
    name = arguments.contract
    command = [arguments.program, "serve", "--listen", "127.0.0.1:0", "--contract", f"{name}=127.0.0.1:0"]
    command += ["--contract-engine", f"{name}=faithful", "--contract-model", f"{name}={arguments.model}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if found := re.fullmatch(rf"{name} is listening on (\S+)\n", line):
            return process, found[1]
    sys.exit("error: the server did not start")


def measure(arguments):
    import requests

    route, part = ROUTES[arguments.contract]
    kind = "video/mp4" if arguments.file.suffix == ".mp4" else "image/jpeg"
    if "microservice" in arguments.contract and kind != "video/mp4":
        route, part = "/detect_deepfake_image", "image"
    process, url = serve(arguments)
    try:
        for attempt in range(arguments.repeat + 1):
            before = cpu_seconds(process.pid)
            with open(arguments.file, "rb") as content:
                files = {part: (arguments.file.name, content, kind)}
                fields = dict(field.split("=", 1) for field in arguments.field)
                answer = requests.post(url + route, files=files, data=fields, timeout=600)
            after = cpu_seconds(process.pid)
            spent = "warm-up" if attempt == 0 else f"{after - before:.2f} CPU s"
            print(
                f"{arguments.contract} {arguments.file.name}: {spent} {answer.text[:200].strip()}", flush=True
            )
    finally:
        process.terminate()
        process.wait(60)


def write_b7(path):
    """EfficientNet (Tan and Le 2019) of width 2.0 and depth 3.1 for 224x224, and the service's own head."""
    import math

    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random, nodes, weights = np.random.default_rng(1), [], []

    def add(kind, inputs, **attributes):
        name = f"t{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def weight(*shape, scale=None):
        values = random.normal(0, scale or 1 / math.sqrt(np.prod(shape[1:])), shape).astype(np.float32)
        weights.append(numpy_helper.from_array(values, f"w{len(weights)}"))
        return weights[-1].name

    def convolve(data, inputs, outputs, size=1, stride=1, groups=1):
        kernel = weight(outputs, inputs // groups, size, size)
        strides = [stride, stride]
        return add(
            "Conv", [data, kernel, weight(outputs)], strides=strides, auto_pad="SAME_UPPER", group=groups
        )

    def swish(data):
        return add("Mul", [data, add("Sigmoid", [data])])

    def channels(count):
        wide = count * 2.0
        near = max(8, int(wide + 4) // 8 * 8)
        return near + 8 if near < 0.9 * wide else near

    data = add("Transpose", ["picture"], perm=[0, 3, 1, 2])
    inputs = channels(32)
    data = swish(convolve(data, 3, inputs, 3, 2))
    stages = [(3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2)]
    stages += [(5, 3, 112, 6, 1), (5, 4, 192, 6, 2), (3, 1, 320, 6, 1)]
    for size, repeats, count, expansion, first_stride in stages:
        outputs = channels(count)
        for i in range(math.ceil(repeats * 3.1)):
            stride, wide, before = (first_stride if i == 0 else 1), inputs * expansion, data
            if expansion > 1:
                data = swish(convolve(data, inputs, wide))
            data = swish(convolve(data, wide, wide, size, stride, wide))
            squeezed = add("GlobalAveragePool", [data])
            squeezed = swish(convolve(squeezed, wide, max(1, inputs // 4)))
            gate = add("Sigmoid", [convolve(squeezed, max(1, inputs // 4), wide)])
            data = convolve(add("Mul", [data, gate]), wide, outputs)
            if stride == 1 and inputs == outputs:
                data = add("Add", [data, before])
            inputs = outputs
    data = add("GlobalAveragePool", [swish(convolve(data, inputs, channels(1280)))])
    data = add("Relu", [add("MatMul", [add("Flatten", [data]), weight(channels(1280), 128)])])
    nodes.append(helper.make_node("Sigmoid", [add("MatMul", [data, weight(128, 1, scale=1e-3)])], ["score"]))
    graph = helper.make_graph(
        nodes,
        "b7",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["N", 224, 224, 3])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["N", 1])],
        weights,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", type=Path, nargs="?")
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--contract", choices=ROUTES)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--field", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--write-b7", type=Path, metavar="PATH")
    arguments = parser.parse_args()
    if arguments.write_b7:
        return write_b7(arguments.write_b7)
    if not (arguments.program and arguments.file and arguments.contract and arguments.model):
        parser.error("give the program, a file, --contract and --model")
    measure(arguments)


if __name__ == "__main__":
    main()
