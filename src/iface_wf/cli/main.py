"""The command ``iface-wf``: puts the commands together and turns errors into one line and an exit code."""

from __future__ import annotations

import io
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Annotated, Any

import typer

from iface_wf import __version__
from iface_wf.cli import (
    build,
    doctor,
    export,
    library,
    papers,
    queue,
    ranking,
    reactions,
    report,
    results,
    run,
    screen,
    serve,
    status,
    store,
    submit,
    surfaces,
)
from iface_wf.cli import collect as vasp
from iface_wf.cli.terminal import one_line, visible, write_anything
from iface_wf.errors import IfaceError, InputError, NoticeWarning, OutageError, foreseen
from iface_wf.former import FormerNameWarning, todays_arguments
from iface_wf.interrupts import interrupts_noted
from iface_wf.outages import outage_of, patience
from iface_wf.secrets import away, is_own, scrub

DEBUG_VARIABLE = "IFACE_WF_DEBUG"
INTERRUPTED = 130
#: Something is away that will come back; EX_TEMPFAIL of sysexits.h.
OUTAGE = 75
#: Longest argument, characters: SMILES and conditions have 5,000 at most.
LONGEST_ARGUMENT = 6000

app = typer.Typer(
    name="iface-wf",
    help="Binding energies, Bader charges and charge-density differences of fillers, polymers and salts.",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: rich alone would take longer to import than everything else
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"iface-wf {__version__}")
        raise typer.Exit


@app.callback()
def _global_options(
    debug: Annotated[bool, typer.Option("--debug", help=f"Show tracebacks (also: {DEBUG_VARIABLE}=1).")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    if debug:
        os.environ[DEBUG_VARIABLE] = "1"
    patience()  # refused now rather than in the outage that it is for, hours later


app.command("run")(run.run)
app.command("screen")(screen.screen)
app.command("submit")(submit.submit)
app.command("status")(status.status)
app.command("recover")(status.recover)
app.command("cancel")(status.cancel)
app.command("results")(results.results)
app.command("best")(ranking.best)
app.command("compare")(ranking.compare)
app.command("show")(results.show)
app.command("provenance")(ranking.provenance)
app.command("report")(report.report)
app.command("serve")(serve.serve)
app.command("export")(export.export)
app.command("papers")(papers.papers)
app.command("surfaces")(surfaces.surfaces)
app.command("reactions")(reactions.reactions)
app.command("build")(build.build)
app.command("collect")(vasp.collect)
app.add_typer(library.app, name="library")
app.add_typer(queue.app, name="queue")
app.add_typer(store.app, name="store")
app.command("doctor")(doctor.doctor)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        What follows the program's name; by default what the shell gave.

    Returns
    -------
    int
        Exit code: 0 all right, 1 a calculation or a check failed, 2 the input cannot be used, 75 disk or server are away,
        130 interrupted.
    """
    if not sys.warnoptions:
        # Notes of libraries to their own callers are no use to whoever runs a command.
        warnings.simplefilter("ignore", FutureWarning)
    for kind in (FormerNameWarning, NoticeWarning):
        warnings.simplefilter("always", kind)
    write_anything()
    given = sys.argv[1:] if arguments is None else arguments
    try:
        if any(len(argument) > LONGEST_ARGUMENT for argument in given):
            raise InputError(f"An argument has more than {LONGEST_ARGUMENT} characters: put long lists into a file.")
        with _hints(), interrupts_noted(), away(is_own):  # this process keeps our passwords; what it starts gets none
            code = app(todays_arguments(given), prog_name="iface-wf", standalone_mode=False)
        if code == INTERRUPTED:  # typer ends silently on Ctrl-C
            _complain("Interrupted. What is finished is kept: the same command goes on from there.")
        return int(code or 0)
    except SystemExit as stop:  # whoever read our output has gone
        return int(stop.code or 0)
    except typer.Abort:
        _complain("Interrupted.")
        return 1
    except IfaceError as error:
        _raise_if_debugging(error)
        return _refuse(error)
    except KeyboardInterrupt:
        _complain("Interrupted.")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the outermost border: nothing but a person comes after it
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # typer's own, about the use of a command
            error.show(told := io.StringIO())
            lines = visible(scrub(told.getvalue())).splitlines(keepends=True)
            wordy = type(error).__name__ == "NoArgsIsHelpError"  # the help, which has paragraphs
            sys.stderr.write("".join(line for line in lines if wordy or line.strip()))
            return int(error.exit_code)
        _raise_if_debugging(error)
        known = foreseen(error)
        if not isinstance(known, InputError):
            known = outage_of(error) or known
        if known is not None:
            return _refuse(known)
        first = (str(error).strip().splitlines() or [""])[0][:300]
        _complain(f"{type(error).__name__}: {first} (run again with --debug for the traceback)")
        return 1


@contextmanager
def _hints() -> Iterator[None]:
    """Say in one line what names of before are called today, and what else is to be known, each once."""
    show, told = warnings.showwarning, set[str]()

    def hint(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if not issubclass(category, FormerNameWarning | NoticeWarning):
            show(visible(scrub(str(message))), category, *place, **more)
        elif str(message) not in told:
            told.add(str(message))
            _complain(str(message))

    warnings.showwarning = hint
    try:
        yield
    finally:
        warnings.showwarning = show


def _raise_if_debugging(error: Exception) -> None:
    if os.environ.get(DEBUG_VARIABLE, "").lower() not in ("", "0", "false", "no"):
        sys.excepthook = _show_traceback
        raise error


def _show_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show a traceback as Python does, without secrets."""
    sys.stderr.write(visible(scrub("".join(traceback.format_exception(kind, error, trace)))))


def _refuse(error: IfaceError) -> int:
    """Say an error of ours and return the exit code."""
    _complain(str(error))
    if isinstance(error, OutageError):
        return OUTAGE
    return 2 if isinstance(error, InputError) else 1


def _complain(text: str) -> None:
    print(f"iface-wf: {one_line(scrub(text))}", file=sys.stderr)
