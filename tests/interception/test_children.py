"""Python processes that a run starts inherit a guard: nothing of theirs reaches IBM, and the run hears of it."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import venv

import pytest

from pytest_wml.interception.children import INHERITED, VARIABLE, ChildGuard
from pytest_wml.wml.hosts import Hosts

HOST = "us-south.ml.cloud.ibm.com"
REFUSED = f"A connection to {HOST} was refused"


@pytest.fixture
def children(monkeypatch):
    """Open, and without what the run around this test passes on."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    opened = ChildGuard(Hosts.of(["cpd.example.com:8443"]))
    opened.open()
    yield opened
    opened.close()


def child(code: str, *options: str, python: str = sys.executable, **variables: str) -> str:
    """What a child process says, also of how it failed."""
    command, environment = [python, *options, "-c", code], {**os.environ, **variables}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


WAYS = {
    "urllib.request": f"import urllib.request; urllib.request.urlopen('https://{HOST}/x', timeout=5)",
    "requests": f"import requests; requests.get('https://{HOST}/x', timeout=5)",
    "httpx": f"import httpx; httpx.get('https://{HOST}/x', timeout=5)",
    "asyncio": f"import asyncio; asyncio.run(asyncio.open_connection('{HOST}', 443))",
    "create_connection": f"import socket; socket.create_connection(('{HOST}', 443), timeout=5)",
    "getaddrinfo": f"import socket; socket.getaddrinfo('{HOST}', 443)",
    "gethostbyname": f"import socket; socket.gethostbyname('{HOST}')",
    "bytes": f"import socket; socket.getaddrinfo(b'{HOST}', 443)",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_child_does_not_reach_ibm(children, way):
    """Whatever it asks with: the error names the host and the test, and the run is told the same."""
    said = child(WAYS[way])
    assert REFUSED in said
    assert f"started by: {os.environ['PYTEST_CURRENT_TEST'].rpartition(' (')[0]}" in said
    told = [str(error) for error in children.take_refusals()]
    assert told
    assert all(f"refused a connection to {HOST}" in text for text in told)
    assert list(children.take_refusals()) == []


@pytest.mark.parametrize("way", ["urllib.request", "requests", "http", "tunnel"])
def test_a_proxy_is_no_way_out(children, way):
    """A proxy on this machine would look the name up itself; it is not asked."""
    ways = {
        "http": f"import urllib.request; urllib.request.urlopen('http://{HOST}/x', timeout=5)",
        "tunnel": "import socket, ssl, os; sock = socket.create_connection(('127.0.0.1', int(os.environ['PORT'])));"
        f"ssl.create_default_context().wrap_socket(sock, server_hostname='{HOST}')",
    }
    import socket

    with socket.create_server(("127.0.0.1", 0)) as proxy:
        port = str(proxy.getsockname()[1])
        address = f"http://127.0.0.1:{port}"
        variables = {"https_proxy": address, "http_proxy": address, "no_proxy": "", "PORT": port}
        assert REFUSED in child({**WAYS, **ways}[way], **variables)
    assert len(list(children.take_refusals())) == 1


def test_a_childs_child_neither(children):
    """A process started by a child is guarded by the same environment."""
    code = WAYS["getaddrinfo"]
    assert REFUSED in child(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])")
    assert len(list(children.take_refusals())) == 1


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_multiprocessing_neither(children, method):
    """Its processes are Pythons of their own."""
    context = multiprocessing.get_context(method)
    process = context.Process(target=_look_up)
    process.start()
    process.join(60)
    assert process.exitcode == 1
    assert len(list(children.take_refusals())) == 1


def _look_up() -> None:
    import socket

    socket.getaddrinfo(HOST, 443)


def test_a_named_host_is_meant_with_its_port(children):
    """A Cloud Pak for Data that the run knows, at the port that it knows."""
    code = "import socket; socket.getaddrinfo('cpd.example.com', {})"
    assert "A connection to cpd.example.com was refused" in child(code.format(8443))
    assert "refused: it" not in child(code.format(8444))


def test_others_are_not_touched(children):
    """A server on this machine is reached, through TLS-less HTTP as ever."""
    code = """
import http.server, threading, urllib.request
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *args): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Hello)
threading.Thread(target=server.handle_request).start()
print(urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/", timeout=5).read())
"""
    assert "b'hello'" in child(code)
    assert list(children.take_refusals()) == []


