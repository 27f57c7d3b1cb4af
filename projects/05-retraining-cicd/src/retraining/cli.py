"""The ``retraining`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path

import click

from carefolio.command import Group
from carefolio.stages import dashboard_verb, serve_options, stage_verbs
from retraining import verbs
from retraining.names import COMMAND, DEPLOYMENT_VARIABLE, PROJECT


@click.group(cls=Group)
@click.version_option(package_name="carefolio-retraining")
def main() -> None:
    """Continuous retraining of the readmission model: batch by batch, by a written protocol.

    \b
    retraining run --quick       a whole history, small, in about a minute
    retraining cycle             the next batch through every step; what a scheduler calls
    retraining status            what is deployed, what each batch came to
    retraining approve           a person's decision, where the protocol asks for one
    retraining rollback          the champion of before comes back
    retraining protocol          what may change, how it is verified, what it may do
    retraining plant FAULT       a planted fault, and what catches it
    retraining serve --no-auth   the deployed model as an API; follows the deployment

    For research and education. Not a medical device; not for decisions about patients.
    """


@click.command()
@serve_options(port=8005)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of a run whose deployment is served.")
def serve(host: str, port: int, out: Path | None, no_auth: bool) -> None:
    """Serve what is deployed, the committed model by default; a new release is taken over without restart."""
    from carefolio.config import project_home
    from carefolio.serving.start import curl_line, start_server
    from retraining.names import FOLDER

    of_run = [folder / "deployment" for folder in (out, out / "replay")] if out else [project_home(FOLDER) / "artefacts"]
    deployment = next((folder for folder in of_run if folder.is_dir()), of_run[0])
    start_server("retraining.api:create_app", host=host, port=port, no_auth=no_auth,
                 variables={DEPLOYMENT_VARIABLE: str(deployment.resolve())},
                 hint=lambda key: curl_line(host, port, key, path="/predict", body={"rows": [{}]}))


STAGES = stage_verbs(PROJECT, COMMAND, verbs.open_run,
                     about={"data": "Cut the published file into batches, as they would be delivered.",
                            "train": "Replay every batch through its cycle, and the planted faults; needs `data`.",
                            "evaluate": "Compare retraining with not retraining, batch by batch; needs `train`."})
DASHBOARD = dashboard_verb(PROJECT, port=8505, about="Batches, drift, decisions and gates in the browser; trains nothing.")
for verb in (verbs.cycle, verbs.step, verbs.status, verbs.approve, verbs.rollback, verbs.protocol, verbs.plant, *STAGES, serve, DASHBOARD):
    main.add_command(verb)
