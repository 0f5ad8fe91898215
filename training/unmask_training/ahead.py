# SPDX-License-Identifier: Apache-2.0
"""Prepares the batches of the next steps while the network learns from this one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import torch

from .batches import Batches
from .losses import Tensors, tensors

PREFETCH = 4  # batches that each process has ready


class Steps(torch.utils.data.Dataset):
    def __init__(self, batches: Batches):
        self.batches = batches

    def __getitem__(self, step: int) -> Tensors:
        return tensors(self.batches.batch(step))


def begin(_worker: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def prepare(batches: Batches, first: int, total: int, workers: int) -> Iterator[Tensors]:
    """The batches of the steps from `first` to before `total`, in order.

    Without `workers` a thread prepares one batch ahead, which suits a CPU: OpenCV and PyTorch leave the
    interpreter lock. A GPU needs several processes.
    """
    if workers:
        yield from torch.utils.data.DataLoader(
            Steps(batches),
            batch_size=None,
            sampler=range(first, total),
            num_workers=workers,
            prefetch_factor=PREFETCH,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=begin,
            multiprocessing_context="fork",
        )
        return
    with ThreadPoolExecutor(max_workers=1) as ahead:
        following = ahead.submit(batches.batch, first)
        for step in range(first, total):
            batch = following.result()
            if step + 1 < total:
                following = ahead.submit(batches.batch, step + 1)
            yield tensors(batch)
