"""Beside the plugins that many projects have, all at once: order by chance, loops of asyncio's, no sockets, …"""

from __future__ import annotations

import pytest

EVERYTHING = "--reruns=1 --timeout=300 --disable-socket --allow-unix-socket --block-network"
ASYNC = """
import asyncio

import httpx
import pytest

pytestmark = pytest.mark.asyncio


async def test_threads(wml_deployment, pumps):
    jobs = [asyncio.to_thread(wml_deployment.predict, [pumps[name]]) for name in ("healthy", "worn", "failing")]
    assert [each.classes.tolist() for each in await asyncio.gather(*jobs)] == [[0], [1], [2]]


async def test_sockets(wml_client, wml_deployment, pumps):
    payload = {"input_data": [{"fields": [], "values": [pumps["worn"].tolist()]}]}
    headers = wml_client._get_headers()
    async with httpx.AsyncClient(headers=headers, params={"version": "2026-01-01"}) as client:
        jobs = [client.post(wml_deployment.scoring_url, json=payload) for _ in range(4)]
        answers = await asyncio.gather(*jobs)
    assert [answer.status_code for answer in answers] == [200] * 4
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_replay_in_any_order(replaying, pump, seed):
    """Whatever comes first finds its answers."""
    told = replaying.must(f"pytest -v {EVERYTHING} --randomly-seed={seed}", pump)
    for name in ("randomly", "asyncio", "rerunfailures", "timeout", "socket", "recording", "xdist"):
        assert f"{name}-" in told
    assert f"Using --randomly-seed={seed}" in told
    assert "10 passed, 1 skipped" in told


def test_two_workers_replay_in_any_order(replaying, pump):
    """Each in an order of its own."""
    assert "10 passed, 1 skipped" in replaying.must(f"pytest -n 2 {EVERYTHING} --randomly-seed=4", pump)


def test_recorded_in_one_order_and_replayed_in_another(scoring, replaying, pump):
    """Coroutines, threads and sockets of a loop are recorded and replayed like any other test."""
    (pump / "test_async.py").write_text(ASYNC)
    record = "pytest --wml=embedded --wml-record --timeout=300 --randomly-seed=5"
    assert "13 passed" in scoring.must(record, pump)
    for seed in (6, 7):
        assert "12 passed, 1 skipped" in replaying.must(f"pytest {EVERYTHING} --randomly-seed={seed}", pump)
