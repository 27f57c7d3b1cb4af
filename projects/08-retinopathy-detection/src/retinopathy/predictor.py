"""The grader as the service uses it: a photograph in, grade, sureness and reasons out, without torch.

A photograph goes to a person, ungraded, if it shows no field or cannot be graded for its quality; and graded, if the set of grades that
keeps the promise holds more than one, or not the decided one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

from carefolio.artefacts import read_json, verify_seal
from carefolio.exceptions import ArtefactError
from carefolio.metrics.conformal import grade_sets
from carefolio.pictures import DEFAULT_LIMITS, PictureLimits, Pixels, read_picture
from retinopathy.heads import DME, DR, REFERABLE_STEP, decide_grade, grade_probabilities, tempered
from retinopathy.preparation import NoFieldError, cut_out, even_light, find_field
from retinopathy.quality import Quality, judge_quality

MODEL_FILE, SMALL_FILE, RECORD_FILE = "grader.onnx", "grader_int8.onnx", "grader.json"
Precision = Literal["float32", "int8"]
MODEL_FILES: dict[Precision, str] = {"float32": MODEL_FILE, "int8": SMALL_FILE}
"""What is committed; int8 is smaller and faster, and may now and then give another grade."""
NEEDED = ("side", "strength", "quality", "temperature", "referral", "sets", "files")
"""What the record must hold."""
_UNREADABLE = (runtime.Fail, runtime.InvalidArgument, runtime.InvalidGraph, runtime.InvalidProtobuf, runtime.NoSuchFile,
               runtime.NotImplemented)
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Graded:
    """The answer to one photograph.

    Attributes
    ----------
    gradable : bool
        Whether it was graded at all.
    reasons : tuple of str
        Why it goes to a person; empty if the grade may stand by itself.
    quality : dict of str to float
        Measures; empty where there is no field.
    grade, grades : int, tuple of int
        Decided grade, and the set that holds the right one with the promised probability; None and empty if not graded.
    probabilities : tuple of float
        Of grades 0 to 4.
    referable, referred : float, bool
        Probability of grade 2 and more, and whether it reaches the threshold.
    dme : float
        Probability of the highest risk of macular oedema.
    square, relevance : ndarray
        The field as it was photographed, and what each place adds to the referral.
    notes : tuple of str
        What was changed to read the picture.
    """

    gradable: bool
    reasons: tuple[str, ...]
    quality: dict[str, float] = field(default_factory=dict)
    grade: int | None = None
    grades: tuple[int, ...] = ()
    probabilities: tuple[float, ...] = ()
    referable: float | None = None
    referred: bool | None = None
    dme: float | None = None
    square: Pixels | None = None
    relevance: Floats | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RetinaPredictor:
    """A loaded grader; make it with `open`.

    Attributes
    ----------
    session : onnxruntime.InferenceSession
        The network.
    record : mapping
        What ``grader.json`` holds.
    sha256 : str
        Of the network that is loaded.
    """

    session: onnxruntime.InferenceSession
    record: Mapping[str, Any]
    sha256: str

    @classmethod
    def open(cls, folder: Path, *, threads: int = 1, precision: Precision = "float32") -> Self:
        """Check the files and load the network.

        Parameters
        ----------
        folder : Path
            As `retinopathy.export.export_grader` left it.
        threads : int, default 1
            Of one run of the network.
        precision : {"float32", "int8"}, default "float32"
            Numbers that the network computes with.

        Returns
        -------
        RetinaPredictor
            Ready to be asked.

        Raises
        ------
        ArtefactError
            If a file is missing, altered or unreadable.
        """
        verify_seal(folder / RECORD_FILE)
        name = MODEL_FILES[precision]
        sha256, record = verify_seal(folder / name), read_json(folder / RECORD_FILE)
        missing = [key for key in NEEDED if key not in record]
        if missing or record["files"].get(name) != sha256:
            raise ArtefactError(f"{folder / RECORD_FILE} must hold {', '.join(NEEDED)} and the hash of {name}; it lacks "
                                f"{', '.join(missing) or 'that hash'}. Export again with `retinopathy train`.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 3
        try:
            session = onnxruntime.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])
        except _UNREADABLE as error:
            raise ArtefactError(f"{folder / name} is no network that can be read: {str(error)[:120]}. Export again.") from None
        return cls(session, record, sha256)

    def ask(self, squares: Pixels) -> tuple[Floats, Floats]:
        """Ask the network.

        Parameters
        ----------
        squares : ndarray of uint8, shape (n, side, side, 3)
            Prepared photographs.

        Returns
        -------
        steps : ndarray of float32, shape (n, 6)
            Probabilities of the steps.
        relevance : ndarray of float32, shape (n, height, width)
            What each place adds to the referral.
        """
        steps, relevance = self.session.run(["steps", "relevance"], {"squares": squares})
        return steps, relevance

    def grade(self, content: bytes, *, limits: PictureLimits = DEFAULT_LIMITS) -> Graded:
        """Grade a photograph.

        Parameters
        ----------
        content : bytes
            JPEG, PNG, TIFF or DICOM.
        limits : PictureLimits, optional
            What is read at the most.

        Returns
        -------
        Graded
            Ungraded where there is no field, or its quality does not allow it.

        Raises
        ------
        UnsuitablePictureError
            If the file cannot be read as a picture.
        """
        picture = read_picture(content, limits=limits)
        try:
            square = cut_out(picture.pixels, find_field(picture.pixels), side=int(self.record["side"]))
        except NoFieldError as error:
            return Graded(gradable=False, reasons=(str(error),), notes=picture.notes)
        quality = judge_quality(square, self.record["quality"])
        if not quality.gradable:
            return Graded(gradable=False, reasons=quality.reasons, quality=quality.measures, square=square, notes=picture.notes)
        steps, relevance = self.ask(even_light(square, strength=float(self.record["strength"]))[None])
        return self._answer(steps.astype(np.float64), relevance[0], quality, square, picture.notes)

    def _answer(self, steps: npt.NDArray[np.float64], relevance: Floats, quality: Quality, square: Pixels,
                notes: tuple[str, ...]) -> Graded:
        steps = tempered(steps, float(self.record["temperature"]))
        probabilities = grade_probabilities(steps[:, DR])
        grade = int(decide_grade(steps[:, DR])[0])
        grades = tuple(int(one) for one in np.flatnonzero(grade_sets(probabilities, threshold=self.record["sets"])[0]))
        sure = grades == (grade,)
        told = () if sure else (f"not sure of one grade: {' or '.join(map(str, grades))} are possible",)
        referable = float(steps[0, REFERABLE_STEP])
        return Graded(gradable=True, reasons=told, quality=quality.measures, grade=grade, grades=grades,
                      probabilities=tuple(float(one) for one in probabilities[0]), referable=referable,
                      referred=referable >= self.record["referral"], dme=float(steps[0, DME][-1]), square=square, relevance=relevance,
                      notes=notes)
