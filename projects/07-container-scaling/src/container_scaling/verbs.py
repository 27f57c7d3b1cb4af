"""What this chapter's command knows beyond the standard verbs: `load`, `plan`, `image`, `stack`, `swarm`, `check` and `bundle`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from container_scaling.config import ScalingSettings

OUT = click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of a run; default the committed results.")
CONFIG = click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML laid over the defaults.")


def open_run(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> "tuple[ScalingSettings, Path]":
    """Read the settings and find the folder of a run."""
    from carefolio.config import load_config
    from carefolio.runs import run_folder
    from container_scaling.config import FOLDER, PROJECT, ScalingSettings

    settings = load_config(ScalingSettings, PROJECT, file=config, quick=quick, seed=seed)
    return settings, run_folder(FOLDER, PROJECT, out, quick=quick)


@click.command()
@click.argument("url")
@click.option("--payloads", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="One JSON body a line.")
@click.option("--path", default="/predict", show_default=True, help="Route that takes them.")
@click.option("--rate", default=0.0, help="Requests a second; 0 sends the next when the last is answered.")
@click.option("--users", default=16, show_default=True, type=click.IntRange(min=1), help="Connections.")
@click.option("--seconds", default=20, show_default=True, type=click.IntRange(min=2), help="How long.")
@click.option("--retries", default=0, show_default=True, type=click.IntRange(min=0), help="Tries again after a failure.")
@click.option("--key", envvar="API_KEY", default="", help="Sent as X-API-Key; also from $API_KEY.")
def load(url: str, payloads: Path, path: str, rate: float, users: int, seconds: int, retries: int, key: str) -> None:
    """Drive the service at URL and say what it could do."""
    from container_scaling.load import Plan, drive

    result = drive(Plan((url.rstrip("/"),), str(payloads), seconds, users=users, rate=rate, path=path, retries=retries,
                        headers={"X-API-Key": key} if key else {}))
    click.echo(f"{result.requests:,} requests in {result.span_s:.1f} s: {result.throughput:,.1f} answered a second, "
               f"{result.refused:,} refused, {result.failed:,} failed, {result.retried:,} tried again")
    click.echo("answered within: " + ", ".join(f"{share:.0%} {result.quantile_ms(share):,.1f} ms" for share in (0.5, 0.95, 0.99)))


@click.command()
@CONFIG
@OUT
@click.option("--hospitals", type=click.IntRange(min=1), multiple=True, help="How many; may be given again. Default: the configured.")
def plan(config: Path | None, out: Path | None, hospitals: tuple[int, ...]) -> None:
    """Say how many replicas hospitals need, and what they cost."""
    from carefolio.config import project_home
    from container_scaling.config import FOLDER
    from container_scaling.costs import size_for
    from container_scaling.measurement import read_service_times

    settings, _ = open_run(config, False, None, None)
    service = read_service_times(out or project_home(FOLDER))
    click.echo(f"{'hospitals':>9} {'peak /s':>9} {'replicas':>8} {'busy':>6} {'p95 ms':>7} {'a month':>12}")
    for count in hospitals or settings.plan.hospitals:
        size = size_for(count, service, settings.plan, settings.prices)
        click.echo(f"{count:>9,} {size.peak_rate:>9,.1f} {size.replicas:>8,} {size.utilisation:>6.0%} {size.p_ms:>7.1f} "
                   f"{size.month:>8,.0f} {settings.prices.currency}")
    click.echo("Demand and prices are inputs: [plan] and [prices] of config.toml, or a file given by --config.")


@click.command()
@click.option("--project", default="02-readmission-pipeline", show_default=True, help="A folder in projects, or a file in docker/services.")
@click.option("--tag", help="Name of the image; default carefolio/<name>:local.")
@click.option("--base", default="python:3.11-slim", show_default=True, help="Base image; give it by digest.")
@click.option("--network", help="Network of the build, such as host.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Authority that signs for the package index.")
@click.option("--pip-config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Configuration of pip for the build.")
@click.option("--sbom", type=click.Path(dir_okay=False, path_type=Path), help="Write what is in the image as CycloneDX.")
@click.option("--audit", is_flag=True, help="Ask pip-audit for known vulnerabilities; needs a network.")
def image(project: str, tag: str | None, base: str, network: str | None, ca: Path | None, pip_config: Path | None, sbom: Path | None,
          audit: bool) -> None:
    """Build an image bound to this commit and its evidence."""
    from container_scaling import images

    name = tag or images.default_tag(project)
    built = images.build(project, tag=name, base=base, network=network, secrets={"ca": ca, "pip": pip_config})
    click.echo(f"{built.tag}: {built.size_mb:,.0f} MB, commit {built.labels['org.opencontainers.image.revision']}, "
               f"evidence {built.labels['org.carefolio.evidence.sha256'][:12]}")
    if sbom:
        click.echo(f"{images.write_sbom(name, sbom)} packages: {sbom}")
    if audit:
        found = images.audit(name)
        click.echo(f"{len(found)} known vulnerabilities" + "".join(f"\n  {line}" for line in found))
        raise SystemExit(20 if found else 0)


@click.command()
@click.argument("what", type=click.Choice(["up", "down", "status"]))
@click.option("--service", "services", multiple=True, help="Only these services and what they need.")
def stack(what: str, services: tuple[str, ...]) -> None:
    """Start, stop or look at the stack of docker/compose.yaml."""
    from container_scaling import stack as compose

    {"up": compose.up, "down": compose.down, "status": compose.status}[what](services, say=click.echo)


@click.command()
@click.option("--image", "name", default="carefolio/readmission:local", show_default=True, help="Image of the service.")
@click.option("--next-image", help="What the rolling update brings; by default the same image with half the trees.")
@click.option("--proxy-image", help="An image with HAProxy; by default the published one.")
@click.option("--rate", default=25.0, show_default=True, type=click.FloatRange(min=1), help="Requests a second.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of a run with requests; default the quick one.")
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write what happened.")
def swarm(name: str, next_image: str | None, proxy_image: str | None, rate: float, out: Path | None, path: Path | None) -> None:
    """Scale 1-2-3, kill a replica and roll to a new model under load; every request must be answered."""
    from carefolio.artefacts import write_json
    from carefolio.config import project_home
    from container_scaling import rehearsal
    from container_scaling.recorded import requests_of
    from container_scaling.servers import MODEL_FOLDER
    from container_scaling.swarm import PROXY_IMAGE

    requests = requests_of(out or open_run(None, True, None, None)[1])
    newer = next_image or rehearsal.build_next(name, project_home(MODEL_FOLDER) / "artefacts", f"{name}-next")
    story = rehearsal.rehearse(name, requests=requests, next_image=newer, rate=rate, proxy_image=proxy_image or PROXY_IMAGE,
                               say=click.echo)
    click.echo(f"{story.requests:,} requests: {story.answered:,} answered, {story.failed} failed, {story.refused} refused; asked again by "
               f"clients {story.retried}, by the proxy {story.proxy_retried}")
    if path:
        write_json(path, story.to_dict())
    raise SystemExit(0 if story.answered == story.requests else 21)


@click.command()
@click.option("--overlay", "overlays", multiple=True, help="Only this overlay; default all.")
def check(overlays: tuple[str, ...]) -> None:
    """Hold the Kubernetes manifests against schemas and this chapter's rules."""
    from container_scaling.manifests import check_overlays

    problems = check_overlays(overlays, say=click.echo)
    for problem in problems:
        click.echo(problem)
    raise SystemExit(22 if problems else 0)


@click.command()
@click.argument("archive", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--image", "name", required=True, help="Image by digest: registry/name@sha256:…")
def bundle(archive: Path, name: str) -> None:
    """Write the source bundle of Elastic Beanstalk to ARCHIVE."""
    from container_scaling.beanstalk import write_archive

    click.echo(f"{', '.join(write_archive(archive, name))}: {archive}")
