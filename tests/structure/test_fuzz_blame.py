# SPDX-License-Identifier: Apache-2.0
"""tools/fuzz_blame.py tells a library's faults from ours."""

import sys

import pytest
from making import ROOT

sys.path.insert(0, str(ROOT / "tools"))
from fuzz_blame import blame  # noqa: E402

FUZZER = "/build/hdf5_fuzz"
SOURCES = {
    "0x10": "../../src/model/keras/hdf5_file.cpp:9\n",
    "0x20": "??:0\n",
    "0x30": "/usr/include/c++/12/vector:1\n",
}


@pytest.mark.parametrize(
    "modules, fault",
    [
        ([(FUZZER, "0x20"), ("/lib/libhdf5_serial.so.103", "0x1"), (FUZZER, "0x10")], "library"),
        ([(FUZZER, "0x20"), ("/lib/libc.so.6", "0x1"), (FUZZER, "0x30"), (FUZZER, "0x10")], "ours"),
        ([(FUZZER, "0x20"), ("/lib/libc.so.6", "0x1")], "nobody"),
        ([], "nobody"),
    ],
)
def test_the_innermost_frame_that_counts_has_the_blame(modules, fault):
    frames = [
        f"    #{i} 0x7f00  ({module}+{place}) (BuildId: 0)" for i, (module, place) in enumerate(modules)
    ]
    report = "==1==ERROR: AddressSanitizer: SEGV on unknown address\n" + "\n".join(frames) + "\n"
    assert blame(report, FUZZER, "libhdf5", lambda _, offset: SOURCES[offset]) == fault
