"""What the embedded service adds to TensorFlow: two digits through `requests`, beside the bare call.

The service's own share is what is left of a scoring when the same request to an app that answers at once is taken
off; what TensorFlow needs by itself is the same signature called from nested lists, and its answer made into lists
again.
"""

from __future__ import annotations

import json
import statistics
import tarfile
import tempfile
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import requests
from werkzeug.wrappers import Request, Response

from pytest_wml.digits import load_digits
from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.emulator.exchange import _orjson
from pytest_wml.interception import open_door
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.benchmarks.figures import Figure, Measured

HOST = "https://us-south.ml.cloud.ibm.com"
QUERY = {"version": "2026-01-01", "space_id": DEFAULT_SPACE_ID}
SPEC = {"name": "runtime-24.1-py3.11"}


def measure(*, quick: bool) -> Measured:
    archive = Path(str(files("pytest_wml") / "data" / "mnist_cnn.tar.gz"))
    digits = load_digits()
    values = [digits[5].tolist(), digits[4].tolist()]
    body = json.dumps({"input_data": [{"values": values}]}).encode()
    loads = _orjson.loads if _orjson else json.loads
    rounds, times = (3, 60) if quick else (15, 200)
    tensorflow, scored, idle, parsing, place = [], [], [], [], ""
    with EmbeddedWML() as app, tempfile.TemporaryDirectory() as folder:
        call = bare(archive, values, Path(folder))
        for _ in range(rounds):
            tensorflow.append(median(call, times))
            with open_door(app), authorized() as session:
                place = place or deployed(session, archive)
                scored.append(median(posting(session, place, body), times))
            with open_door(at_once), requests.Session() as session:
                idle.append(median(posting(session, place, body), times))
            parsing.append(median(lambda: loads(body), times))
    share = [whole - alone for whole, alone in zip(scored, idle, strict=True)]
    beside = "the bare TensorFlow call from lists"
    figures = [
        Figure("scoring two digits, less an app that answers at once", "ms", share, beside, tensorflow, goal=3.0),
        Figure("scoring two digits through requests and the door", "ms", scored, "an app that answers at once", idle),
    ]
    limit = (
        f"of {statistics.median(share):.2f} ms: TensorFlow's call {statistics.median(tensorflow):.2f} ms, handing it "
        f"to a thread that can be given up and back, parsing the JSON ({statistics.median(parsing):.2f} ms), "
        "werkzeug's request and routes, the token, checking the values, writing the answer"
    )
    return Measured(figures, limit)


def at_once(environ, start_response):
    """An app that reads the request and answers as the service would."""
    Request(environ).get_data()
    return Response(b'{"predictions": []}', content_type="application/json")(environ, start_response)


def median(call: Callable[[], object], rounds: int) -> float:
    """Milliseconds of a call, after some to warm up."""
    for _ in range(rounds // 10 + 5):
        call()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def bare(archive: Path, values: list, folder: Path) -> Callable[[], object]:
    """The signature called from lists, its outputs made into lists."""
    import tensorflow as tf

    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures["serving_default"]
    (name,) = signature.structured_input_signature[1]

    def call(keep: object = loaded) -> object:
        return {key: value.numpy().tolist() for key, value in signature(**{name: tf.constant(values)}).items()}

    return call


def deployed(session: requests.Session, archive: Path) -> str:
    """The sample, stored and deployed; the place to score it."""

    def post(path: str, body: dict) -> str:
        answer = session.post(f"{HOST}/ml/v4/{path}", json={**body, "space_id": DEFAULT_SPACE_ID}, params=QUERY)
        answer.raise_for_status()
        return answer.json()["metadata"]["id"]

    model_id = post("models", {"name": "m", "type": "tensorflow_2.14", "software_spec": SPEC})
    session.put(f"{HOST}/ml/v4/models/{model_id}/content", data=archive.read_bytes(), params=QUERY).raise_for_status()
    deployment_id = post("deployments", {"name": "d", "online": {}, "asset": {"id": model_id}})
    return f"{HOST}/ml/v4/deployments/{deployment_id}/predictions"


def posting(session: requests.Session, place: str, body: bytes) -> Callable[[], object]:
    return lambda: session.post(place, data=body, params=QUERY).raise_for_status()


def authorized() -> requests.Session:
    session = requests.Session()
    form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": "any"}
    token = session.post("https://iam.cloud.ibm.com/identity/token", data=form).json()["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"
    return session
