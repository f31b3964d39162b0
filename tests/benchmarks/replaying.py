"""Replaying scorings of 2 × 784 floats from cassettes of 10 to 10,000 interactions, beside stock vcrpy.

    python tests/benchmarks/replaying.py [--largest 10000] [--vcr-requests 20]

Prints seconds to load a file and milliseconds a request through `requests`, and asserts nothing. vcrpy is asked
fewer requests where its cost a request grows with the file; the figure is still the cost of one request.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import requests
import vcr

from pytest_wml.answers.replay import Replay
from pytest_wml.cassette.file import Cassette, dump, write
from pytest_wml.cassette.library import Library
from pytest_wml.cassette.normalise import normalised
from pytest_wml.cassette.scrub import Secrets
from pytest_wml.cassette.tape import Taped
from pytest_wml.door import open_door
from pytest_wml.hosts import Hosts, Role

HOST = "us-south.ml.cloud.ibm.com"
PATH = "/ml/v4/deployments/22222222-2222-4222-8222-222222222222/predictions"
URL = f"https://{HOST}{PATH}?version=2026-08-17"


def scoring(number: int, images: np.ndarray) -> Taped:
    """One scoring of two images, each scoring another one."""
    rows = images.copy()
    rows[0, 0] = number
    body = json.dumps({"input_data": [{"values": rows.tolist()}]}).encode()
    answer = json.dumps({"predictions": [{"id": "classes", "values": [number, 4]}]}).encode()
    kind = "application/json"
    return Taped("POST", Role.ML, HOST, PATH, "version=2026-08-17", kind, body, 200, kind, answer)


def cassette(folder: Path, size: int) -> list[bytes]:
    """Write a cassette of that many scorings; their bodies."""
    images = np.random.default_rng(0).random((2, 784), dtype=np.float32)
    tape = [scoring(number, images) for number in range(size)]
    write(
        folder / "scored.yaml",
        dump(Cassette("scored", {"recorded_at": "2026-01-01"}, tuple(normalised(tape, "s", {})))),
    )
    return [taped.body for taped in tape]


def ours(folder: Path, bodies: list[bytes]) -> tuple[float, list[float]]:
    """Seconds to load, and seconds of each request."""
    begun = time.perf_counter()
    library = Library(folder, "scored")
    library.player("scored")
    loaded = time.perf_counter() - begun
    with open_door(Replay(library, Hosts(), {}, Secrets())):
        return loaded, asked(bodies)


def stock(folder: Path, bodies: list[bytes], matcher: str) -> tuple[float, list[float]]:
    """The same with vcrpy, told to look at bodies."""
    begun = time.perf_counter()
    recorder = vcr.VCR(match_on=["method", "uri", matcher], record_mode="none")
    with recorder.use_cassette(str(folder / "scored.yaml")):
        loaded = time.perf_counter() - begun
        return loaded, asked(bodies)


def asked(bodies: list[bytes]) -> list[float]:
    """Seconds of each request, in one session."""
    seconds = []
    with requests.Session() as session:
        for body in bodies:
            begun = time.perf_counter()
            answer = session.post(URL, data=body, headers={"Content-Type": "application/json"}, timeout=600)
            seconds.append(time.perf_counter() - begun)
            assert answer.status_code == 200, answer.text
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=10_000)
    parser.add_argument("--vcr-requests", type=int, default=20, help="requests that vcrpy is asked a file")
    given = parser.parse_args()
    print(f"{'interactions':>12} {'tool':<22} {'load s':>8} {'p50 ms':>8} {'all, with load, s':>18}")
    for size in (10, 1_000, 10_000):
        if size > given.largest:
            break
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            bodies = cassette(folder, size)
            loaded, seconds = ours(folder, bodies)
            show(size, "pytest-wml", loaded, seconds, f"{loaded + sum(seconds):.2f}")
            last = bodies[-given.vcr_requests :]
            for matcher in ("raw_body", "body"):
                loaded, seconds = stock(folder, last if matcher == "raw_body" else last[-3:], matcher)
                show(size, f"vcrpy {vcr.__version__} {matcher}", loaded, seconds, "")


def show(size: int, tool: str, loaded: float, seconds: list[float], total: str) -> None:
    """One row of the table."""
    print(f"{size:>12} {tool:<22} {loaded:>8.2f} {1e3 * statistics.median(seconds):>8.2f} {total:>18}", flush=True)


if __name__ == "__main__":
    main()
