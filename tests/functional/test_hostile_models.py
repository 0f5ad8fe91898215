# SPDX-License-Identifier: Apache-2.0
"""Hostile model files cost an error with a hint, never the process that was given them."""

import io
import os
import random
import subprocess
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from keras_models import PROBE
from making import ROOT

# fuzz/corpus/hdf5/whole.h5 with some bytes changed: libhdf5 1.10 reads outside its memory.
CRASHES = Path(__file__).parent / "foreign" / "crashes_libhdf5.h5"
MESO4 = [  # kernels, then batch normalisation, of each block; then two dense layers
    [(3, 3, 3, 8), (8,)], [(8,)] * 4, [(5, 5, 8, 8), (8,)], [(8,)] * 4, [(5, 5, 8, 16), (16,)], [(16,)] * 4,
    [(5, 5, 16, 16), (16,)], [(16,)] * 4, [(1024, 16), (16,)], [(16, 1), (1,)],
]  # fmt: skip


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> bytes:
    """Meso4 as a file of weights alone, as its authors publish it."""
    path = tmp_path_factory.mktemp("weights") / "meso4.h5"
    values = np.random.default_rng(3)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [f"layer_{i}".encode() for i in range(len(MESO4))]
        for i, shapes in enumerate(MESO4):
            group = file.create_group(f"layer_{i}")
            group.attrs["weight_names"] = [f"w{j}:0".encode() for j in range(len(shapes))]
            for j, shape in enumerate(shapes):
                data = values.uniform(0.1, 0.2, shape).astype(np.float32)
                group.create_dataset(f"w{j}:0", data=data, compression="gzip" if i % 2 else None)
    return path.read_bytes()


def load(path: Path) -> subprocess.CompletedProcess:
    """Loads a network as the server does, and computes it once."""
    picture = bytes(4 * 256 * 256 * 3)
    command = [PROBE, path, "1", "256", "256", "3"]
    return subprocess.run(command, input=picture, capture_output=True, timeout=300)


def zip_of(*members) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for name, content in members:
            out.writestr(name, content)
    return archive.getvalue()


def keras_zip(config: bytes, weights: bytes) -> bytes:
    return zip_of(("config.json", config), ("model.weights.h5", weights))


def test_the_file_that_the_others_are_made_of_loads(weights, tmp_path):
    (tmp_path / "good").write_bytes(weights)
    done = load(tmp_path / "good")
    assert done.returncode == 0, done.stderr


