"""The model as one file, as `carefolio.deploy.bundle` packs it: the booster, its manifest, their checksums and ``SHA256SUMS``."""

from functools import partial

from carefolio.deploy import bundle
from carefolio.deploy.bundle import BUNDLE_NAME, SUMS_NAME, Bundle
from readmission.model import MANIFEST_FILE, MODEL_FILE

__all__ = ["BUNDLE_NAME", "CONTENT", "SEALED", "SUMS_NAME", "Bundle", "bundle_files", "model_sha256", "unpack_bundle", "write_bundle"]
SEALED = (MANIFEST_FILE, MODEL_FILE)
CONTENT = bundle.bundle_content(SEALED)
bundle_files = partial(bundle.bundle_files, sealed=SEALED)
model_sha256 = partial(bundle.model_sha256, sealed=SEALED)
write_bundle = partial(bundle.write_bundle, sealed=SEALED)
unpack_bundle = partial(bundle.unpack_bundle, sealed=SEALED)
