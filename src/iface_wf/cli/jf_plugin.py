"""``jf iface-wf ...``: our commands inside jobflow-remote's command line, for those who live there."""

from __future__ import annotations

import typer
from jobflow_remote.cli.jf import app


def setup_jf_plugin() -> None:
    """Register the command; jobflow-remote calls this when it finds the plugin's entry point."""
    app.command(
        "iface-wf",
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(_pass_on)


def _pass_on(context: typer.Context) -> None:
    """Interface DFT: submit, status, recover, cancel, results... All that `iface-wf -h` lists."""
    from iface_wf.cli.main import main

    raise typer.Exit(main(list(context.args)))
