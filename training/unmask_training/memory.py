# SPDX-License-Identifier: Apache-2.0
"""Training's way with memory, to be chosen before anything else is imported."""

import os
import sys

# Activations are freed and taken again at every step. Kept by the allocator, in large pages, they need not be
# mapped anew, which took a third of a step. glibc reads these when a program starts, hence the second start.
ALLOCATOR = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "268435456",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


def keep() -> None:
    """Starts this program again with an allocator that keeps memory, unless the environment says more."""
    if not ALLOCATOR.keys() & os.environ.keys():
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | ALLOCATOR)
