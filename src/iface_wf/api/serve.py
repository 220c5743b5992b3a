"""The pages of a report live from a store: on this machine only, to be read only, behind a token."""

from __future__ import annotations

import hmac
import mimetypes
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import iface_wf
from iface_wf.api.options import Store, opened
from iface_wf.api.states import QueueStates, ScreeningStates, States, looked, passing
from iface_wf.api.stored import results
from iface_wf.errors import InputError
from iface_wf.reports.site.html import ASSETS, POLICY, asset, index_page
from iface_wf.reports.site.index import index_data
from iface_wf.reports.site.models import IndexData
from iface_wf.reports.site.write import INDEX, RESULTS, write_result
from iface_wf.reports.tables import csv
from iface_wf.store.results import calculation_of, find_result
from iface_wf.store.whole import DENSITY_MISSING

if TYPE_CHECKING:
    import pandas as pd
    from jobflow import JobStore

HOST = "127.0.0.1"
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Pages:
    """The pages of a store, made when they are asked for; one thread alone opens and reads the store.

    Parameters
    ----------
    store
        As in `iface_wf.results`.
    filters
        Which results, as in `iface_wf.results`.
    spec
        File of a screening whose states are shown, too.
    project
        Name of a queue's project whose states are shown, too; its store is served where none is named.
    """

    def __init__(
        self,
        store: Store | None,
        filters: Mapping[str, str | None],
        spec: Path | None = None,
        project: str | None = None,
    ) -> None:
        self._filters = dict(filters)
        self._states: list[States] = []
        self._reader = ThreadPoolExecutor(max_workers=1)
        self._folder = Path(tempfile.mkdtemp(prefix="iface-wf-serve-"))
        try:
            self._store = self._reader.submit(self._open, store, spec, project).result()
            self._reader.submit(self._table).result()  # a wrong filter is said now
        except BaseException:
            self.close()
            raise

    def _open(self, store: Store | None, spec: Path | None, project: str | None) -> JobStore:
        queue = None if project is None else QueueStates(project)
        found = queue.store if queue is not None and store is None else opened(store, create=False)
        screening = None if spec is None else ScreeningStates(spec, found, queue is not None)
        self._states = [each for each in (screening, queue) if each is not None]
        return found

    def close(self) -> None:
        """Remove the pages that were made."""
        self._reader.shutdown()
        shutil.rmtree(self._folder, ignore_errors=True)

    def get(self, path: str) -> tuple[bytes, str] | None:
        """Return what a path holds and its name; None for a path that is none of the report's.

        Parameters
        ----------
        path
            Relative, as it was asked for; it is compared with what there is, never looked for in the file system.
        """
        first, _, rest = path.partition("/")
        if first == "assets":
            return (asset(rest), rest) if rest in ASSETS else None
        return self._reader.submit(self._read, path).result()

    def _read(self, path: str) -> tuple[bytes, str] | None:
        if path in ("", INDEX):
            return index_page(self._index()).encode(), INDEX
        if path == "data.json":
            return self._index().script_json().encode(), path
        if path == "results.csv":
            return csv(self._table(), None).encode(), path
        parts = path.split("/")
        if len(parts) != 3 or parts[0] != RESULTS:
            return None
        return self._of_result(parts[1], parts[2])

    def _table(self) -> pd.DataFrame:
        return results(self._store, **self._filters)

    def _index(self) -> IndexData:
        table = self._table()
        pages = {key: f"{RESULTS}/{key}/{INDEX}" for key in table["key"]}
        made = f"Live from iface-wf {iface_wf.__version__}; new results appear by themselves"
        return index_data(table, pages, made, [looked(each) for each in self._states])

    def _of_result(self, key: str, name: str) -> tuple[bytes, str] | None:
        table = self._table()
        rows = table[table["key"] == key]
        if rows.empty:
            return None
        row = rows.iloc[0]
        folder = self._folder / f"{row['key']}-{row['uuid']}"  # of the store, not of who asks
        if not folder.exists():
            found = find_result(self._store, key, load=DENSITY_MISSING not in row["flags"])
            write_result(
                self._folder,
                f"{folder.name}/{INDEX}",
                found,
                partial(calculation_of, self._store, found.document),
            )
        there = {file.name: file for file in folder.iterdir()}
        return (there[name].read_bytes(), name) if name in there else None


