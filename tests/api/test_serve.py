"""The live pages: what is there, and that nobody gets more, or anything without the token."""

import http.client
import json
import os
import subprocess
import sys
import threading

import pytest
from pymongo.errors import AutoReconnect

from iface_wf.api.serve import HOST, Pages, ReportServer
from iface_wf.api.states import states_data
from iface_wf.cli.main import main
from iface_wf.errors import InputError
from iface_wf.reports.site.models import StateData
from tests.examples import document, put

KEY = "abc0" + "1" * 60


@pytest.fixture
def server(job_store, tmp_path):
    put(job_store, document(KEY))
    pages = Pages(str(tmp_path / "store.sqlite"), {})
    with ReportServer(pages) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()
    pages.close()


def ask(server, path, method="GET", host=None):
    """Send a path as it is: clients of browsers would tidy it up."""
    connection = http.client.HTTPConnection(HOST, server.server_port, timeout=30)
    connection.request(method, path, headers={} if host is None else {"Host": host})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def rows(server):
    return json.loads(ask(server, f"/{server.token}/data.json")[1])["rows"]


def test_it_listens_on_this_machine_only(server):
    assert server.server_address[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.server_port}/{server.token}/"
    assert len(server.token) >= 32


def test_pages_and_files_of_the_store(server):
    answer, content = ask(server, f"/{server.token}/")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert b"Binding energies" in content
    assert ask(server, f"/{server.token}/assets/index.js")[0].headers["Content-Type"].startswith("text/javascript")
    page = f"/{server.token}/{rows(server)[0]['page']}"
    assert b"HF (1 unit) on LiF (001)" in ask(server, page)[1]
    assert ask(server, page.replace("index.html", "POSCAR"))[1].startswith(b"Li2 H1 F3")
    answer, content = ask(server, page, "HEAD")
    assert (answer.status, content) == (200, b"")


def test_new_results_appear(server, job_store):
    assert len(rows(server)) == 1
    put(job_store, document("d" * 64, polymer="PEO"), uuid="2" * 36)
    assert sorted(row["cells"][0] for row in rows(server)) == ["abc01111", "dddddddd"]


@pytest.mark.parametrize("token", ["", "x", "%00", "index.html", "assets"])
def test_a_wrong_token_gets_nothing(server, token):
    for path in ("", "data.json", "assets/index.js"):
        answer, content = ask(server, f"/{token}/{path}")
        assert (answer.status, content) == (403, b"403 wrong token\n")


def test_another_name_for_the_address_gets_nothing(server):
    assert ask(server, f"/{server.token}/", host="evil.example")[0].status == 403


@pytest.mark.parametrize(
    "path",
    [
        "../store.sqlite", "assets/../html.py", "assets/..%2fhtml.py", "assets/", "assets/index.html", "/etc/passwd",
        "results/../../store.sqlite", f"results/{KEY}/../../../etc/passwd", f"results/{KEY}/..", f"results/{KEY}/",
        "results/nokey/index.html", "%2e%2e/%2e%2e/etc/passwd", "..\\store.sqlite",
    ],
)  # fmt: skip
def test_there_is_no_way_out_of_the_report(server, path):
    answer, content = ask(server, f"/{server.token}/{path}")
    assert (answer.status, content) == (404, b"404 the report has no such page\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(server, method):
    answer, content = ask(server, f"/{server.token}/data.json", method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert content == b"405 the report is only read: GET and HEAD\n"
    assert "Content-Security-Policy" in answer.headers
    assert len(rows(server)) == 1


def test_what_cannot_be_served_is_said_at_once(server, tmp_path, capsys):
    store = str(tmp_path / "store.sqlite")
    with pytest.raises(InputError, match="Port"):
        ReportServer(server.pages, server.server_port)
    assert main(["serve", "--store", store, "--where", "nonsense < 3"]) == 2
    assert main(["serve", "--store", str(tmp_path / "none.sqlite")]) == 2
    assert main(["serve", "--store", store, "--spec", str(tmp_path / "none.yaml")]) == 2
    (tmp_path / "bad.yaml").write_text("fillers: [Unobtainium]\npolymers: [PEO]\n")
    assert main(["serve", "--store", store, "--spec", str(tmp_path / "bad.yaml")]) == 2
    ran = capsys.readouterr()
    assert (ran.out, len(ran.err.splitlines())) == ("", 4)
    assert "Unobtainium" in ran.err


def test_a_server_of_results_that_is_away_is_said_and_asked_again(server, monkeypatch):
    def away():
        raise AutoReconnect("s3cret-host:27017: connection refused")

    with monkeypatch.context() as patched:
        patched.setattr(server.pages, "_table", away)
        answer, content = ask(server, f"/{server.token}/data.json")
    assert (answer.status, content) == (503, b"503 The MongoDB server does not answer (AutoReconnect).\n")
    assert len(rows(server)) == 1


@pytest.mark.slow
def test_it_leaves_nothing_behind_when_it_is_ended_from_outside(job_store, tmp_path):
    put(job_store, document(KEY))
    (tmp_path / "tmp").mkdir()
    program = "import sys; from iface_wf.cli.main import main; sys.exit(main(['serve', '--store', 'store.sqlite']))"
    environment = os.environ | {"TMPDIR": str(tmp_path / "tmp")}
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as started:
        url = started.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        assert len(list((tmp_path / "tmp").glob("iface-wf-serve-*"))) == 1
        started.terminate()
        assert started.wait(60) == 0
    assert list((tmp_path / "tmp").glob("iface-wf-serve-*")) == []


def test_states_list_what_is_not_finished_worst_first_and_count_all():
    order = ["finished", "waiting", "failed", "running", "waiting"]
    rows = [StateData(name=f"{i} <b>\x1b", part="interface", state=state) for i, state in enumerate(order)]
    found = states_data("Queue x", rows, "")
    assert [row.name[0] for row in found.rows] == ["2", "3", "1", "4"]
    assert found.counts == {"failed": 1, "running": 1, "waiting": 2, "finished": 1}
    assert found.hidden == 0
    many = states_data("Queue x", rows * 100, "")
    assert (len(many.rows), many.hidden) == (200, 200)
    assert "<" not in many.script_json()


@pytest.mark.parametrize(
    "error",
    [AutoReconnect("gone"), InputError("No answer from mongodb://alice:s3cret@host/db."), PermissionError("no")],
)
def test_states_that_cannot_be_told_now_are_said_and_the_table_stays(server, error):
    class Away:
        title = "Queue x"

        def look(self):
            raise error

    server.pages._states = [Away()]
    told = json.loads(ask(server, f"/{server.token}/data.json")[1])
    assert len(told["rows"]) == 1
    assert told["states"][0]["remark"].startswith("This cannot be told now: ")
    assert "Traceback" not in json.dumps(told)
    assert "s3cret" not in json.dumps(told)
