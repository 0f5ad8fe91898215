# SPDX-License-Identifier: Apache-2.0
"""A server that stands in for Triton (KServe v2 over HTTP) and TensorFlow Serving, and fails in every way.

Types are those of tritonclient. Its "model" gives a face the mean of its values, so that a test can compute
what to expect.
"""

import json
import socket
import socketserver
import threading
from contextlib import contextmanager

import numpy as np
from tritonclient.utils import np_to_triton_dtype, triton_to_np_dtype


def mean(batch):
    return batch.astype(np.float64).reshape(len(batch), -1).mean(axis=1).astype(np.float32).reshape(-1, 1)


class StandIn(socketserver.ThreadingTCPServer):
    """Answers by `mode`. `asked` holds (path, decoded input) of each question to the model."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, datatype="FP32", shape=(-1, 3, 160, 160), output="FP32", port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.datatype = datatype
        self.shape = list(shape)
        self.output = output
        self.mode = "ok"
        self.fail_first = 0  # that many questions get `mode`, then all is well
        self.model = mean
        self.asked = []
        self.connections = 0
        self.described = 0
        self.lock = threading.Lock()
        self.release = threading.Event()  # ends a silence

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def kserve(self):
        return self.url + "/v2/models/face"

    @property
    def tf_serving(self):
        return self.url + "/v1/models/face"

    def current_mode(self):
        with self.lock:
            if self.fail_first == 0:
                return self.mode
            self.fail_first -= 1
            mode = self.mode
            if self.fail_first == 0:
                self.mode = "ok"
            return mode

    # ---- KServe v2 ----

    def kserve_metadata(self):
        tensor = {"name": "image", "datatype": self.datatype, "shape": self.shape}
        output = {"name": "logit", "datatype": self.output, "shape": [-1, 1]}
        return {
            "name": "face",
            "versions": ["1"],
            "platform": "stand-in",
            "inputs": [tensor],
            "outputs": [output],
        }

    def kserve_input(self, headers, body):
        length = int(headers["inference-header-content-length"])
        question = json.loads(body[:length])
        (tensor,) = question["inputs"]
        assert tensor["name"] == "image"
        assert tensor["datatype"] == self.datatype
        assert tensor["parameters"]["binary_data_size"] == len(body) - length
        dtype = triton_to_np_dtype(tensor["datatype"])
        return np.frombuffer(body[length:], dtype).reshape(tensor["shape"])

    def kserve_answer(self, result, mode):
        result = result.astype(triton_to_np_dtype(self.output))
        raw = result.tobytes()
        output = {
            "name": "logit",
            "datatype": np_to_triton_dtype(result.dtype),
            "shape": list(result.shape),
            "parameters": {"binary_data_size": len(raw)},
        }
        match mode:
            case "nan":
                raw = np.full_like(result, np.nan).tobytes()
            case "shape":
                output["shape"] = [result.shape[0], 7]
            case "huge":
                output["shape"] = [result.shape[0], 2**40, 2**40]
            case "short":
                result = result[1:] if len(result) > 1 else result.repeat(2, axis=0)
                raw = result.tobytes()
                output["shape"] = list(result.shape)
                output["parameters"]["binary_data_size"] = len(raw)
            case "bytes":
                raw = raw[:-1]
            case "more":
                raw += b"more"
            case "json":
                del output["parameters"]
                output["data"] = result.reshape(-1).tolist()
                raw = b""
            case "empty":
                return b'{"model_name": "face", "outputs": []}', None
        head = json.dumps({"model_name": "face", "model_version": "1", "outputs": [output]}).encode()
        if mode == "header":
            return head + raw, len(head) + len(raw) + 99
        return head + raw, len(head) if raw else None

    # ---- TensorFlow Serving ----

    def tf_metadata(self):
        sizes = [{"size": str(size), "name": ""} for size in self.shape]
        dtype = {"FP32": "DT_FLOAT", "FP16": "DT_HALF", "UINT8": "DT_UINT8"}[self.datatype]
        tensor = {"dtype": dtype, "tensor_shape": {"dim": sizes, "unknown_rank": False}, "name": "image:0"}
        signature = {"inputs": {"image": tensor}, "outputs": {}, "method_name": "tensorflow/serving/predict"}
        defined = {"signature_def": {"serving_default": signature}}
        return {"model_spec": {"name": "face", "version": "1"}, "metadata": {"signature_def": defined}}

    def tf_answer(self, result, mode):
        rows = result.tolist()
        match mode:
            case "nan":
                return '{"predictions": [' + ", ".join(["[NaN]"] * len(rows)) + "]}"
            case "shape":
                rows = [row * 7 for row in rows]
            case "short":
                rows = rows[1:] or rows * 2
            case "empty":
                return '{"predictions": []}'
            case "objects":
                rows = [{"logit": row, "other": [1.0]} for row in rows]
        return json.dumps({"predictions": rows}, indent=4)


class Handler(socketserver.StreamRequestHandler):
    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self):
        self.server.connections += 1
        while self.one_request():
            pass

    def send(self, status, body, content_type="application/json", **headers):
        lines = [f"HTTP/1.1 {status} X", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        lines += [
            f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value is not None
        ]
        self.wfile.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return True

    def one_request(self):
        line = self.rfile.readline().decode()
        if not line:
            return False
        method, path, _ = line.split()
        headers = {}
        while (header := self.rfile.readline().strip().decode()) != "":
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        server = self.server
        kserve = path.startswith("/v2/")
        if method == "GET":
            server.described += 1
            if server.mode == "down":
                return False
            if server.mode == "starting":
                return self.send(500, b'{"error": "still loading"}')
            if path in ("/v2/models/face", "/v1/models/face/metadata"):
                metadata = server.kserve_metadata() if kserve else server.tf_metadata()
                return self.send(200, json.dumps(metadata).encode())
            return self.send(404, b'{"error": "no such model"}')
        values = (
            server.kserve_input(headers, body)
            if kserve
            else np.array(json.loads(body)["instances"], np.float32)
        )
        with server.lock:
            server.asked.append((path, values))
        mode = server.current_mode()
        match mode:
            case "hang":
                server.release.wait(60)
                return False
            case "down" | "close":
                return False
            case "half":
                self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"outputs"')
                return False
            case "garbage":
                self.wfile.write(b"garbage\r\n\r\n")
                return False
            case "html":
                return self.send(200, b"<html>a proxy's page</html>", "text/html")
            case "endless":
                return self.send(200, b" " * (17 << 20))
            case "503":
                return self.send(503, b'{"error": "busy"}', Retry_After="0")
            case "503-later":
                return self.send(503, b'{"error": "busy"}', Retry_After="3600")
            case "500" | "starting":
                return self.send(500, b'{"error": "boom"}')
            case "400":
                return self.send(400, b'{"error": "unexpected shape"}')
        result = server.model(values)
        if not kserve:
            return self.send(200, server.tf_answer(result, mode).encode())
        answer, length = server.kserve_answer(result, mode)
        return self.send(200, answer, "application/octet-stream", Inference_Header_Content_Length=length)


@contextmanager
def stand_in(**options):
    with StandIn(**options) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.release.set()
        server.shutdown()


def closed_port():
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
