"""What a user may rely on when pictures are read and described."""

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mmtutor import image
from mmtutor.datasets import load_emoji
from mmtutor.image import HOG, Pixels


@pytest.fixture(scope="module")
def pictures():
    return load_emoji().X.image[:6]


@pytest.fixture
def save(tmp_path):
    def save(array, mode=None, name="picture.png", **options):
        Image.fromarray(array, mode).save(tmp_path / name, **options)
        return tmp_path / name

    return save


def test_red_stays_red(save):
    red = np.zeros((5, 7, 3), np.uint8)
    red[..., 0] = 200
    assert np.array_equal(image.read(save(red)), red)


def test_transparent_pixels_show_the_background(save):
    half_green = np.zeros((2, 2, 4), np.uint8)
    half_green[0] = (0, 255, 0, 128)
    path = save(half_green)
    assert image.read(path)[1, 1].tolist() == [255, 255, 255]
    assert image.read(path)[0, 0].tolist() == [127, 255, 127]
    assert image.read(path, background=(0, 0, 0))[1, 1].tolist() == [0, 0, 0]
    assert np.array_equal(image.read(path, background=None), half_green)


def test_grey_palette_and_16_bit_pictures_become_rgb(save):
    grey = np.full((3, 3), 90, np.uint8)
    assert (image.read(save(grey)) == 90).all() and image.read(save(grey)).shape == (3, 3, 3)
    deep = np.full((3, 3), 90 * 257, np.uint16)
    assert (image.read(save(deep, name="deep.png")) == 90).all()


def test_a_palette_picture_becomes_rgb(tmp_path):
    colors = np.zeros((4, 4, 3), np.uint8)
    colors[:2] = (10, 200, 30)
    Image.fromarray(colors).quantize(8).save(tmp_path / "palette.png")
    assert np.array_equal(image.read(tmp_path / "palette.png"), colors)


def test_a_photograph_is_turned_as_its_camera_says(tmp_path):
    upright = np.zeros((4, 8, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held sideways
    Image.fromarray(upright).save(tmp_path / "photo.jpg", exif=exif)
    assert image.read(tmp_path / "photo.jpg").shape == (8, 4, 3)


@pytest.mark.parametrize("name", ["half.png", "half.jpg", "half.webp"])
def test_a_file_that_is_cut_off_is_refused(tmp_path, pictures, name, capfd):
    whole = cv2.imencode(name[4:], pictures[0])[1].tobytes()
    (tmp_path / name).write_bytes(whole[: int(0.6 * len(whole))])
    with pytest.raises(ValueError, match=f"{name}: .*(cut off|not a picture)"):
        image.read(tmp_path / name)
    assert capfd.readouterr().err == ""


def test_a_jpeg_that_lacks_its_last_lines_is_refused_although_opencv_might_fill_them_in(tmp_path, pictures):
    whole = cv2.imencode(".jpg", pictures[0])[1].tobytes()
    (tmp_path / "photo.jpg").write_bytes(whole[:-200])
    with pytest.raises(ValueError, match=r"photo.jpg: cut off or damaged"):
        image.read(tmp_path / "photo.jpg")


@pytest.mark.parametrize(("content", "words"), [(b"", "empty"), (b"PK\x03\x04 a zip", "not a picture")])
def test_what_is_no_picture_is_refused(tmp_path, content, words):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(ValueError, match=f"x.png: .*{words}"):
        image.read(tmp_path / "x.png")


def test_a_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match=r"nowhere.png"):
        image.read("nowhere.png")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (None, "missing"),
        ("picture.png", "a str, not an array"),
        (np.zeros((8, 8), np.uint8), r"shape \(8, 8\)"),
        (np.zeros((8, 8, 4), np.uint8), r"shape \(8, 8, 4\)"),
        (np.zeros((8, 8, 3)), "float64"),
        (np.zeros((0, 8, 3), np.uint8), "8 x 0 pixels"),
    ],
)
def test_hog_refuses_what_is_no_image_and_names_row_and_column(pictures, cell, words):
    column = pd.Series([pictures[0], cell], index=[3, 17], name="image", dtype=object)
    with pytest.raises(ValueError, match=f"row 17, column 'image': .*{words}"):
        HOG().transform(column)


