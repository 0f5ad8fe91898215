# SPDX-License-Identifier: Apache-2.0
"""`make build` and `make serve` on a machine that has what tools/packages.txt names, and no more."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OF_TESTS = ("GTest", "rapidcheck", "benchmark")  # CMake's packages that tools/packages-test.txt installs


def test_the_program_is_configured_without_what_tests_need(tmp_path):
    if not (ROOT / "third_party/openvino").is_dir():
        pytest.skip("third_party is missing: run tools/setup.sh")
    command = ["cmake", "-S", ROOT, "-B", tmp_path, "-G", "Ninja", "-DUNMASK_TESTS=OFF"]
    command += [f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in OF_TESTS]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    command = ["ninja", "-C", tmp_path, "-t", "targets", "all"]
    targets = subprocess.run(command, capture_output=True, text=True).stdout
    assert re.search("^unmask: ", targets, re.MULTILINE)
    assert not re.search("_test: ", targets)


def planned(folder):
    """What `make build` would do there."""
    return subprocess.run(
        ["make", "-n", "build"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def test_make_build_leaves_the_tests_out_unless_they_are_there(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    assert "-DUNMASK_TESTS=OFF" in planned(tmp_path)

    release = tmp_path / "build/release"
    release.mkdir(parents=True)
    (release / "CMakeCache.txt").write_text("UNMASK_TESTS:BOOL=ON\n")
    assert "-DUNMASK_TESTS=OFF" in planned(tmp_path), "a configuration that failed has no tests"
    (release / "build.ninja").touch()
    assert "-DUNMASK_TESTS=ON" in planned(tmp_path)


def plan_of(target):
    return subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True).stdout


TARGETS = re.findall(r"^([a-z -]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("target", " ".join(TARGETS).split())
def test_make_knows_how_to_make_every_target_that_it_lists(target):
    assert plan_of(target)


@pytest.mark.parametrize("target", ["train", "train-check", "retrain"])
def test_training_has_the_program_that_computes_its_metrics(target):
    assert "build-release" in plan_of(target)
