"""The ``scaling`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

import click

from carefolio.command import Group
from carefolio.stages import dashboard_verb, serve_options, stage_verbs
from container_scaling.verbs import bundle, check, image, load, open_run, plan, stack, swarm


@click.group(cls=Group)
@click.version_option(package_name="carefolio-container-scaling")
def main() -> None:
    """How many replicas a prediction service needs, measured, predicted and run in containers.

    \b
    scaling run --quick          measure, predict and compare in under a minute; no Docker needed
    scaling run                  all of it, twenty minutes on an idle machine
    scaling plan --hospitals 40  replicas and cost from the committed measurement
    scaling load URL             drive a service of your own
    scaling image                build an image and say what is in it
    scaling stack up             proxy, replicas, MLflow, Prometheus, Grafana and hub on this machine
    scaling swarm                scale, kill and replace replicas under load on Docker Swarm
    scaling check                hold the Kubernetes manifests against schemas and rules

    For research and education. Not a medical device; not for decisions about patients.
    """


@click.command()
@serve_options(port=8007)
def serve(host: str, port: int, no_auth: bool) -> None:
    """Serve the calculator as an API; makes a key if none is configured."""
    from carefolio.serving.start import curl_line, start_server

    start_server("container_scaling.api:create_app", host=host, port=port, no_auth=no_auth,
                 hint=lambda key: curl_line(host, port, key, path="/plan", body={"hospitals": 100}))


STAGES = stage_verbs("container_scaling", "scaling", open_run,
                     about={"data": "Record the requests that load tests send.",
                            "train": "Measure service times and fit the queueing model; needs `data`.",
                            "evaluate": "Load the service and compare with the model; needs `train`."})
DASHBOARD = dashboard_verb("container_scaling", port=8507, about="Scaling curves, a running stack, the calculator; measures nothing.")
for verb in (*STAGES, load, plan, serve, DASHBOARD, image, stack, swarm, check, bundle):
    main.add_command(verb)
