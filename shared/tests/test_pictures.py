"""Pictures of every kind become the same plain pixels, and no file, however hostile, does anything but end in one of three errors."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from carefolio.exceptions import DamagedPictureError, PictureTooLargeError, UnsuitablePictureError, UnsupportedPictureError
from carefolio.pictures import PictureLimits, read_picture, reduced
from carefolio.testing import png_header

HEIGHT, WIDTH = 40, 60


@pytest.fixture(scope="module")
def colours() -> np.ndarray:
    """Smooth colours, so that JPEG keeps them."""
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([across * 4, down * 6, np.full_like(down, 90)], axis=2).astype(np.uint8)


def saved(pixels: np.ndarray, kind: str, *, mode: str | None = None, **options: object) -> bytes:
    image = Image.fromarray(pixels)
    file = io.BytesIO()
    (image.convert(mode) if mode else image).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(("kind", "options", "distance"), [
    ("PNG", {}, 0), ("TIFF", {}, 0), ("TIFF", {"compression": "tiff_lzw"}, 0), ("TIFF", {"compression": "tiff_adobe_deflate"}, 0),
    ("JPEG", {"quality": 98, "subsampling": 0}, 6)])
def test_the_same_pixels_come_from_every_kind(colours, kind, options, distance):
    picture = read_picture(saved(colours, kind, **options))
    assert picture.kind == kind
    assert picture.notes == ()
    assert picture.pixels.dtype == np.uint8
    assert np.abs(picture.pixels.astype(int) - colours).max() <= distance


@pytest.mark.parametrize(("mode", "note"), [("L", "grey"), ("1", "black and white"), ("P", ""), ("LA", "transparency"),
                                            ("RGBA", "transparency")])
def test_other_modes_are_turned_into_colour_and_said(colours, mode, note):
    picture = read_picture(saved(colours, "PNG", mode=mode))
    assert picture.pixels.shape == colours.shape
    assert bool(picture.notes) == bool(note)
    assert note in " ".join(picture.notes)


def test_cmyk_is_turned_into_colour(colours):
    picture = read_picture(saved(colours, "JPEG", mode="CMYK", quality=98))
    assert picture.notes == ("CMYK turned into RGB",)
    assert np.abs(picture.pixels.astype(int) - colours).mean() < 6


def test_transparent_parts_become_black(colours):
    see_through = np.dstack([colours, np.zeros(colours.shape[:2], np.uint8)])
    assert read_picture(saved(see_through, "PNG")).pixels.max() == 0


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_spread_over_eight(kind):
    deep = np.linspace(0, 65535, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(np.uint16)
    picture = read_picture(saved(deep, kind))
    assert "16 bits reduced to 8" in picture.notes
    assert (picture.pixels[0, 0, 0], picture.pixels[-1, -1, 0]) == (0, 255)
    assert np.abs(picture.pixels[..., 1].astype(float) - deep / 257).max() <= 0.5


def test_a_picture_lying_on_its_side_is_turned(colours):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = read_picture(saved(colours, "PNG", exif=exif))
    assert np.array_equal(picture.pixels, np.rot90(colours, -1))
    assert "turned" in picture.notes[0]


@pytest.mark.parametrize(("width", "height"), [(20_000, 100), (9_000, 9_000), (100_000, 100_000), (10_001, 16)])
def test_what_the_header_promises_is_checked_before_anything_is_decoded(width, height):
    with pytest.raises(PictureTooLargeError, match=r"at most|far more"):
        read_picture(png_header(width, height))


def test_the_limits_are_the_callers(colours):
    content = saved(colours, "PNG")
    with pytest.raises(PictureTooLargeError, match="at most 100 bytes"):
        read_picture(content, limits=PictureLimits(max_bytes=100))
    with pytest.raises(PictureTooLargeError, match="at most 2,000 pixels"):
        read_picture(content, limits=PictureLimits(max_pixels=2000))
    with pytest.raises(UnsupportedPictureError, match="at least 64 pixels a side; got 60 x 40"):
        read_picture(content, limits=PictureLimits(min_side=64))


def test_a_compressed_text_in_a_png_cannot_fill_the_memory(colours):
    from PIL.PngImagePlugin import PngInfo

    bomb = PngInfo()
    bomb.add_text("comment", "a" * 50_000_000, zip=True)
    content = saved(colours, "PNG", pnginfo=bomb)
    assert len(content) < 100_000
    with pytest.raises(DamagedPictureError, match="damaged"):
        read_picture(content)


PEAK = """
import resource, sys
from pathlib import Path
from carefolio.exceptions import UnsuitablePictureError
from carefolio.pictures import read_picture

