"""Scoring two digits over HTTP: `pytest-wml serve` beside `mlflow models serve`, the same SavedModel in both.

MLflow's requirements and IBM's client's differ: it lives in an environment of its own, made here when it is first
needed, over the packages of this one (the same TensorFlow and numpy). Both servers run at once and are asked in turn,
by the same clients: keep-alive connections of Python's http.client. Ours speaks TLS and wants a token.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import threading
import time
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from pytest_wml.digits import load_digits
from tests.benchmarks.figures import Figure, Measured
from tests.benchmarks.processes import Command, python, run
from tests.benchmarks.scoring import bare, median
from tests.benchmarks.serving import deployed
from tests.emulator.serve.process import served

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".bench" / "mlflow"
_MODEL = """
import sys
import mlflow
import numpy as np
import tensorflow as tf
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec

folder, kind = sys.argv[1:]


class Scored(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.loaded = tf.saved_model.load(context.artifacts["model"])
        self.signature = self.loaded.signatures["serving_default"]

    def predict(self, context, model_input, params=None):
        images = model_input["image"] if isinstance(model_input, dict) else model_input.to_numpy()
        found = self.signature(image=tf.constant(images, tf.float32))
        return {name: tensor.numpy() for name, tensor in found.items()}


tensor = Schema([TensorSpec(np.dtype("float32"), (-1, 784), "image")])
columns = Schema([ColSpec("double", f"pixel{number}") for number in range(784)])
mlflow.pyfunc.save_model(
    kind,
    python_model=Scored(),
    artifacts={"model": folder},
    signature=ModelSignature(inputs={"tensor": tensor, "columns": columns}[kind]),
    pip_requirements=["mlflow"],
)
print("MLFLOW", mlflow.__version__)
"""
Ask = Callable[[], object]
Connect = Callable[[], Ask]


def measure(*, quick: bool) -> Measured:
    rounds, asked, seconds = (2, 20, 1.0) if quick else (7, 20, 2.0)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        version, bodies = _bodies(folder)
        ways = {kind: stack.enter_context(_mlflow(folder, kind, bodies[kind])) for kind in bodies}
        server = stack.enter_context(served(folder))
        ways = {"ours": _ours(server), **ways}
        latencies: dict[str, list[float]] = {way: [] for way in ways}
        rates: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, connect in ways.items():
                latencies[way].append(_p50(connect, asked))
                rates[way].append(_rate(connect, 8, seconds))
        cpu = _share_of_the_server(server.process.pid, ways["ours"], seconds)
        alone = median(bare(_sample(), _digits(), folder / "bare"), 200)
    figures = []
    for way, told in (("columns", "784 columns"), ("tensor", "one tensor")):
        beside = f"MLflow {version} models serve, signature of {told}"
        what = "scoring two digits over HTTP"
        figures += [
            Figure(f"{what}, p50", "ms", latencies["ours"], beside, latencies[way], goal=0.1),
            Figure(f"{what}, 8 clients", "/s", rates["ours"], beside, rates[way], goal=10, at_least=True),
        ]
    return Measured(
        figures,
        f"processor time: with 8 clients the server uses {cpu:.2f} of {os.cpu_count()} processors (Python runs one "
        "thread at a time; TensorFlow and TLS beside it), the clients in the other process most of the rest. The bare "
        f"TensorFlow call from lists takes {alone:.2f} ms by itself, and a tenth of MLflow's p50 with a tensor is "
        f"{statistics.median(latencies['tensor']) / 10:.2f} ms",
    )


def _sample() -> Path:
    return Path(str(files("pytest_wml") / "data" / "mnist_cnn.tar.gz"))


def _digits() -> list[list[float]]:
    digits = load_digits()
    return [digits[5].tolist(), digits[4].tolist()]


def _ours(server: object) -> Connect:
    request, _ = deployed(server)
    head, _, body = request.partition(b"\r\n\r\n")
    target = head.split(b" ", 2)[1].decode()
    token = next(line for line in head.split(b"\r\n") if line.startswith(b"Authorization")).partition(b": ")[2].decode()
    context = ssl.create_default_context(cafile=server.ca)
    where = urlsplit(server.url)
    headers = {"Content-Type": "application/json", "Authorization": token}

    def connect() -> Ask:
        connection = http.client.HTTPSConnection(where.hostname, where.port, timeout=60, context=context)
        return _asking(connection, target, body, headers)

    return connect


def _asking(connection: http.client.HTTPConnection, target: str, body: bytes, headers: dict[str, str]) -> Ask:
    connection.connect()
    # As every client library does; http.client alone sends head and body apart, and would wait in between.
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask() -> None:
        connection.request("POST", target, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200 or b"[5, 4]" not in text:
            raise AssertionError(text[:500])

    return ask


def _p50(connect: Connect, times: int) -> float:
    """Milliseconds."""
    ask, spent = connect(), []
    for number in range(times + 5):
        begun = time.perf_counter()
        ask()
        if number >= 5:
            spent.append(time.perf_counter() - begun)
    return 1000 * statistics.median(spent)


def _rate(connect: Connect, clients: int, seconds: float) -> float:
    """Answers a second."""
    asks, done, end = [connect() for _ in range(clients)], [0] * clients, [0.0]

    def work(number: int) -> None:
        while time.perf_counter() < end[0]:
            asks[number]()
            done[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    begun = time.perf_counter()
    end[0] = begun + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - begun)


def _share_of_the_server(pid: int, connect: Connect, seconds: float) -> float:
    """Processors that the server uses while eight clients ask."""

    def spent() -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before, begun = spent(), time.perf_counter()
    _rate(connect, 8, seconds)
    return (spent() - before) / (time.perf_counter() - begun)


def _bodies(folder: Path) -> tuple[str, dict[str, bytes]]:
    """MLflow's version, and by kind of signature the body that asks for two digits."""
    model = folder / "savedmodel"
    with tarfile.open(_sample()) as tar:
        tar.extractall(model, filter="data")
    for kind in ("columns", "tensor"):
        said = run(Command([_environment(), "-c", _MODEL, model, kind], folder)).said
    images = _digits()
    columns = [f"pixel{number}" for number in range(784)]
    forms = {
        "columns": {"dataframe_split": {"columns": columns, "data": images}},
        "tensor": {"inputs": {"image": images}},
    }
    version = said.rpartition("MLFLOW ")[2].split()[0]
    return version, {kind: json.dumps(form).encode() for kind, form in forms.items()}


@contextlib.contextmanager
def _mlflow(folder: Path, kind: str, body: bytes) -> Iterator[Connect]:
    """How to connect to MLflow's server of the sample, while the block lasts."""
    interpreter = _environment()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve = ["-m", "mlflow", "models", "serve", "-m", kind, "--env-manager", "local", "-h", "127.0.0.1"]
    environment = {**os.environ, "PATH": f"{interpreter.parent}:{os.environ['PATH']}"}
    with (folder / f"{kind}.txt").open("w") as log:
        process = subprocess.Popen(
            [interpreter, *serve, "-p", str(port)],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_for(port, process, folder / f"{kind}.txt")
        yield lambda: _asking(
            http.client.HTTPConnection("127.0.0.1", port, timeout=60),
            "/invocations",
            body,
            {"Content-Type": "application/json"},
        )
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)  # it starts its server as a process of its own
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2):
            return
        time.sleep(0.2)
    raise RuntimeError(f"MLflow's server did not start:\n{log.read_text()[-3000:]}")


def _environment() -> Path:
    """The Python of MLflow's environment."""
    interpreter = ENVIRONMENT / "bin" / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    beside = ENVIRONMENT / "lib" / version / "site-packages" / "beside.pth"
    # What this environment has is not installed again; MLflow's own versions come before it.
    packages = sysconfig.get_path("purelib") + "\n"
    if beside.exists() and beside.read_text() == packages:
        return interpreter
    print("making an environment for MLflow …", file=sys.stderr, flush=True)
    run(python(ROOT, "-m", "venv", "--clear", "--without-pip", ENVIRONMENT))
    beside.write_text(packages)
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["bench"]
    try:
        run(Command([interpreter, "-m", "pip", "install", "-q", *wanted], ROOT))
    except BaseException:
        beside.unlink()
        raise
    return interpreter
