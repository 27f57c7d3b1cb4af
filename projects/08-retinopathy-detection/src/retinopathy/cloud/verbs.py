"""`cloud`: what a cloud would be asked for, and the rehearsal of it on this machine."""

from pathlib import Path

import click


@click.command()
@click.option("--target", type=click.Choice(["local", "sagemaker", "azureml", "vertex"]), default="local", show_default=True,
              help="Where to; local rehearses on this machine.")
@click.option("--apply/--dry-run", "apply", default=False, show_default=True, help="Do it (local only), or only say what would be done.")
@click.option("--check", is_flag=True, help="With a cloud: check the files offline by its own description of its interface.")
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML laid over cloud/cloud.toml.")
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), envvar="CAREFOLIO_DATA_DIR", show_envvar=True,
              help="With local: folder that holds idrid/; drawn retinas without one.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the plan, the files and the command lines.")
def cloud(target: str, apply: bool, check: bool, config: Path | None, data: Path | None, out: Path | None) -> None:
    """Specify training and endpoint for a cloud; with --target local --apply, rehearse them here.

    For research and education. Not a medical device.
    """
    from carefolio.config import project_home
    from carefolio.deploy.steps import render_plan
    from retinopathy.cloud import plan as plans
    from retinopathy.cloud.local import apply_local
    from retinopathy.cloud.settings import load_settings
    from retinopathy.config import FOLDER, PROJECT

    settings = load_settings(config)
    specification = plans.specify(target, settings, data=data)
    if apply and target != "local":
        raise plans.refuse_apply(specification)
    click.echo(render_plan(specification.plan, missing_for="the cloud"))
    if check:
        click.echo(f"checked offline: {plans.check(specification)}")
    if apply:
        folder = out or project_home(FOLDER).parents[1] / "outputs" / PROJECT / "cloud"
        apply_local(specification.plan, settings.local, data=data, folder=folder, say=click.echo)
    elif out:
        click.echo(f"written: {', '.join(str(file) for file in plans.write_specification(specification, out))}")
    else:
        do_it = ", --apply to do it" if target == "local" else ""
        click.echo(f"Nothing was done. Add --out to keep the plan and the files it names{do_it}.")
