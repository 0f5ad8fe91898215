# SPDX-License-Identifier: Apache-2.0
import io
import tarfile

import cv2
import numpy as np
import pytest
from unmask_training import data


def jpeg(value=128, size=224):
    return cv2.imencode(".jpg", np.full((size, size, 3), value, np.uint8))[1].tobytes()


def write_tar(file, members):
    with tarfile.open(file, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


@pytest.fixture
def folder(tmp_path):
    rows = [
        "id,label,original,split,shard",
        "r1,real,r1,train,0",
        "f1,fake,r1,train,0",
        "f2,fake,r1,train,0",
        "r2,real,r2,train,0",
        "r3,real,r3,val,0",
        "f3,fake,r3,val,0",
    ]
    (tmp_path / "dfdc-faces.csv").write_text("\n".join(rows) + "\n")
    names = ["train/real/r1", "train/fake/f1", "train/fake/f2", "train/real/r2", "val/real/r3", "val/fake/f3"]
    write_tar(tmp_path / "dfdc-faces-00.tar", {f"{n}.jpg": jpeg(40 * i) for i, n in enumerate(names)})
    rows = [
        "file,source,person,split,face_x,face_y,face_w,face_h",
        "a.jpg,s,p1,train,60,40,80,100",
        "b.jpg,s,p2,val,60,40,80,100",
    ]
    (tmp_path / "portraits.csv").write_text("\n".join(rows) + "\n")
    write_tar(
        tmp_path / "portraits-00.tar", {n: jpeg(100, 200) for n in ("a.jpg", "b.jpg", "kept-for-tests.jpg")}
    )
    return tmp_path


def test_faces_are_read_by_split(folder):
    faces = data.dfdc_faces(folder, "train")
    assert [f.fake for f in faces] == [False, True, True, False]
    assert faces[0].pixels().shape == (224, 224, 3)


def test_pairs_leave_out_reals_without_fakes(folder):
    pairs = data.pairs(data.dfdc_faces(folder, "train"))
    assert [(real.original, len(fakes)) for real, fakes in pairs] == [("r1", 2)]


def test_pictures_that_the_list_does_not_name_stay_unread(folder):
    assert [f.name for f in data.portraits(folder, "train") + data.portraits(folder, "val")] == [
        "a.jpg",
        "b.jpg",
    ]


def test_check_counts(folder):
    assert data.check(folder)["val"] == {
        "real": 1,
        "fake": 1,
        "pairs": 1,
        "portraits": 1,
        "identical_pictures_of_both_classes": 0,
    }


def test_check_refuses_a_video_in_two_splits(folder):
    with open(folder / "dfdc-faces.csv", "a") as handle:
        handle.write("f4,fake,r1,val,0\n")
    with pytest.raises(ValueError, match="two splits"):
        data.check(folder)


def test_a_missing_picture_is_named(folder):
    with open(folder / "dfdc-faces.csv", "a") as handle:
        handle.write("f9,fake,r2,train,0\n")
    with pytest.raises(FileNotFoundError, match="train/fake/f9.jpg"):
        data.dfdc_faces(folder, "train")


def test_a_missing_folder_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="UNMASK_DATA"):
        data.dfdc_faces(tmp_path, "val")


def test_crop_rect_of_a_box():
    # side 0.97 * sqrt(80 * 100) = 86.8; centre (100, 90 + 0.066 * 100)
    assert data.crop_rect(60, 40, 80, 100) == (57, 53, 87, 87)


def test_cut_repeats_the_border():
    image = np.arange(16, dtype=np.uint8).reshape(4, 4)[:, :, None].repeat(3, axis=2)
    part = data.cut(image, (-1, -1, 3, 3))
    assert part[:, :, 0].tolist() == [[0, 0, 1], [0, 0, 1], [4, 4, 5]]


@pytest.mark.parametrize("size", [40, 160, 224])
def test_input_is_normalised_rgb(size):
    image = np.zeros((size, size, 3), np.uint8)
    image[:, :, 2] = 255
    x = data.to_input(image)
    assert x.shape == (3, 160, 160) and x.dtype == np.float32
    assert (x[0] == 1).all() and (x[1:] == -1).all()