def test_damaged_files_never_harm_the_process(weights, tmp_path):
    chance = random.Random(11)
    damaged = [weights[:size] for size in (8, 9, 96, 2048, len(weights) // 2, len(weights) - 1)]
    damaged += [weights[:64] + chance.randbytes(20_000), b"\x89HDF\r\n\x1a\n" + chance.randbytes(5_000)]
    for flips in (1, 4, 16, 64, 256):
        for _ in range(4):
            changed = bytearray(weights)
            for _ in range(flips):  # structure stands at the front and between the data
                changed[chance.randrange(min(len(changed), 12_000))] ^= 1 << chance.randrange(8)
            damaged.append(bytes(changed))
    damaged += [CRASHES.read_bytes(), keras_zip(b"{}", weights), b"PK\x03\x04" + chance.randbytes(3_000)]
    config = b'{"class_name": "Sequential", "config": {"layers": [' + b"[" * 100_000
    damaged += [keras_zip(config, b""), keras_zip(b"[" * 3_000_000 + b"]" * 3_000_000, b"")]
    refused = 0
    for content in damaged:
        (tmp_path / "file").write_bytes(content)
        done = load(tmp_path / "file")
        assert done.returncode in (0, 1), done.stderr
        if done.returncode == 1:
            refused += 1
            assert done.stderr.startswith(b"bad_request: cannot load the network"), done.stderr
    assert refused >= 12  # a changed weight is no damage that anybody could see


def test_a_file_that_kills_libhdf5_is_an_error_with_a_hint(tmp_path):
    done = load(CRASHES)
    assert done.returncode == 1 and b"signal 11" in done.stderr and b"damaged or hostile" in done.stderr
    # The same bytes inside a .keras archive.
    layer = b'{"class_name": "Dense", "config": {}}'
    inner = b'{"class_name": "Sequential", "config": {"name": "s", "layers": [' + layer + b"]}}"
    (tmp_path / "model.keras").write_bytes(keras_zip(inner, CRASHES.read_bytes()))
    assert load(tmp_path / "model.keras").returncode == 1


@pytest.mark.parametrize("contract", ["mesonet-api", "web-upload"])
def test_a_server_that_is_given_it_says_so(run, contract, tmp_path):
    flags = ["--contract", f"{contract}=127.0.0.1:0", "--contract-engine", f"{contract}=faithful"]
    flags += ["--listen", "127.0.0.1:0", "--contract-model", f"{contract}={CRASHES}"]
    done = run("serve", "--data", tmp_path, *flags, cwd=tmp_path)
    assert 0 < done.returncode < 100, done.stderr
    assert f"cannot load the network {CRASHES}" in done.stderr and "hint: " in done.stderr
    assert not list(tmp_path.glob("core*"))


def test_the_reader_may_not_be_used_alone(run):
    assert run("--read-keras", CRASHES).returncode == 2


def test_an_archive_of_pytorch_is_told_what_to_do(tmp_path):
    (tmp_path / "model.pt").write_bytes(zip_of(("net/data.pkl", b"\x80\x02}q\x00.")))
    done = load(tmp_path / "model.pt")
    assert done.returncode == 1 and b"pickle" in done.stderr and b"torch.onnx.export" in done.stderr


@pytest.fixture
def refused(run, tmp_path):
    """refused(path) imports what must be refused with a hint and leave nothing; gives what was said."""

    def refused(path):
        told = ["--colour", "rgb", "--scale", "255", "--output", "p_fake", "--crop", "1.2"]
        models = tmp_path / "models"
        done = run("model", "import", path, "--name", "net", "--models", models, *told, code=3)
        assert done.stderr.startswith("error: ") and "\nhint: " in done.stderr, done.stderr
        assert not models.exists() or not any(models.iterdir())
        return done.stderr

    return refused


def test_archives_that_are_bombs_or_tricks(refused, tmp_path):
    link = zipfile.ZipInfo("config.json")
    link.external_attr = 0o120777 << 16
    config = b'{"class_name": "Sequential", "config": {"name": "s", "layers": []}}'
    torn = bytearray(keras_zip(config, b""))
    end = torn.rfind(b"PK\x05\x06")
    torn[end + 16 : end + 20] = b"\xff\xff\xff\x7f"  # where the directory would be
    for content, words in [
        (keras_zip(bytes(40 << 20), b""), "config.json has more than"),
        (keras_zip(config, bytes(300 << 20)), "unpacks to more than"),
        (zip_of(*((f"f{i}", b"") for i in range(10_001)), ("config.json", config)), "10000 members"),
        (zip_of((link, "/etc/passwd"), ("model.weights.h5", b"x")), "no JSON"),
        (zip_of(("../../owned", b"x"), ("config.json", config), ("model.weights.h5", b"x")), "layers"),
        (bytes(torn), "ZIP archive"),
    ]:
        (tmp_path / "model.keras").write_bytes(content)
        assert words in refused(tmp_path / "model.keras")
    assert not list(tmp_path.parent.glob("*owned*"))


def test_folders_that_are_no_saved_models(refused, tmp_path):
    saved = tmp_path / "saved" / "saved_model.pb"
    saved.parent.mkdir()
    os.mkfifo(saved)  # a reader would wait for ever
    assert "saved_model.pb" in refused(saved.parent)
    saved.unlink()
    saved.symlink_to("/dev/zero")
    assert "saved_model.pb" in refused(saved.parent)
    os.mkfifo(tmp_path / "pipe.h5")
    assert "regular file" in refused(tmp_path / "pipe.h5")
    assert "regular file" in refused(Path("/dev/zero"))


def test_sources_read_hdf5_in_the_confined_process_alone():
    """Whoever calls the reader of Keras files does so in a process of its own."""
    callers = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src").rglob("*.cpp")
        if any(call in path.read_text() for call in ("ReadKerasModel(", "Hdf5File::"))
    }
    own = {path for path in callers if path.startswith("model/keras/")}
    assert callers - own == {"model/import/convert.cpp", "model/import/confined_keras.cpp"}
