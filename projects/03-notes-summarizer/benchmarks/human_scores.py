"""Compare the meter of faithfulness with the manual scores of MTS-Dialog, and keep the result in ``reports/measured``.

The two files are not part of the catalogue; get them from the publisher's folder ``Correlation-Study`` (CC BY 4.0) and run
``python projects/03-notes-summarizer/benchmarks/human_scores.py FOLDER`` at the top of the repository.
"""

import sys
from pathlib import Path

from carefolio.config import load_config, project_home
from carefolio.datasets.mts_dialog import load_mts_dialog
from carefolio.measured import write_measured
from notes_summarizer.config import FOLDER, NotesSettings
from notes_summarizer.evaluation.human import agreement, read_judged
from notes_summarizer.summary.vocabulary import vocabulary


def main(folder: Path) -> None:
    settings = load_config(NotesSettings, "notes_summarizer")
    judged = read_judged(folder, load_mts_dialog().frame.filter(part="validation"))
    metrics = agreement(judged, settings.evaluation, terms=vocabulary().terms, seed=settings.seed)
    for name, value in metrics.items():
        print(f"{name:55} {value.value:.3f} ({value.low:.3f} to {value.high:.3f}), n = {value.n}")
    command = "python projects/03-notes-summarizer/benchmarks/human_scores.py FOLDER"
    print(write_measured(project_home(FOLDER) / "reports" / "measured" / "human_scores.json", metrics, command=command))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