def test_hog_has_as_many_features_as_it_says(pictures):
    for hog, n_features in [(HOG(), 576), (HOG(stride=8), 1764), (HOG(cell=16), 324)]:
        described = hog.fit_transform(pictures)
        assert described.shape == (6, n_features) == (6, len(hog.get_feature_names_out()))
        assert len(hog.get_feature_names_out()) == n_features
        assert described.dtype == float and described.min() >= 0 and described.max() <= 1


def test_hog_of_one_color_is_zero_and_of_brighter_copies_is_equal(pictures):
    flat = np.full((64, 64, 3), 99, np.uint8)
    assert not HOG().fit_transform([flat]).any()
    picture = pictures[0] // 2
    assert np.allclose(HOG().transform([picture]), HOG().transform([picture + 100]))


def test_hog_resizes_what_is_larger(pictures):
    large = cv2.resize(pictures[0], (256, 256), interpolation=cv2.INTER_NEAREST)
    assert np.allclose(HOG().transform([large]), HOG().transform([pictures[0]]), atol=1e-6)


def test_hog_refuses_cells_that_do_not_tile_the_picture():
    with pytest.raises(ValueError, match="do not tile"):
        HOG(cell=10).fit([])


def test_horizontal_and_vertical_stripes_differ():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::8] = stripes[:, 1::8] = 255
    a, b = HOG().transform([stripes, stripes.swapaxes(0, 1)])
    assert a @ b < 0.5 * (a @ a)


def test_transparency_of_every_kind_is_read(tmp_path):
    grey = Image.fromarray(np.array([[0, 90], [90, 0]], np.uint8))
    grey.save(tmp_path / "grey.png", transparency=0)
    assert image.read(tmp_path / "grey.png")[..., 0].tolist() == [[255, 90], [90, 255]]
    sideways = Image.Exif()
    sideways[0x0112] = 6
    Image.fromarray(np.zeros((4, 8, 4), np.uint8)).save(tmp_path / "turned.png", exif=sideways)
    assert image.read(tmp_path / "turned.png").shape == (8, 4, 3)
    assert image.read(tmp_path / "turned.png", background=None).shape == (8, 4, 4)


def test_cmyk_becomes_rgb(tmp_path):
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "print.jpg")
    red, green, blue = image.read(tmp_path / "print.jpg")[8, 8]
    assert red > 200 and green < 60 and blue < 60


def test_a_picture_too_large_to_be_one_is_refused(tmp_path):
    Image.new("1", (30_000, 4_000)).save(tmp_path / "huge.png")
    with pytest.raises(ValueError, match=r"huge.png: more than [\d,]+ pixels; scale it down"):
        image.read(tmp_path / "huge.png")


def test_shrinking_averages_and_skips_no_detail():
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, 1::4] = 255  # finer than the pixels of the small picture
    assert HOG().transform([stripes]).max() < 0.01


@pytest.mark.parametrize("options", [{"cell": 0}, {"size": 64.0}, {"n_orientations": -1}])
def test_hog_refuses_what_is_no_whole_number(options):
    with pytest.raises(ValueError, match=r"not a whole number of 1 or more"):
        HOG(**options).fit([])


def test_pixels_are_gray_or_in_color_from_0_to_1():
    red = np.zeros((6, 4, 3), np.uint8)
    red[..., 0] = 255
    assert Pixels(size=2).fit_transform([red]) == pytest.approx(np.full((1, 4), 0.299), abs=1 / 255)
    assert Pixels(size=2, color=True).fit_transform([red]).tolist() == [[1, 0, 0] * 4]
    with pytest.raises(ValueError, match="row 1, column 'X': an array of shape"):
        Pixels().fit_transform([red, red[..., 0]])


def test_pixels_are_averaged_in_reading_order():
    quarters = np.zeros((4, 4, 3), np.uint8)
    quarters[:2, 2:] = 255  # top right
    quarters[2, 0] = 255  # one pixel of four, bottom left
    assert Pixels(size=2).fit_transform([quarters])[0] == pytest.approx([0, 1, 0.25, 0], abs=1 / 255)
