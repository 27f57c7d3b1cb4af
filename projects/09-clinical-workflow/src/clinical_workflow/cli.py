"""The ``workflow`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path

import click

from carefolio.command import Group
from carefolio.stages import dashboard_verb, stage_verbs
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
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", type=click.IntRange(1, 65535), default=8009, show_default=True, help="Port to bind.")
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML laid over the defaults.")
@click.option("--no-auth", is_flag=True, help="Ask clients for no token, and for no key; on this machine only.")
def serve(host: str, port: int, config: Path | None, no_auth: bool) -> None:
    """Serve decision support as CDS Hooks 2.0; makes a key for the switch if none is configured."""
    import os

    from carefolio.command import serve_app
    from carefolio.serving.start import server_environment
    from clinical_workflow.config import CONFIG_VARIABLE

    variables, key = server_environment(os.environ, host=host, no_auth=no_auth)
    os.environ.update(variables | ({CONFIG_VARIABLE: str(config.resolve())} if config else {}))
    header = f' -H "X-API-Key: {key}"' if key else ""
    click.echo(f"services: curl -s http://{host}:{port}/cds-services\nmonitor:  curl -s http://{host}:{port}/admin/monitor{header}\n"
               f"stop all: curl -s -X PUT http://{host}:{port}/admin/switch{header} -H 'Content-Type: application/json' "
               "-d '{\"mode\":\"off\",\"why\":\"by hand\"}'")
    serve_app("clinical_workflow.api:create_app", host=host, port=port)


STAGES = stage_verbs("clinical_workflow", "workflow", open_run,
                     about={"data": "Get the published charts and check their bytes.",
                            "train": "Nothing is trained: the models are the other chapters'. Says so, and goes on.",
                            "evaluate": "Read every chart, count what could be mapped, and run the simulation; needs `data`."})
DASHBOARD = dashboard_verb("clinical_workflow", port=8509, about="The committed results, and as a SMART app the alerts of one patient.")
for verb in (verbs.story, *STAGES, serve, verbs.hospital, verbs.switch, verbs.monitor, verbs.governance, DASHBOARD):
    main.add_command(verb)
