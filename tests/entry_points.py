"""Packages of somebody else, as the tests see them: a module and the entry point that an installer would write."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iface_wf.plugins import Registry


def install(folder: Path, module: Path, group: str, name: str, attribute: str) -> Path:
    """Put a module and its entry point into a folder, which is to be put on the path; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / module.name).write_bytes(module.read_bytes())
    info = folder / f"{module.stem}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module.stem}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {module.stem}:{attribute}\n", encoding="utf-8")
    return folder


@contextmanager
def on_the_path(folder: Path, registry: Registry) -> Iterator[None]:
    """Let this process find what is installed in a folder."""
    sys.path.insert(0, str(folder))
    registry.refresh()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        registry.refresh()
