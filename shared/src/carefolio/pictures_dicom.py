"""One frame of a DICOM file to plain pixels; nothing else of the file, such as a name, is read or kept.

Read are the plain transfer syntaxes, RLE, and JPEG in its baseline and 2000 forms. A deflated file is refused, since it would be inflated
whole before its size can be known; so is a compressed frame of another size than the file states.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from carefolio.exceptions import CarefolioError, DamagedPictureError, UnsupportedPictureError
from carefolio.pictures import Picture, PictureLimits, Pixels, check_size, open_image

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_PIXELS = ["Rows", "Columns", "SamplesPerPixel", "NumberOfFrames", "PhotometricInterpretation", "PlanarConfiguration", "BitsAllocated",
           "BitsStored", "HighBit", "PixelRepresentation", "PixelData", "RedPaletteColorLookupTableDescriptor",
           "GreenPaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
           "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData"]
"""All that is read of the file."""
_GREY = {"MONOCHROME1": "light is stored as dark, turned round", "MONOCHROME2": ""}
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "PALETTE COLOR")


def read_dicom(content: bytes, *, limits: PictureLimits) -> Picture:
    """Read the picture in a DICOM file.

    Parameters
    ----------
    content : bytes
        The whole file, with its preamble.
    limits : PictureLimits
        What is read at the most.

    Returns
    -------
    Picture
        Grey scales are spread over 8 bits by the bits stored, not by a window.

    Raises
    ------
    PictureTooLargeError
        If the picture that the header promises is larger than the limits.
    UnsupportedPictureError
        If there is no picture, more than one frame, or a form that is not read.
    DamagedPictureError
        If it is truncated or contradicts itself.
    """
    if _DEFLATED in content:
        raise UnsupportedPictureError("the DICOM file must not be deflated as a whole; export it with a plain or a JPEG transfer syntax.")
    try:
        dataset = _read_header(content, limits)
        return _decode(dataset)
    except CarefolioError:
        raise
    except Exception as error:  # noqa: BLE001 (a decoder given hostile bytes may raise anything)
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise DamagedPictureError(f"the DICOM file is damaged or incomplete ({said}). Send the whole file again.") from None


def _read_header(content: bytes, limits: PictureLimits) -> Any:
    """Parse what describes the pixels, and refuse what is too large or not one picture."""
    import pydicom

    dataset = pydicom.dcmread(io.BytesIO(content), specific_tags=_PIXELS)
    if "PixelData" not in dataset:
        raise UnsupportedPictureError("the DICOM file must hold a picture; it holds none. Send the image, not its report or directory.")
    check_size(int(dataset.Columns), int(dataset.Rows), limits)
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise UnsupportedPictureError(f"the DICOM file must hold one frame; got {frames}. Export the one that is to be read.")
    meaning = str(dataset.get("PhotometricInterpretation", ""))
    if meaning not in (*_GREY, *_COLOUR) or int(dataset.BitsAllocated) not in (8, 16):
        raise UnsupportedPictureError(f"the DICOM file must hold grey or colour of 8 or 16 bits; got {meaning or 'no meaning of colours'}, "
                                      f"{dataset.BitsAllocated} bits. Export it as PNG.")
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        _check_frame(dataset)
    return dataset


def _check_frame(dataset: Any) -> None:
    """Refuse a compressed frame of another size than the file states: it would be decoded whatever its size."""
    from pydicom.encaps import generate_frames
    from pydicom.uid import JPEG2000, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax == RLELossless:
        return  # its decoder stops at the stated size
    if syntax not in (JPEGBaseline8Bit, JPEG2000, JPEG2000Lossless):
        raise UnsupportedPictureError(f"the DICOM file must be plain, RLE, JPEG baseline or JPEG 2000; got {syntax.name}. Export it in one "
                                      "of these transfer syntaxes.")
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    with open_image(frame, formats=("JPEG", "JPEG2000")) as image:
        if image.size != (dataset.Columns, dataset.Rows):
            raise DamagedPictureError(f"the DICOM file states {dataset.Columns} x {dataset.Rows} pixels, its frame has {image.width} x "
                                      f"{image.height}. Send the file as the camera wrote it.")


def _decode(dataset: Any) -> Picture:
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.pixels.utils import pixel_array

    values, meaning = pixel_array(dataset), str(dataset.PhotometricInterpretation)
    bits, signed = int(dataset.BitsStored), bool(dataset.PixelRepresentation)
    if meaning == "PALETTE COLOR":
        values = np.asarray(apply_color_lut(values, dataset))
        bits, signed = 8 * values.dtype.itemsize, False
    shallow, notes = _in_eight_bits(values, bits, signed=signed), [f"{bits} bits reduced to 8"] * (bits > 8)
    if meaning in _GREY:
        shallow = np.repeat((255 - shallow if _GREY[meaning] else shallow)[..., None], 3, axis=2)
        notes += ["grey widened to colour", *filter(None, [_GREY[meaning]])]
    return Picture(np.ascontiguousarray(shallow), "DICOM", tuple(notes))


def _in_eight_bits(values: npt.NDArray[Any], bits: int, *, signed: bool) -> Pixels:
    """Spread the range of the bits stored over 0 to 255."""
    if bits == 8 and values.dtype == np.uint8:
        return values
    top = 2**bits - 1
    shifted = (values.astype(np.int32) + (2 ** (bits - 1) if signed else 0)).clip(0, top)
    return np.asarray(np.round(shifted * np.float32(255 / top)), dtype=np.uint8)
