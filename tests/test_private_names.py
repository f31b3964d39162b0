"""Private names of other libraries that this package uses: a release that moves one fails here, by name."""

from __future__ import annotations

import importlib
import inspect

import httpcore
import pytest
from urllib3.connection import HTTPSConnection

from pytest_wml.client import safe_client
from tests.ibm import PACKAGES


def test_pytest(pytester):
    """The keys of the ini file, a fixture's cached result, and what a function's fixtures are."""
    pytester.makeini("[pytest]\nmarkers = rare\n")
    config = pytester.parseconfigure()
    assert "markers" in (getattr(config, "_inicfg", None) or config.inicfg)
    assert hasattr(config.known_args_namespace, "override_ini")
    assert "self.cached_result" in inspect.getsource(pytest.FixtureDef)
    pytester.makepyfile("def test_func(tmp_path): pass")
    items, _ = pytester.inline_genitems()
    assert items[0]._fixtureinfo.argnames == ("tmp_path",)


def test_urllib3():
    """The end of a proxy's tunnel, and whether there is one."""
    connection = HTTPSConnection("proxy.example", 443)
    connection.set_tunnel("eu-de.ml.cloud.ibm.com", 443)
    assert (connection._tunnel_host, connection._tunnel_port) == ("eu-de.ml.cloud.ibm.com", 443)
    assert connection._has_connected_to_proxy is False
    assert connection.is_verified is False
    assert not connection.proxy_is_verified


def test_httpcore():
    """The backends that connect, and a proxy pool's TLS context and backend."""
    from httpcore._async.connection import AsyncHTTPConnection
    from httpcore._async.http_proxy import AsyncHTTPProxy
    from httpcore._backends.auto import AutoBackend
    from httpcore._backends.sync import SyncStream
    from httpcore._sync.connection import HTTPConnection
    from httpcore._sync.http_proxy import HTTPProxy

    for backend in (httpcore.SyncBackend, httpcore.AnyIOBackend, AutoBackend):
        assert list(inspect.signature(backend.connect_tcp).parameters)[:3] == ["self", "host", "port"]
    assert list(inspect.signature(SyncStream.__init__).parameters) == ["self", "sock"]
    for pool in (HTTPProxy("http://127.0.0.1:1"), AsyncHTTPProxy("http://127.0.0.1:1")):
        assert {"_ssl_context", "_network_backend"} <= vars(pool).keys()
        assert list(inspect.signature(pool.create_connection).parameters) == ["origin"]
    for direct in (HTTPConnection, AsyncHTTPConnection):
        assert {"origin", "ssl_context", "network_backend"} <= inspect.signature(direct).parameters.keys()


@pytest.mark.parametrize("package", PACKAGES)
def test_ibms_clients(package):
    """The headers of their requests, what they keep in classes, and where verification is switched off."""
    module = importlib.import_module(package)
    assert callable(module.APIClient._get_headers)
    there = {
        attribute
        for name, kind, attribute in safe_client._GLOBALS
        if name.startswith(package)
        for owner in [importlib.import_module(name)]
        if hasattr(getattr(owner, kind) if kind else owner, attribute)
    }
    assert there >= {"verify", "cloud_platform_spaces", "icp_platform_spaces"}
