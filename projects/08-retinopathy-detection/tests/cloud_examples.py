"""Complete settings of clouds that do not exist, and photographs in other formats."""

import io
from typing import Any

import numpy as np
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, OphthalmicPhotography8BitImageStorage, generate_uid

from carefolio.config import merge
from retinopathy.cloud.settings import CloudSettings, load_settings

IDENTITY = {"RETINOPATHY_SAGEMAKER_ROLE_ARN": "arn:aws:iam::123456789012:role/sagemaker",
            "AZURE_STORAGE_CONNECTION_STRING": "AccountKey=hidden-away", "AZURE_SUBSCRIPTION_ID": "subscription",
            "AZURE_RESOURCE_GROUP": "group", "AZURE_WORKSPACE_NAME": "place", "GOOGLE_CLOUD_PROJECT": "ours-123",
            "RETINOPATHY_VERTEX_SERVICE_ACCOUNT": "trainer@ours-123.iam.gserviceaccount.com"}
COMPLETE: dict[str, dict[str, Any]] = {
    "sagemaker": {"bucket": "photographs-of-ours",
                  "image_uri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/retinopathy@sha256:" + "0" * 64},
    "azureml": {"image_uri": "ours.azurecr.io/retinopathy:1"},
    "vertex": {"bucket": "photographs-of-ours", "image_uri": "us-central1-docker.pkg.dev/ours-123/images/retinopathy:1"}}
TOML = "".join(f"[{table}]\n" + "".join(f'{name} = "{value}"\n' for name, value in values.items()) for table, values in COMPLETE.items())


def cloud_settings(**changes: Any) -> CloudSettings:
    """Complete settings, with changes by table."""
    return load_settings(over=merge(COMPLETE, changes))


def as_png(photo: bytes) -> bytes:
    """The same photograph as a PNG."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(photo)) as image:
        image.save(file, "PNG")
    return file.getvalue()


def as_dicom(photo: bytes) -> bytes:
    """The same photograph as DICOM, not compressed."""
    with Image.open(io.BytesIO(photo)) as image:
        pixels = np.asarray(image.convert("RGB"))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = OphthalmicPhotography8BitImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel, dataset.PhotometricInterpretation = *pixels.shape[:2], 3, "RGB"
    dataset.PlanarConfiguration = dataset.PixelRepresentation = 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelData = pixels.tobytes()
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()
