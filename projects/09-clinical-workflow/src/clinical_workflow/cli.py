"""The ``workflow`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path

import click

from carefolio.command import Group
from carefolio.stages import dashboard_verb, serve_options, stage_verbs
from clinical_workflow import verbs
from clinical_workflow.verbs import open_run


@click.group(cls=Group)
@click.version_option(package_name="carefolio-clinical-workflow")
def main() -> None:
    """AI inside the care workflow: FHIR R4, CDS Hooks 2.0, SMART, and a mock hospital to try it in.

    \b
    workflow story                the closed loop once, with real processes; prints what is exchanged
    workflow story --keep         the same, and everything stays open for a look in the browser
    workflow run --quick          what of the published charts can be read, and the simulation, in about a minute
    workflow serve                the decision support service (CDS Hooks 2.0); shadow mode first
    workflow hospital             the mock hospital, in the browser
    workflow switch off           stops all cards; holds from the next call on
    workflow monitor              calls, times, cards, what became of them, and the gate
    workflow governance --check   hazards, and the tests that prove their controls

    For research and education. Not a medical device; not for decisions about patients.
    """


@click.command()
@serve_options(port=8009)
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML laid over the defaults.")
def serve(host: str, port: int, config: Path | None, no_auth: bool) -> None:
    """Serve decision support as CDS Hooks 2.0; makes a key for the switch if none is configured. With --no-auth no token is asked for."""
    from carefolio.serving.start import key_header, start_server
    from clinical_workflow.config import CONFIG_VARIABLE

    address = f"http://{host}:{port}"
    start_server("clinical_workflow.api:create_app", host=host, port=port, no_auth=no_auth,
                 variables={CONFIG_VARIABLE: str(config.resolve())} if config else {},
                 hint=lambda key: f"services: curl -s {address}/cds-services\nmonitor:  curl -s {address}/admin/monitor{key_header(key)}\n"
                 f"stop all: curl -s -X PUT {address}/admin/switch{key_header(key)} -H 'Content-Type: application/json' "
                 "-d '{\"mode\":\"off\",\"why\":\"by hand\"}'")


STAGES = stage_verbs("clinical_workflow", "workflow", open_run,
                     about={"data": "Get the published charts and check their bytes.",
                            "train": "Nothing is trained: the models are the other chapters'. Says so, and goes on.",
                            "evaluate": "Read every chart, count what could be mapped, and run the simulation; needs `data`."})
DASHBOARD = dashboard_verb("clinical_workflow", port=8509, about="The committed results, and as a SMART app the alerts of one patient.")
for verb in (verbs.story, *STAGES, serve, verbs.hospital, verbs.switch, verbs.monitor, verbs.governance, DASHBOARD):
    main.add_command(verb)