def test_a_childs_path_is_its_own(children, tmp_path):
    """The guard's folder is gone from it; a `sitecustomize` that was there before is loaded, and is the module."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.theirs = True\n")
    code = "import sys, sitecustomize as s; print(sys.theirs, s.__file__, [p for p in sys.path if 'inherited' in p])"
    said = child(code, PYTHONPATH=os.pathsep.join([os.environ["PYTHONPATH"], str(tmp_path)]))
    assert said.split() == ["True", str(tmp_path / "sitecustomize.py"), "[]"]
    assert REFUSED in child(WAYS["getaddrinfo"], PYTHONPATH=os.pathsep.join([INHERITED, str(tmp_path)]))


def test_a_sitecustomize_that_breaks_says_so_as_ever(children, tmp_path):
    """Python reports it, and starts; the guard is there."""
    (tmp_path / "sitecustomize.py").write_text("raise ValueError('theirs')\n")
    said = child(WAYS["getaddrinfo"], PYTHONPATH=os.pathsep.join([INHERITED, str(tmp_path)]))
    assert "ValueError: theirs" in said
    assert REFUSED in said


def test_a_virtual_environment_is_guarded(children, tmp_path):
    """Its Python knows nothing of pytest-wml."""
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    said = child("import importlib.util; print(importlib.util.find_spec('pytest_wml'))", "-P", python=python)
    assert said == "None\n"
    assert REFUSED in child(WAYS["urllib.request"], python=python)


@pytest.mark.parametrize("options", [["-P"], ["-B"], ["-W", "error"], ["-X", "utf8"]])
def test_options_of_python_do_not_matter(children, options):
    """As tox's PYTHONSAFEPATH does not."""
    assert REFUSED in child(WAYS["getaddrinfo"], *options)


@pytest.mark.parametrize("option", ["-S", "-I", "-E"])
def test_a_python_without_environment_starts(children, option):
    """It is not guarded, and it is not broken."""
    assert child("import sys; print('well', 'sitecustomize' in sys.modules)", option) == "well False\n"


def test_coverage_counts_children(children, tmp_path, monkeypatch):
    """coverage starts in a child by a file of its own, beside the guard."""
    for name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_FILE"):  # those of a run of these tests with coverage
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "coveragerc").write_text(f"[run]\ndata_file = {tmp_path}/data\nparallel = true\n")
    assert REFUSED in child(WAYS["getaddrinfo"], COVERAGE_PROCESS_START=str(tmp_path / "coveragerc"))
    assert list(tmp_path.glob("data*"))


def test_next_to_nothing_is_loaded(children):
    """A child that asks for nothing pays for one hook."""
    code = "import sys; print(*sorted(name for name in sys.modules))"
    with_guard = set(child(code).split())
    without = set(child(code, PYTHONPATH="").split())
    assert with_guard - without <= {"sitecustomize"}


def test_the_way_on_lets_a_process_go(children):
    """Without the variable a child is as it would be without us; here it finds nobody under a name of no host."""
    said = child("import socket; socket.getaddrinfo('nobody.ml.cloud.ibm.com.invalid', 443)", **{VARIABLE: ""})
    assert "refused: it" not in said
    assert "gaierror" in said
    assert "well" in child("print('well')", **{VARIABLE: "/gone"})


@pytest.mark.parametrize("path", [None, "", "/a", f"/a{os.pathsep}/b"])
def test_the_environment_is_put_back(monkeypatch, path):
    """Exactly, also where there was none."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if path is not None:
        monkeypatch.setenv("PYTHONPATH", path)
    before = dict(os.environ)
    opened = ChildGuard(Hosts())
    opened.open()
    assert os.environ["PYTHONPATH"].startswith(INHERITED)
    assert os.path.isdir(os.environ[VARIABLE])
    folder = os.environ[VARIABLE]
    opened.close()
    assert dict(os.environ) == before
    assert not os.path.exists(folder)


def test_what_others_changed_meanwhile_stays(monkeypatch):
    """As xdist's workers put the working folder first."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    opened = ChildGuard(Hosts())
    opened.open()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/new", os.environ["PYTHONPATH"]]))
    opened.close()
    assert os.environ["PYTHONPATH"] == "/new"


def test_a_door_of_ones_own_is_enough(children):
    """A child that answers IBM's hosts itself is not kept from it."""
    code = f"""
from pytest_wml.interception import open_door
def app(environ, start):
    start("200 OK", [("Content-Length", "5")])
    return [b"hello"]
import requests, socket
with open_door(app):
    print(requests.get("https://{HOST}/x").text)
socket.getaddrinfo("{HOST}", 443)
"""
    said = child(code)
    assert said.startswith("hello\n")
    assert REFUSED in said


def test_two_runs_in_one_process():
    """The inner one's children tell the inner one; afterwards the outer one is told again."""
    outer, inner = ChildGuard(Hosts()), ChildGuard(Hosts())
    outer.open()
    inner.open()
    assert os.environ["PYTHONPATH"].split(os.pathsep).count(INHERITED) == 1
    child(WAYS["getaddrinfo"])
    assert len(list(inner.take_refusals())) == 1
    inner.close()
    child(WAYS["getaddrinfo"])
    assert len(list(outer.take_refusals())) == 1
    outer.close()


def test_damaged_reports_are_passed_over(children):
    """A file that somebody else laid there, or an emptied folder, breaks no run."""
    folder = os.environ[VARIABLE]
    for name, text in (("1.json", "{"), ("2.json", "[]"), ("3.json", '{"host": "x"}')):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    assert [error.problem.partition(":")[0] for error in children.take_refusals()] == [
        "A child process was refused a connection to x"
    ]