class ReportServer(ThreadingHTTPServer):
    """Serves `Pages` under a token, on this machine only.

    Attributes
    ----------
    url
        Address with the token.
    """

    daemon_threads = True

    def __init__(self, pages: Pages, port: int = 0) -> None:
        self.pages, self.token = pages, secrets.token_urlsafe(24)
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise InputError(f"Port {port} cannot be used: {getattr(error, 'strerror', None) or error}.") from error
        self.url = f"http://{HOST}:{self.server_port}/{self.token}/"


class _Handler(BaseHTTPRequestHandler):
    server: ReportServer
    timeout = 30

    def do_GET(self) -> None:
        """Answer what the report has."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer without what the file holds."""
        self._answer(body=False)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that is none of ours in a line; the report is only read, so other methods are not allowed."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._say(HTTPStatus.METHOD_NOT_ALLOWED, "the report is only read: GET and HEAD", {"Allow": "GET, HEAD"})
        else:
            self._say(HTTPStatus(code), "not understood")
        self.close_connection = True

    def _answer(self, body: bool) -> None:
        token, _, path = self.path.split("?")[0].removeprefix("/").partition("/")
        # Another name for this address would let a page of somebody else read this one.
        host = self.headers.get("Host", "")
        if host not in (f"{HOST}:{self.server.server_port}", f"localhost:{self.server.server_port}"):
            return self._say(HTTPStatus.FORBIDDEN, "wrong host")
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            return self._say(HTTPStatus.FORBIDDEN, "wrong token")
        try:
            found = self.server.pages.get(path)
        except Exception as error:
            reason = passing(error)
            if reason is None:
                raise
            return self._say(HTTPStatus.SERVICE_UNAVAILABLE, reason)
        if found is None:
            return self._say(HTTPStatus.NOT_FOUND, "the report has no such page")
        content, name = found
        kind = mimetypes.guess_type(name)[0] or "text/plain"
        self._send(HTTPStatus.OK, content if body else b"", kind, len(content))
        return None

    def _say(self, status: HTTPStatus, text: str, more: Mapping[str, str] | None = None) -> None:
        content = f"{status.value} {text}\n".encode()
        told = content if getattr(self, "command", None) != "HEAD" else b""
        self._send(status, told, "text/plain", len(content), more)

    def _send(
        self, status: HTTPStatus, content: bytes, kind: str, length: int, more: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        charset = "; charset=utf-8" if kind.startswith("text/") or kind.endswith(("json", "javascript")) else ""
        own = {"Content-Type": f"{kind}{charset}", "Content-Length": str(length)}
        for name, value in (_HEADERS | own | dict(more or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing: the addresses hold the token."""


def serve(
    store: Store | None,
    filters: Mapping[str, str | None],
    port: int,
    on_start: Callable[[str], None],
    spec: Path | None = None,
    project: str | None = None,
) -> None:
    """Serve the pages of a store until interrupted.

    Parameters
    ----------
    store, filters
        As in `iface_wf.results`.
    port
        0: any free one.
    on_start
        Called with the address.
    spec, project
        As of `Pages`.

    Raises
    ------
    InputError
        For a screening, project, store or filter that cannot be used, and a port that is taken.
    """
    pages = Pages(store, filters, spec, project)
    try:
        with ReportServer(pages, port) as server:
            on_start(server.url)
            server.serve_forever()
    except KeyboardInterrupt:  # how it is meant to end
        return
    finally:
        pages.close()
