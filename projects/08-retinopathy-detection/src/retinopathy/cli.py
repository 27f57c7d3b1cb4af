"""The ``retinopathy`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path

import click

from carefolio.command import Group
from carefolio.stages import dashboard_verb, serve_options, stage_verbs
from retinopathy.cloud.verbs import cloud
from retinopathy.verbs import grade, open_run


@click.group(cls=Group)
@click.version_option(package_name="carefolio-retinopathy")
def main() -> None:
    """Photographs of the retina, graded for diabetic retinopathy; what is not sure goes to a person.

    \b
    retinopathy run --quick          all of it, small, in a minute or two
    retinopathy run                  on all photographs
    retinopathy grade photo.jpg      what the last run makes of a photograph
    retinopathy serve --no-auth      the same as an API, on this machine only
    retinopathy dashboard            grade a photograph, and browse the results

    For research and education. Not a medical device; not for decisions about patients.
    """


@click.command()
@serve_options(port=8008)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of a run whose grader is served.")
@click.option("--precision", type=click.Choice(["float32", "int8"]), default="float32", show_default=True,
              help="Numbers that the network computes with; int8 is faster, and now and then gives another grade.")
def serve(host: str, port: int, out: Path | None, precision: str, no_auth: bool) -> None:
    """Serve the grader as an API; makes a key if none is configured."""
    from carefolio.serving.start import key_header, start_server
    from retinopathy.artefacts import PRECISION_VARIABLE

    start_server("retinopathy.api:create_app", host=host, port=port, no_auth=no_auth,
                 variables={PRECISION_VARIABLE: precision} | ({"CAREFOLIO_ARTEFACTS": str(out.resolve())} if out else {}),
                 hint=lambda key: f"curl -s http://{host}:{port}/grade -H 'Content-Type: image/jpeg'{key_header(key)} "
                 "--data-binary @photo.jpg")


STAGES = stage_verbs("retinopathy", "retinopathy", open_run, parts=("idrid", "retinamnist"),
                     about={"train": "See every photograph, fit the heads and export the grader; needs `data`.",
                            "evaluate": "Judge grades, promise and abstention on the test parts; needs `train`."})
DASHBOARD = dashboard_verb("retinopathy", port=8508, about="Grade a photograph and browse the results; trains nothing.")
for verb in (grade, *STAGES, serve, DASHBOARD, cloud):
    main.add_command(verb)
