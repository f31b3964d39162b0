"""Replaying scorings of 2 × 784 floats from recordings of 10 to 10,000 interactions, beside stock vcrpy.

Through `requests`, in one session. vcrpy reads its own YAML, as it writes it; where its cost of a request grows with
the file it is asked fewer requests, and the figure is still the cost of one.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import requests
import vcr
from vcr.serializers import yamlserializer

from pytest_wml.digits import load_digits
from pytest_wml.interception import open_door
from pytest_wml.redaction.known import Secrets
from pytest_wml.replay.cassette.file import Cassette, dump, write
from pytest_wml.replay.cassette.library import CassetteLibrary
from pytest_wml.replay.cassette.normalise import normalised
from pytest_wml.replay.cassette.tape import WireExchange
from pytest_wml.replay.replay import Replay
from pytest_wml.wml.hosts import Hosts, Role
from tests.benchmarks.figures import Figure, Measured

HOST = "us-south.ml.cloud.ibm.com"
PATH = "/ml/v4/deployments/22222222-2222-4222-8222-222222222222/predictions"
URL = f"https://{HOST}{PATH}?version=2026-08-17"
# Of the form of a token; who sends none asks for a refusal.
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer e30.e30.e30"}
SIZES = (10, 1_000, 10_000)
GOALS = {10: None, 1_000: 5.0, 10_000: 50.0}
MATCHERS = {"raw_body": (20, 10_000), "body": (3, 1_000)}
"""How vcrpy compares bodies, how many requests it is asked, and up to which size: a request takes it minutes then."""


def measure(*, quick: bool) -> Measured:
    sizes = SIZES[:2] if quick else SIZES
    ours: dict[int, list[float]] = {}
    loads: dict[str, list[float]] = {}
    figures = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            bodies = _cassette(folder, size)
            for _ in range(1 if quick else 3):
                loaded, seconds = _ours(folder, bodies)
                loads.setdefault(f"ours {size}", []).append(loaded)
                ours.setdefault(size, []).append(1000 * statistics.median(seconds))
            for matcher, (most, largest) in MATCHERS.items():
                if size > largest:
                    continue
                # Spread over the file: it looks through what stands before the one that is asked for.
                most = min(most, size)
                spread = [bodies[(2 * number + 1) * size // (2 * most)] for number in range(most)]
                loaded, seconds = _stock(folder, spread, matcher)
                loads.setdefault(f"vcrpy {size}", []).append(loaded)
                what = f"replay of a request, {size:,} interactions"
                beside = f"vcrpy {vcr.__version__}, {matcher}"
                theirs = [1000 * one for one in seconds]
                figures.append(Figure(what, "ms", ours[size], beside, theirs, "faster", GOALS[size], at_least=True))
    first, last = ours[sizes[0]], ours[sizes[-1]]
    what = f"replay of a request, {sizes[-1]:,} interactions"
    figures.append(Figure(what, "ms", last, f"{sizes[0]} interactions", first, goal=1.5))
    largest = sizes[-1]
    what = f"loading {largest:,} interactions"
    mine, theirs = loads[f"ours {largest}"], loads[f"vcrpy {largest}"]
    figures.append(Figure(what, "s", mine, "vcrpy's YAML", theirs, "faster", goal=5, at_least=True))
    return Measured(
        figures, f"requests and the door: an app that answers at once takes {_at_once(bodies[:200]):.2f} ms"
    )


def _scoring(number: int, images: np.ndarray) -> WireExchange:
    """One scoring of two digits, each scoring another one."""
    rows = images[[number % len(images), number // len(images) % len(images)]]
    rows[0, 0] = number / 10_000
    body = json.dumps({"input_data": [{"values": rows.tolist()}]}).encode()
    answer = json.dumps({"predictions": [{"id": "classes", "values": [number, 4]}]}).encode()
    kind = "application/json"
    return WireExchange(
        method="POST",
        role=Role.ML,
        host=HOST,
        path=PATH,
        query="version=2026-08-17",
        content_type=kind,
        body=body,
        status=200,
        answer_type=kind,
        answer=answer,
    )


def _cassette(folder: Path, size: int) -> list[bytes]:
    """Write recordings of that many scorings, ours and vcrpy's; the bodies."""
    images = load_digits().images
    tape = [_scoring(number, images) for number in range(size)]
    text = dump(Cassette("scored", {"recorded_at": "2026-01-01"}, tuple(normalised(tape, "s", {}))))
    write(folder / "scored.yaml", text)
    interactions = [
        {"request": one["request"], "response": one["response"]} for one in json.loads(text)["interactions"]
    ]
    write(folder / "stock" / "scored.yaml", yamlserializer.serialize({"interactions": interactions, "version": 1}))
    return [taped.body for taped in tape]


def _ours(folder: Path, bodies: list[bytes]) -> tuple[float, list[float]]:
    """Seconds to load, and seconds of each request."""
    begun = time.perf_counter()
    library = CassetteLibrary(folder, "scored")
    library.player("scored")
    loaded = time.perf_counter() - begun
    with open_door(Replay(library, Hosts(), {}, Secrets(), lambda: "")):
        return loaded, _asked(bodies)


def _stock(folder: Path, bodies: list[bytes], matcher: str) -> tuple[float, list[float]]:
    """The same with vcrpy, told to look at bodies."""
    begun = time.perf_counter()
    recorder = vcr.VCR(match_on=["method", "uri", matcher], record_mode="none")
    with recorder.use_cassette(str(folder / "stock" / "scored.yaml")):
        loaded = time.perf_counter() - begun
        return loaded, _asked(bodies)


def _at_once(bodies: list[bytes]) -> float:
    """Milliseconds of a request to an app that reads it and answers at once."""

    def app(environ, start_response):
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]

    with open_door(app):
        return 1000 * statistics.median(_asked(bodies))


def _asked(bodies: list[bytes]) -> list[float]:
    """Seconds of each request, in one session."""
    seconds = []
    with requests.Session() as session:
        for body in bodies:
            begun = time.perf_counter()
            answer = session.post(URL, data=body, headers=HEADERS, timeout=600)
            seconds.append(time.perf_counter() - begun)
            assert answer.status_code == 200, answer.text
    return seconds
