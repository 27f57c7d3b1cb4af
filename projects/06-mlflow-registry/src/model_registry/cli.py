"""The ``registry`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path

import click

from carefolio.command import Group
from carefolio.stages import dashboard_verb, serve_options, stage_verbs
from model_registry import verbs
from model_registry.names import EXPERIMENTS
from model_registry.verbs import open_run


@click.group(cls=Group)
@click.version_option(package_name="carefolio-model-registry")
def main() -> None:
    """Experiments and models in MLflow: searched, registered by alias, served, and made again to the digit.

    \b
    registry run --quick                     both searches in a quarter of a minute, into a database of their own
    registry serve --no-auth                 answers with the first model of that database
    registry up                              an MLflow server on this machine; then, elsewhere:
      export MLFLOW_TRACKING_URI=http://127.0.0.1:5000
      registry search --quick                the same, recorded on the server
      registry show                          searches, versions, aliases
      registry register readmission RUN_ID   its model becomes a version, called challenger
      registry compare readmission           by how much does the challenger do better on the same patients?
      registry promote readmission           the challenger becomes champion
      registry rollback readmission          the champion of before comes back
      registry serve --no-auth               answers with the champion; follows the alias without restart
      registry reproduce RUN_ID              makes a run again and compares to 1e-9

    For research and education. Not a medical device; not for decisions about patients.
    """


@click.command()
@serve_options(port=8006)
@click.option("--name", type=click.Choice(EXPERIMENTS), default="readmission", show_default=True, help="Registered model.")
@verbs.OUT
@verbs.URI
def serve(host: str, port: int, name: str, out: Path | None, tracking_uri: str | None, no_auth: bool) -> None:
    """Serve the champion as an API; a change of the alias is picked up without restart."""
    from carefolio.serving.start import curl_line, start_server
    from model_registry.api import ADDRESS_VARIABLE, NAME_VARIABLE
    from model_registry.places import address_for

    start_server("model_registry.api:create_app", host=host, port=port, no_auth=no_auth,
                 variables={ADDRESS_VARIABLE: address_for(tracking_uri, out), NAME_VARIABLE: name},
                 hint=lambda key: curl_line(host, port, key, path="/predict", body={"rows": [{}]}))


STAGES = stage_verbs("model_registry", "registry", open_run,
                     about={"data": "Make both tables: chapter 02's own, and SUPPORT2.",
                            "train": "Search both experiments, a nested run a trial; needs `data`.",
                            "evaluate": "Judge both models on held-out patients; needs `train`."})
DASHBOARD = dashboard_verb("model_registry", port=8506, about="Leaderboard, importance and lineage in the browser; trains nothing.")
for verb in (verbs.up, *STAGES, verbs.search, verbs.deliver, verbs.show, verbs.register, verbs.promote, verbs.rollback, verbs.diff,
             verbs.compare, verbs.reproduce, serve, DASHBOARD):
    main.add_command(verb)
