"""A door that was open leaves no file descriptor, no thread and no patch behind."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import ssl
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

import httpcore
import httpx
import pytest
import requests
import urllib3.connection
from vcr.cassette import Cassette

from pytest_wml.interception import Door, open_door
from tests.interception.test_door import ML, echo

DESCRIPTORS = Path("/proc/self/fd")
WATCHED = [
    (owner, name)
    for owner, names in (
        (urllib3.connection.HTTPSConnection, ("connect",)),
        (httpcore.SyncBackend, ("connect_tcp",)),
        (httpcore.AnyIOBackend, ("connect_tcp",)),
        (httpcore.HTTPProxy, ("create_connection",)),
        (socket, ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "create_connection")),
        (socket.socket, ("connect", "connect_ex")),
        (ssl.SSLContext, ("wrap_socket", "wrap_bio")),
        (HTTPConnection, ("connect", "putrequest")),
        (Cassette, ("filter_request", "append", "_load")),
        (time, ("sleep",)),
        (asyncio, ("sleep",)),
    )
    for name in names
]


def patches():
    return [(name, vars(owner).get(name)) for owner, name in WATCHED]


def threads():
    return {thread for thread in threading.enumerate() if thread.name.startswith("wml ")}


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="descriptors are counted by /proc")
def test_five_hundred_requests_leave_no_descriptor():
    """Whether each has a connection of its own or all share one."""
    before, running = len(os.listdir(DESCRIPTORS)), threads()
    with open_door(echo) as door, requests.Session() as session, httpx.Client() as client:
        for number in range(500):
            ask = (requests.get, session.get, client.get)[number % 3]
            assert ask(f"{ML}/{number}", timeout=5).json()["path"] == f"/{number}"
        assert len(door._connections) < 50
    gc.collect()
    assert threads() <= running
    assert len(os.listdir(DESCRIPTORS)) <= before


def test_connections_that_are_still_open_end_with_the_door():
    """A session that nobody closed keeps no thread alive, and its next request does not hang."""
    running = threads()
    with open_door(echo):
        session = requests.Session()
        session.get(f"{ML}/x", timeout=5)
        assert len(threads() - running) == 1
    assert threads() <= running
    with open_door(echo):
        assert session.get(f"{ML}/y", timeout=5).json()["path"] == "/y"
    session.close()


def test_a_closed_door_has_put_everything_back():
    """Every attribute that it replaces is as it was, inherited ones included; also when opened twice in a row."""
    before = patches()
    for _ in range(2):
        with open_door(echo):
            assert all(now != then for now, then in zip(patches(), before, strict=True) if then[0] != "getaddrinfo")
        assert patches() == before


def test_a_wait_that_was_imported_by_name_is_real_again():
    """`from time import sleep` while the door was open keeps the door's, which waits once it is closed."""
    slept: list[float] = []
    real, time.sleep = time.sleep, slept.append
    try:
        module = {"__name__": "ibm_watsonx_ai.deployment"}
        with open_door(echo):
            exec("from time import sleep\nsleep(5)", module)
        exec("sleep(5)", module)
    finally:
        time.sleep = real
    assert slept == [0, 5]


@pytest.mark.parametrize("variable", ["https_proxy", "all_proxy"])
def test_a_proxy_costs_no_connection(monkeypatch, variable):
    """To find out whether a host is its own, the door opens nothing."""
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    served: list[str] = []

    def counting(environ, start_response):
        served.append(environ["PATH_INFO"])
        return echo(environ, start_response)

    door = Door(counting)
    connected: list[str] = []
    connect = door.connect
    door.connect = lambda host, port: connected.append(host) or connect(host, port)
    door.open()
    try:
        assert httpx.get(f"{ML}/x").status_code == 200
    finally:
        door.close()
    assert served == ["/x"]
    assert connected == ["us-south.ml.cloud.ibm.com"]
