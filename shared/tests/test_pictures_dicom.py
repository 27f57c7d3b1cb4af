"""DICOM files give the pixels that they hold; what is not one plain picture is refused."""

import io

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    OphthalmicPhotography8BitImageStorage,
    RLELossless,
    generate_uid,
)

from carefolio.exceptions import DamagedPictureError, PictureTooLargeError, UnsuitablePictureError, UnsupportedPictureError
from carefolio.pictures import read_picture

HEIGHT, WIDTH = 32, 48


def dicom(pixels: np.ndarray, meaning: str = "RGB", *, syntax: str = ExplicitVRLittleEndian, stored: int | None = None,
          signed: bool = False, body: bytes | None = None, **changes: object) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = OphthalmicPhotography8BitImageStorage, generate_uid()
    meta.TransferSyntaxUID = syntax
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.PatientName = "Canary^Name"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = (3 if pixels.ndim == 3 else 1), meaning
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    bits = 8 * pixels.dtype.itemsize
    dataset.BitsAllocated, dataset.BitsStored = bits, stored or bits
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, int(signed)
    dataset.PixelData = body or pixels.tobytes()
    for name, value in changes.items():
        setattr(dataset, name, value)
    return dataset


def written(dataset: FileDataset) -> bytes:
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


@pytest.fixture(scope="module")
def colours() -> np.ndarray:
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([across * 5, down * 7, np.full_like(down, 60)], axis=2).astype(np.uint8)


def as_jpeg(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=98, subsampling=0)
    return file.getvalue()


def test_colour_comes_out_as_it_is_stored(colours):
    picture = read_picture(written(dicom(colours)))
    assert (picture.kind, picture.notes) == ("DICOM", ())
    assert np.array_equal(picture.pixels, colours)


def test_run_lengths_are_decoded(colours):
    dataset = dicom(colours)
    dataset.compress(RLELossless, generate_instance_uid=False)
    assert np.array_equal(read_picture(written(dataset)).pixels, colours)


def test_a_jpeg_frame_is_decoded(colours):
    dataset = dicom(colours, "YBR_FULL", syntax=JPEGBaseline8Bit, body=encapsulate([as_jpeg(colours)]))
    picture = read_picture(written(dataset))
    assert picture.pixels.shape == colours.shape
    assert np.abs(picture.pixels.astype(int) - colours).mean() < 4


@pytest.mark.parametrize(("meaning", "ends"), [("MONOCHROME2", (0, 255)), ("MONOCHROME1", (255, 0))])
def test_twelve_bits_of_grey_are_spread_over_eight(meaning, ends):
    deep = np.linspace(0, 4095, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(np.uint16)
    picture = read_picture(written(dicom(deep, meaning, stored=12)))
    assert (picture.pixels[0, 0, 0], picture.pixels[-1, -1, 2]) == ends
    assert picture.notes[:2] == ("12 bits reduced to 8", "grey widened to colour")


def test_signed_numbers_start_at_their_lowest():
    deep = np.linspace(-32768, 32767, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH).astype(np.int16)
    picture = read_picture(written(dicom(deep, "MONOCHROME2", signed=True)))
    assert (picture.pixels.min(), picture.pixels.max()) == (0, 255)


def test_a_promised_size_is_checked_before_anything_is_decoded(colours):
    with pytest.raises(PictureTooLargeError, match="20,000 x 32"):
        read_picture(written(dicom(colours, Columns=20_000)))


def test_a_frame_larger_than_stated_is_refused(colours):
    frame = encapsulate([as_jpeg(np.tile(colours, (4, 4, 1)))])
    with pytest.raises(DamagedPictureError, match=r"states 48 x 32 pixels, its frame has 192 x 128"):
        read_picture(written(dicom(colours, "YBR_FULL", syntax=JPEGBaseline8Bit, body=frame)))


@pytest.mark.parametrize(("changes", "said"), [
    ({"NumberOfFrames": 2}, "one frame; got 2"), ({"PhotometricInterpretation": "HSV"}, "got HSV, 8 bits"),
    ({"BitsAllocated": 32}, "32 bits")])
def test_what_is_not_one_plain_picture_is_refused(colours, changes, said):
    with pytest.raises(UnsupportedPictureError, match=said):
        read_picture(written(dicom(colours, **changes)))


def test_a_file_without_a_picture_is_refused(colours):
    dataset = dicom(colours)
    del dataset.PixelData
    with pytest.raises(UnsupportedPictureError, match="it holds none"):
        read_picture(written(dataset))


def test_transfer_syntaxes_that_hide_their_size_are_refused(colours):
    with pytest.raises(UnsupportedPictureError, match="deflated"):
        read_picture(written(dicom(colours, syntax=DeflatedExplicitVRLittleEndian)))
    with pytest.raises(UnsupportedPictureError, match="JPEG-LS"):
        read_picture(written(dicom(colours, syntax=JPEGLSLossless, body=encapsulate([b"\xff\xd8" * 10]))))


def test_half_a_file_is_damaged(colours):
    content = written(dicom(colours))
    for length in (132, 200, len(content) // 2):
        with pytest.raises(UnsuitablePictureError, match=r"damaged|none"):
            read_picture(content[:length])


def test_altered_bytes_end_in_a_picture_or_in_one_of_the_errors(colours):
    content, chance, outcomes = written(dicom(colours)), np.random.default_rng(0), set()
    for _ in range(150):
        altered = bytearray(content)
        for place in chance.integers(132, 700, size=3):
            altered[place] = chance.integers(0, 256)
        try:
            outcomes.add(read_picture(bytes(altered)).kind)
        except UnsuitablePictureError as error:
            assert "Canary" not in str(error), "an error names nobody"
            outcomes.add(type(error).__name__)
    assert len(outcomes) > 1


def test_nothing_about_the_patient_is_read(colours, monkeypatch):
    seen: list[pydicom.Dataset] = []
    plain = pydicom.dcmread
    monkeypatch.setattr(pydicom, "dcmread", lambda *args, **options: seen.append(plain(*args, **options)) or seen[-1])
    read_picture(written(dicom(colours)))
    assert "PatientName" not in seen[0]
