"""The ``retinopathy`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

import click

from carefolio.command import Group
from carefolio.stages import stage_verbs
from retinopathy.verbs import grade, open_run


@click.group(cls=Group)
@click.version_option(package_name="carefolio-retinopathy")
def main() -> None:
    """Photographs of the retina, graded for diabetic retinopathy; what is not sure goes to a person.

    \b
    retinopathy run --quick          all of it, small, in about a minute
    retinopathy run                  on all photographs
    retinopathy grade photo.jpg      what the last run makes of a photograph

    For research and education. Not a medical device; not for decisions about patients.
    """


STAGES = stage_verbs("retinopathy", "retinopathy", open_run, parts=("idrid", "retinamnist"),
                     about={"train": "See every photograph, fit the heads and export the grader; needs `data`.",
                            "evaluate": "Judge grades, promise and abstention on the test parts; needs `train`."})
for verb in (grade, *STAGES):
    main.add_command(verb)
