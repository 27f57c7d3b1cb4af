"""How much a photograph must show: the same network and heads on photographs that were first made small.

Each photograph is reduced to so many pixels and enlarged again to the size that the network looks at, so that nothing but what can be seen
differs. Heads are fitted anew for each size, with the strength that loses least out of fold.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from carefolio.pictures import Pixels, read_picture
from carefolio.progress import progress_bar
from retinopathy.choosing import FROZEN, read_steps, read_wanted
from retinopathy.config import PreparationSettings, RetinopathySettings
from retinopathy.features import ahead, done_before, extract, field_or_whole, note_done, read_features, write_features
from retinopathy.heads import answer_all
from retinopathy.preparation import cut_out, even_light
from retinopathy.seeing import PHOTOGRAPHS, depends_on, kept_photographs, look

if TYPE_CHECKING:
    from retinopathy.model import Eye

Floats = npt.NDArray[np.float64]
FILE = "sizes.npz"


def train_sizes(settings: RetinopathySettings, out: Path, eye: Eye) -> None:
    """See the photographs at each smaller size, fit heads, and keep their answers.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run, with its grader trained.
    eye : Eye
        The network.
    """
    note = out / "train" / "sizes.json"
    told = depends_on(settings, out, PHOTOGRAPHS) | {"strengths": settings.heads.strengths, "sizes": settings.evaluation.sizes}
    if done_before(note, told):
        return
    wanted, found = read_wanted(out), dict[str, Floats]()
    pictures = kept_photographs(out)["image"]
    for pixels in settings.evaluation.sizes:
        make = partial(made_small, settings=settings.preparation, pixels=pixels)
        with progress_bar(f"photographs at {pixels} pixels") as advance:
            seen, *_ = extract(ahead(make, pictures), partial(look, eye), rows=len(pictures),
                               batch=settings.features.batch, advance=advance)
        found[str(pixels)], _ = answer_all(seen, *wanted, strengths=settings.heads.strengths)
    write_features(out / "train" / FILE, **found)
    note_done(note, told)


def made_small(content: bytes, settings: PreparationSettings, *, pixels: int) -> list[Pixels]:
    """Prepare a photograph whose field has so many pixels across, enlarged to the size that the network looks at.

    Parameters
    ----------
    content : bytes
        The file.
    settings : PreparationSettings
        Size and strength.
    pixels : int
        Across the field.

    Returns
    -------
    list of ndarray of uint8, shape (side, side, 3)
        One.
    """
    from PIL import Image

    photograph = read_picture(content).pixels
    small = Image.fromarray(cut_out(photograph, field_or_whole(photograph), side=pixels))
    large = np.asarray(small.resize((settings.side, settings.side), Image.Resampling.BICUBIC))
    return [even_light(large, strength=settings.strength)]


def read_sizes(settings: RetinopathySettings, out: Path) -> dict[int, Floats]:
    """Read the answers at every size, the whole one too.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.

    Returns
    -------
    dict of int to ndarray, shape (n, 6)
        Probabilities of the steps by pixels across the field, of heads on the frozen network.
    """
    kept = {int(name): steps for name, steps in read_features(out / "train" / FILE).items()}
    return kept | {settings.preparation.side: read_steps(out)[FROZEN]}