read_picture(Path(sys.argv[1]).read_bytes())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[2:]:
    try:
        read_picture(Path(path).read_bytes())
    except UnsuitablePictureError:
        print("refused")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_memory_stays_bounded_whatever_a_file_would_unpack_to(colours, tmp_path):
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("comment", "a" * 400_000_000, zip=True)
    files = {"small.png": saved(colours, "PNG"), "wide.png": png_header(20_000, 20_000), "text.png": saved(colours, "PNG", pnginfo=text),
             "grey.tif": saved(np.zeros((15_000, 15_000), np.uint8), "TIFF", compression="tiff_adobe_deflate")}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert all(len(content) < 2_000_000 for content in files.values())
    done = subprocess.run([sys.executable, "-c", PEAK, *(str(tmp_path / name) for name in files)], capture_output=True, text=True,
                          check=True, timeout=120)
    *refused, grown_mb = done.stdout.split()
    assert refused == ["refused"] * 3
    assert float(grown_mb) < 100, "each would unpack to hundreds of megabytes"


@pytest.mark.parametrize("content", [b"GIF89a" + b"\0" * 50, b"%PDF-1.7 ", b"<svg xmlns='x'/>", b"PK\x03\x04" + b"\0" * 40,
                                     b"hello", b"\0"])
def test_other_kinds_are_named_by_their_first_bytes(content):
    with pytest.raises(UnsupportedPictureError, match="JPEG, PNG, TIFF or DICOM"):
        read_picture(content)


def test_nothing_is_no_picture():
    with pytest.raises(DamagedPictureError, match="empty"):
        read_picture(b"")


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_an_animation_is_refused(colours, kind):
    file, frames = io.BytesIO(), [Image.fromarray(colours), Image.fromarray(colours[::-1])]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedPictureError, match="one frame; got 2"):
        read_picture(file.getvalue())


def test_numbers_that_are_no_colours_are_refused(colours):
    file = io.BytesIO()
    Image.fromarray(colours[..., 0].astype(np.float32)).save(file, "TIFF")
    with pytest.raises(UnsupportedPictureError, match="8 or 16 bits; got the mode 'F'"):
        read_picture(file.getvalue())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_half_a_file_is_damaged(colours, kind):
    content = saved(colours, kind)
    with pytest.raises(DamagedPictureError, match="damaged or incomplete"):
        read_picture(content[:len(content) // 2])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_altered_bytes_end_in_a_picture_or_in_one_of_the_errors(colours, kind):
    content, chance = saved(colours, kind), np.random.default_rng(0)
    outcomes = set()
    for _ in range(150):
        altered = bytearray(content)
        for place in chance.integers(0, len(content), size=3):
            altered[place] = chance.integers(0, 256)
        try:
            outcomes.add(read_picture(bytes(altered)).kind)
        except UnsuitablePictureError as error:
            outcomes.add(type(error).__name__)
    assert len(outcomes) > 1, "some alterations are harmless, others are not"


def test_a_picture_is_reduced_to_its_longest_side_and_never_enlarged(colours):
    assert reduced(colours, longest_side=30).shape == (20, 30, 3)
    assert reduced(colours, longest_side=100) is colours
