"""Images from files: sizes, colours, turns, and files that are no images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fitwell.data import read_images
from fitwell.data.images import is_images
from fitwell.errors import InvalidArgument, InvalidData, InvalidFile, OutOfMemory


def save(path: Path, values: object, **how: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(path, **how)


def test_folders_are_classes_in_alphabetical_order(tmp_path: Path) -> None:
    gray = np.arange(12).reshape(3, 4) * 20
    save(tmp_path / "b" / "2.png", gray)
    save(tmp_path / "b" / "1.png", gray + 1)
    save(tmp_path / "a" / "deep" / "3.bmp", gray + 2)
    (tmp_path / "b" / "notes.txt").write_text("no image")
    (tmp_path / "empty").mkdir()
    images = read_images(tmp_path)
    assert images.classes == ("a", "b")
    assert [path.name for path in images.files] == ["3.bmp", "1.png", "2.png"]
    assert images.y is not None
    assert images.y.tolist() == [0, 1, 1]
    np.testing.assert_array_equal(images.x[..., 0], [gray + 2, gray + 1, gray])
    assert images.notes == ()


def test_colour_is_kept_where_there_is_some(tmp_path: Path) -> None:
    save(tmp_path / "gray.png", np.full((2, 2), 7))
    save(tmp_path / "red.png", np.full((2, 2, 3), [200, 0, 0]))
    assert read_images(tmp_path).x[:, 0, 0].tolist() == [[7, 7, 7], [200, 0, 0]]
    assert read_images(tmp_path, channels=1).x[1, 0, 0, 0] == round(0.299 * 200)  # ITU-R 601


def test_one_size_for_all(tmp_path: Path) -> None:
    for number, side in enumerate((40, 20, 20)):
        save(tmp_path / f"{number}.png", np.full((side, 2 * side), 50 * number))
    images = read_images(tmp_path)
    assert images.x.shape == (3, 20, 40, 1)
    assert images.x[:, 10, 10, 0].tolist() == [0, 50, 100]
    assert images.notes == ("Images of 20 x 40 to 40 x 80 pixels are resized to 20 x 40.",)
    assert read_images(tmp_path, size=(5, 7)).x.shape == (3, 5, 7, 1)


def test_large_images_are_made_smaller_by_averages(tmp_path: Path) -> None:
    stripes = np.tile([0, 200], (128, 64))  # a pixel of 0, one of 200, ...
    save(tmp_path / "s.png", stripes)
    images = read_images(tmp_path)
    assert images.x.shape == (1, 64, 64, 1)
    assert abs(images.x[0, 10:-10, 10:-10].astype(int) - 100).max() <= 1
    assert images.notes == ("Images of 128 x 128 pixels are resized to 64 x 64.",)


def test_transparent_is_white_and_16_bits_are_8(tmp_path: Path) -> None:
    clear = np.zeros((2, 2, 4), np.uint8)
    clear[0, 0] = [10, 20, 30, 255]
    Image.fromarray(clear).save(tmp_path / "a.png")
    deep = np.array([[0, 65535], [32768, 257]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "b.png")
    images = read_images(tmp_path)
    assert images.x[0, :, 0].tolist() == [[10, 20, 30], [255, 255, 255]]
    assert images.x[1, ..., 0].tolist() == [[0, 255], [127, 1]]


def test_a_camera_that_was_held_upright(tmp_path: Path) -> None:
    image = Image.fromarray(np.array([[0, 255, 255]], np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6  # shown after a quarter turn to the right
    image.save(tmp_path / "t.png", exif=exif)
    assert read_images(tmp_path).x[0, :, :, 0].tolist() == [[0], [255], [255]]


def test_files_that_are_no_images(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.png", np.full((4, 4), 9))
    (tmp_path / "a" / "2.png").write_bytes(b"no image at all")
    with pytest.raises(InvalidFile) as caught:
        read_images(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"image {tmp_path / 'a' / '2.png'}: expected a file that Pillow can")
    assert message.endswith(
        "Remove it, or skip such files: skip_bad=True, --skip-bad-rows on the command line."
    )
    images = read_images(tmp_path, skip_bad=True)
    assert len(images) == 1
    assert images.y is not None
    assert images.y.tolist() == [0]
    assert images.notes == (f"1 file is no image and left out: {tmp_path / 'a' / '2.png'}.",)
    (tmp_path / "a" / "1.png").unlink()
    with pytest.raises(InvalidData, match="expected images, received no file that is one"):
        read_images(tmp_path, skip_bad=True)


def test_a_truncated_file_is_no_image(tmp_path: Path) -> None:
    save(tmp_path / "1.png", np.random.default_rng(0).integers(0, 255, (32, 32)))
    whole = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidFile, match=r"1\.png: expected a file that Pillow can read"):
        read_images(tmp_path)


def test_what_is_no_folder_of_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidFile, match="expected a folder or a file, received none of that"):
        read_images(tmp_path / "nowhere")
    with pytest.raises(InvalidData, match="one sub-folder of images per class, received no images"):
        read_images(tmp_path)
    save(tmp_path / "1.png", np.full((4, 4), 9))
    with pytest.raises(InvalidArgument, match=r"expected 1 or 3 channels, received channels=2\."):
        read_images(tmp_path, channels=2)
    with pytest.raises(InvalidArgument, match=r"in pixels, received size=\(0, 3\)\. For example"):
        read_images(tmp_path, size=(0, 3))
    monkeypatch.setattr("fitwell.data.images.free_memory", lambda: 20.0)
    with pytest.raises(OutOfMemory, match=r"received 1 images of 16 bytes\. Pass a smaller size\."):
        read_images(tmp_path)


def test_what_is_taken_for_images(tmp_path: Path) -> None:
    assert is_images(str(tmp_path))
    assert is_images("photo.JPG")
    assert not is_images("table.csv")
    assert not is_images("sklearn:digits")
