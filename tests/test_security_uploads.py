"""What is sent to be read, through the real apps with their committed models: photographs and texts that attack their reader."""

import base64
import io
import json
from collections.abc import Iterator

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, OphthalmicPhotography8BitImageStorage, generate_uid

from carefolio.datasets.fundus_twin import draw_fundus, encode_jpeg
from carefolio.testing import png_header

from .security_apps import App, opened

CANARY = "Canary^Jane"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><image href="file:///etc/passwd"/></svg>'
ENTITY = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'


@pytest.fixture(scope="module")
def grader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The retinopathy API with the committed grader."""
    with opened("retinopathy.api", tmp_path_factory.mktemp("grader")) as found:
        yield found


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The notes API."""
    with opened("notes_summarizer.api", tmp_path_factory.mktemp("notes")) as found:
        yield found


@pytest.fixture(scope="module")
def retina() -> np.ndarray:
    """A drawn retina."""
    return np.asarray(draw_fundus(np.random.default_rng(3), grade=2, side=384))


def jpeg_with_exif(retina: np.ndarray, **options: object) -> bytes:
    """A photograph whose EXIF names a patient and a place."""
    picture, file = Image.fromarray(retina), io.BytesIO()
    exif = picture.getexif()
    exif[0x010E], exif[0x013B] = CANARY, CANARY
    exif.get_ifd(0x8825)[1] = "N"
    picture.save(file, "JPEG", exif=exif, comment=CANARY.encode(), **options)
    return file.getvalue()


def dicom(retina: np.ndarray, **changes: object) -> bytes:
    """A photograph as DICOM, with a patient's name."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = OphthalmicPhotography8BitImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.PatientName, dataset.PatientID = CANARY, CANARY
    dataset.Rows, dataset.Columns = retina.shape[:2]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.PixelData = retina.tobytes()
    for name, value in changes.items():
        setattr(dataset, name, value)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def bomb(side: int) -> bytes:
    """A real PNG of one colour: some kilobytes that unpack to many megabytes."""
    file = io.BytesIO()
    Image.new("L", (side, side)).save(file, "PNG", compress_level=9)
    return file.getvalue()


def sent_in_every_way(app: App, content: bytes) -> list[int]:
    """Send a file as it is, as a form, and in base64 within JSON; nothing of it comes back."""
    form = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="../../x.jpg"\r\n\r\n' + content + b"\r\n--b--\r\n"
    packed = json.dumps({"photo": base64.b64encode(content).decode()}).encode()
    ways = [("application/octet-stream", content), ("multipart/form-data; boundary=b", form), ("application/json", packed)]
    answers = [app.ask("POST", "/grade", headers=[("Content-Type", kind)], body=body) for kind, body in ways]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not any(word in answer.text for word in ("Canary", "root:x:", "Traceback", "site-packages", "PIL.", "pydicom"))
    return [answer.status for answer in answers]


def hostile_files(retina: np.ndarray) -> dict[str, tuple[bytes, int]]:
    """Name files that attack their reader, and how each is refused."""
    whole = encode_jpeg(retina)
    tall = dicom(retina, Rows=60_000, Columns=60_000)
    return {"header of a gigapixel": (png_header(40_000, 40_000), 413), "bomb": (bomb(12_000), 413),
            "wide": (png_header(2**31 - 1, 1), 413),
            "truncated": (whole[:len(whole) // 2], 422), "SVG": (SVG, 415), "XML": (ENTITY, 415),
            "HTML": (b"<html><script>1</script>", 415),
            "PDF": (b"%PDF-1.7\n" + b"x" * 100, 415), "program": (b"\x7fELF" + b"\0" * 100, 415), "zip": (b"PK\x03\x04" + b"\0" * 100, 415),
            "DICOM without its pixels": (tall, 413), "DICOM cut short": (dicom(retina)[:2000], 422)}


@pytest.mark.parametrize("kind", hostile_files(np.zeros((64, 64, 3), np.uint8)))
def test_a_file_that_attacks_its_reader_is_refused(grader, retina, kind):
    content, status = hostile_files(retina)[kind]
    assert sent_in_every_way(grader, content) == [status] * 3
    assert grader.ask("GET", "/health/ready", key=None).status == 200


def test_bytes_at_random_never_break_the_reader(grader, retina):
    rng, whole = np.random.default_rng(0), bytearray(jpeg_with_exif(retina))
    for _ in range(40):
        changed = bytearray(whole)
        for place in rng.integers(0, len(whole), 20):
            changed[place] = int(rng.integers(256))
        assert grader.ask("POST", "/grade", headers=[("Content-Type", "image/jpeg")], body=bytes(changed)).status in (200, 413, 415, 422)


def test_who_is_named_in_a_photograph_is_named_nowhere(grader, retina, caplog):
    caplog.set_level("DEBUG", logger="carefolio")
    for content in (jpeg_with_exif(retina), dicom(retina), jpeg_with_exif(retina)[:3000]):
        assert CANARY.encode() in content
        assert set(sent_in_every_way(grader, content)) <= {200, 422}
    assert sent_in_every_way(grader, dicom(retina)) == [200] * 3, "read, and its tags left alone"
    for text in (caplog.text, grader.audit_log.read_text(encoding="utf-8"), grader.ask("GET", "/metrics").text):
        assert "Canary" not in text
    assert pydicom.dcmread(io.BytesIO(dicom(retina))).PatientName == CANARY


def test_a_form_with_more_than_one_file_or_many_fields_is_refused(grader):
    part = b'--b\r\nContent-Disposition: form-data; name="photo%d"; filename="x"\r\n\r\nx\r\n'
    for count in (2, 2000):
        form = b"".join(part % place for place in range(count)) + b"--b--\r\n"
        assert grader.ask("POST", "/grade", headers=[("Content-Type", "multipart/form-data; boundary=b")], body=form).status in (400, 422)
    for kind, body in (("multipart/form-data", b"x"), ("multipart/form-data; boundary=b", b"--b"),
                       ("multipart/form-data; boundary=" + "b" * 9000, b"")):
        assert grader.ask("POST", "/grade", headers=[("Content-Type", kind)], body=body).status in (400, 422)


@pytest.mark.parametrize("note", ["<script>alert(1)</script>" * 50, "{{7*7}} ${7*7} %s %n {0.__class__}", "a\u0000b",
                                  "\u202e" * 1000, "e\u0301" * 5000,
                                  "\ufffe\uffff", "(" * 5000, "A" * 100_000, "1 " * 20_000, "Mr. " * 3000, "\r\n" * 5000,
                                  "=cmd|' /C calc'!A0"])
def test_a_text_that_attacks_is_read_as_text_or_refused(notes, note):
    for path, name in (("/summarize", "note"), ("/deidentify", "text"), ("/leaflet", "question")):
        answer = notes.send(path, {name: note})
        assert answer.status in ((200, 422, 503) if path == "/leaflet" else (200, 422)), (path, answer.status, answer.text[:200])
        assert answer.headers["content-type"].startswith(("application/json", "application/problem+json"))
        assert "Traceback" not in answer.text
