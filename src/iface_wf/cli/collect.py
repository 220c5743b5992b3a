"""``iface-wf collect`` and ``iface-wf build --write-inputs vasp``: VASP folders submitted by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from iface_wf.cli import options as opt
from iface_wf.cli.output import print_json, say, stdout
from iface_wf.errors import InputError, unknown_name

if TYPE_CHECKING:
    from jobflow import Flow

WRITERS = ("vasp",)


def write_inputs(code: str, folder: Path, json: bool, **request: Any) -> None:
    """Write the input folders of an interface; `build` calls it.

    Parameters
    ----------
    code
        ``vasp``.
    folder
        New or empty folder.
    json
        Print JSON.
    **request
        Fields of `BindingRequest`.

    Raises
    ------
    InputError
        For an unknown code or request.
    """
    if code not in WRITERS:
        raise unknown_name("code for --write-inputs", code, WRITERS)
    from iface_wf.api.calculate import make_request
    from iface_wf.library import Library
    from iface_wf.quantities.binding.folders import write_binding

    folders = write_binding(make_request(engine=code, **request), Library(), folder)
    spec = (folders[0] / "POTCAR.spec").exists()
    if json:
        print_json({"folder": folder, "to_calculate": folders, "potcars": "POTCAR.spec" if spec else "POTCAR"})
        return
    _list("Inputs written; run VASP in", folders)
    if spec:
        say("No folder with POTCARs is known, so POTCAR.spec names them: put the POTCARs together in that order.")
    say(f"Then: iface-wf collect {folder}")


def collect(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder that `iface-wf build --write-inputs vasp` wrote.", show_default=False)
    ] = None,
    slab: Annotated[Path | None, typer.Option("--slab", help="Somebody else's folder of the slab.")] = None,
    molecule: Annotated[Path | None, typer.Option("--molecule", help="... of the molecule in its box.")] = None,
    interface: Annotated[Path | None, typer.Option("--interface", help="... of the interface.")] = None,
    slab_frozen: Annotated[
        Path | None, typer.Option("--slab-frozen", help="... of the slab as it is in the interface, in its cell.")
    ] = None,
    molecule_frozen: Annotated[
        Path | None, typer.Option("--molecule-frozen", help="... of the molecule as it is in the interface.")
    ] = None,
    filler: Annotated[str, typer.Option("--filler", "-f", help="Name of the slab, for somebody else's folders.")] = "",
    polymer: Annotated[str, typer.Option("--polymer", "-p", help="Name of the molecule, likewise.")] = "",
    store: opt.Store = None,
    json: opt.Json = False,
) -> None:
    """Read VASP folders that were calculated by hand.

    Folders from `build --write-inputs vasp`: writes the next ones, or stores the result when all are calculated. Or
    somebody else's folders, each named by its option.
    """
    foreign = {"A": slab, "B": molecule, "AB": interface, "A*": slab_frozen, "B*": molecule_frozen}
    named = {role: path for role, path in foreign.items() if path is not None}
    if (folder is None) == (not named):
        raise InputError("Give the folder of a project, or the folders --slab, --molecule and --interface.")
    from iface_wf.quantities.binding.folders import collect_foreign, collect_project

    if folder is None:
        _store(collect_foreign(named, {"filler": filler, "polymer": polymer or None}), store, json)
        return
    state = collect_project(folder)
    if state.flow is not None:
        _store(state.flow, store, json)
    elif json:
        print_json({"written": state.written, "waiting": state.waiting})
    elif state.written:
        _list("All relaxations are read and the single points written; run VASP in", state.written)
        say(f"Then again: iface-wf collect {folder}")
    else:
        _list("Still to be calculated", state.waiting)


def _list(text: str, folders: list[Path]) -> None:
    say(f"{text}:")
    for folder in folders:
        stdout().print(str(folder))


def _store(flow: Flow, store: str | None, json: bool) -> None:
    """Run the jobs that put the documents into the store, and show the result."""
    import tempfile

    from iface_wf.api.options import opened
    from iface_wf.cli.summary import print_summary
    from iface_wf.flows.run import run_flow
    from iface_wf.store.results import find_result

    job_store = opened(store)
    with tempfile.TemporaryDirectory() as scratch:
        run_flow(flow, job_store, Path(scratch))
    document = find_result(job_store, flow.output.uuid, load=True).document
    if json:
        data = document.model_dump(mode="json", exclude={"density_difference": {"density": {"blob"}}})
        print_json({"uuid": flow.output.uuid, **data})
        return
    print_summary(document)
    say(f"Stored as {document.key[:10]} (iface-wf show {document.key[:10]}).")
