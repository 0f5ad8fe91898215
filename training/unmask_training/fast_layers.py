# SPDX-License-Identifier: Apache-2.0
"""Convolutions with ReLU6 whose gradients take a fraction of PyTorch's time on a CPU.

oneDNN computes depthwise convolutions forward at full speed, but their gradients slowly; ReLU6 took several
passes over memory. Both together were two thirds of a training step. The kernels are in fast_layers.c, which
is compiled for this machine when it is first needed. Where that cannot be (no compiler, other shapes, CUDA),
PyTorch's own gradients are taken.
"""

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch
from torch.nn.functional import conv2d, relu6

SOURCE = Path(__file__).with_suffix(".c")
LANES = 16
FLAGS = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]


@functools.cache
def library() -> ctypes.CDLL | None:
    """The compiled kernels; None where they cannot be had."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        return None
    host = Path("/proc/cpuinfo").read_bytes().partition(b"flags")[2].partition(b"\n")[0]
    key = hashlib.sha256(SOURCE.read_bytes() + " ".join(FLAGS).encode() + host).hexdigest()[:16]
    file = Path(__file__).resolve().parent / "__pycache__" / f"fast_layers-{key}.so"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            part = Path(folder) / "fast_layers.so"
            done = subprocess.run([compiler, *FLAGS, "-o", part, SOURCE], capture_output=True, text=True)
            if done.returncode:
                print(f"fast_layers.c does not compile here, training is slower: {done.stderr[:500]}")
                return None
            os.replace(part, file)
    return ctypes.CDLL(str(file))


def suits(x: torch.Tensor, weight: torch.Tensor, stride: int, groups: int) -> bool:
    """Whether the kernels take this layer."""
    depthwise = groups == x.shape[1] and groups % LANES == 0
    return (
        x.device.type == "cpu"
        and x.dtype in (torch.float32, torch.bfloat16)
        and weight.shape[2] == weight.shape[3]
        and (groups == 1 or (depthwise and weight.shape[2] in (3, 5) and stride in (1, 2)))
        and library() is not None
    )


def channels_last(x: torch.Tensor) -> torch.Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def of(x: torch.Tensor, *others: torch.Tensor | None) -> list:
    """Arguments of the kernels: addresses, and whether the numbers are bfloat16."""
    addresses = [ctypes.c_void_p(None if t is None else t.data_ptr()) for t in (x, *others)]
    return [*addresses, ctypes.c_int(x.dtype == torch.bfloat16)]


class Convolution(torch.autograd.Function):
    """conv2d(x, weight, bias, stride, k // 2, groups) and maybe ReLU6, in the precision of x.

    x [N,C,H,W] channels_last, weight [O,C/groups,k,k], groups 1 or C, bias [O].
    """

    @staticmethod
    def forward(ctx, x, weight, bias, stride, groups, act):
        x, small = channels_last(x), weight.to(x.dtype)
        y = conv2d(x, small, bias.to(x.dtype), stride, weight.shape[2] // 2, groups=groups)
        if act:
            y = channels_last(y)
            library().unmask_relu6(*of(y), ctypes.c_long(y.numel()))
        ctx.save_for_backward(x, weight if groups > 1 else small, y if act else None)
        ctx.stride, ctx.groups = stride, groups
        return y

    @staticmethod
    def backward(ctx, gradient):
        x, weight, y = ctx.saved_tensors
        gradient = channels_last(gradient.to(x.dtype))
        if ctx.groups > 1:
            found = depthwise_gradients(x, weight, y, gradient, ctx.stride, ctx.needs_input_grad[0])
            return *found, None, None, None
        if y is not None:
            masked = torch.empty_like(gradient)
            library().unmask_relu6_gradient(*of(gradient, y), ctypes.c_long(y.numel()), *of(masked)[:1])
            gradient = masked
        padding = weight.shape[2] // 2
        found = torch.ops.aten.convolution_backward(
            gradient, x, weight, [weight.shape[0]], [ctx.stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1,
            [ctx.needs_input_grad[0], True, True],
        )  # fmt: skip
        return found[0], found[1].float(), found[2].float(), None, None, None


def depthwise_gradients(x, weight, y, gradient, stride: int, of_input: bool):
    """Of the input (or None), the kernel and the bias."""
    n, c, h, w = x.shape
    k, (oh, ow), p = weight.shape[2], gradient.shape[2:], weight.shape[2] // 2
    shape = [ctypes.c_long(v) for v in (n, h, w, c, k, stride, oh, ow)]
    padded, flat = torch.zeros(h + 2 * p, w + 2 * p, c), torch.empty(oh * ow * c)
    sums, biases = torch.zeros(k * k, c), torch.zeros(c)
    library().unmask_kernel_gradient(*of(x, gradient, y), *shape, *of(padded, flat, sums, biases)[:-1])
    inputs = None
    if of_input:
        padded.zero_()
        inputs, turned = torch.empty_like(x), weight.float().flip(2, 3).reshape(c, k * k).T.contiguous()
        library().unmask_input_gradient(
            *of(gradient, y, turned)[:-1], of(x)[-1], *shape, *of(padded, inputs)[:-1]
        )
    return inputs, sums.T.reshape(c, 1, k, k), biases


def convolution(x, weight, bias, stride: int, groups: int, act: bool) -> torch.Tensor:
    """What Convolution describes; its gradients are taken by the kernels where that can be."""
    if torch.is_grad_enabled() and suits(x, weight, stride, groups):
        if torch.is_autocast_enabled("cpu"):
            x = x.to(torch.get_autocast_dtype("cpu"))
        return Convolution.apply(x, weight, bias, stride, groups, act)
    y = conv2d(x, weight, bias, stride, weight.shape[2] // 2, groups=groups)
    return relu6(y, inplace=True) if act else y
