"""Whatever comes, the service answers in its own JSON and goes on."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.emulator.routes import ROUTES
from tests.emulator.malformed import HOSTS, Known, Request, malformed
from tests.emulator.rest import Rest, error_of

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def target(archives):
    """A service that may be left in any state."""
    with EmbeddedWML(json_limit=1 << 20) as app:
        yield Rest(app)


@pytest.fixture(scope="module")
def known(target, archives):
    return Known.seeded(target, archives["lookup"].read_bytes())


def fire(rest, request: Request):
    return rest.http.open(
        request.path,
        method=request.method,
        base_url=request.host,
        query_string=request.query,
        data=request.body,
        headers=request.headers,
        environ_overrides=request.environ,
        buffered=True,
    )


def check(rest, answer) -> None:
    """No bug of the service, no page for people, no trace of Python."""
    assert rest.app.crashes == []
    assert answer.status_code < 500 or answer.status_code == 501
    if answer.content_type not in ("application/json", "application/octet-stream"):
        assert answer.data == b""
    if answer.status_code >= 400 and answer.data:
        document = json.loads(answer.data)
        assert {"errors", "errorCode", "code", "error"} & set(document)
    assert b"Traceback" not in answer.data
    assert b"<!doctype" not in answer.data.lower()


def test_hundreds_of_malformed_requests_are_answered(target, known):
    """Broken bodies, queries, ids, headers and lengths, at every route and host."""
    dice = random.Random(1)
    for _ in range(600):
        check(target, fire(target, malformed(known, dice)))


@pytest.mark.slow
def test_ten_thousand_malformed_requests_are_answered(archives):
    """The same for longer, with what requests have deleted put back from time to time."""
    dice = random.Random(2)
    with EmbeddedWML(json_limit=1 << 20) as app:
        rest = Rest(app)
        for count in range(10_000):
            if count % 500 == 0:
                known = Known.seeded(rest, archives["lookup"].read_bytes())
            check(rest, fire(rest, malformed(known, dice)))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(route=st.sampled_from(ROUTES), body=ANYTHING, host=st.sampled_from(HOSTS))
def test_any_json_is_answered_at_any_route(target, route, body, host):
    """Also JSON that has nothing to do with what the route takes."""
    answer = target.send(route.method, route.path, json.dumps(body).encode(), host=host)
    check(target, answer)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values=ANYTHING, more=st.dictionaries(st.text(max_size=8), ANYTHING, max_size=2))
def test_any_values_are_scored_or_refused(rest, deployments, values, more):
    """Each model gives predictions or says what it takes."""
    for name, deployment_id in deployments.items():
        answer = rest.score(deployment_id, {**more, "values": values})
        assert answer.status_code in (200, 400), name
        if answer.status_code == 400:
            assert error_of(answer)["code"] == "invalid_input_data"


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=300))
def test_any_content_is_kept_and_fails_its_deployment(target, content):
    """What is no archive comes back as it was, and cannot be deployed."""
    model_id = target.create_model().json["metadata"]["id"]
    stored = target.upload(model_id, content)
    assert stored.status_code == (201 if content else 400)
    if content:
        assert target.space("GET", f"/ml/v4/models/{model_id}/download").data == content
        deployment_id = target.create_deployment(model_id).json["metadata"]["id"]
        assert target.deployment(deployment_id)["entity"]["status"]["state"] == "failed"


def test_a_large_body_is_refused(target, archives):
    """413 for JSON beyond the limit that the service was given, told or not; models have no limit."""
    large = json.dumps({"input_data": [{"values": [0] * 600_000}]}).encode()
    path = f"/ml/v4/deployments/{target.deploy(archives['lookup'])}/predictions"
    told = target.send("POST", path, large)
    untold = target.send("POST", path, large, environ_overrides={"CONTENT_LENGTH": "", "wsgi.input_terminated": True})
    for answer in (told, untold):
        assert answer.status_code == 413
        assert error_of(answer)["code"] == "request_entity_too_large"
    assert target.store(large)


def test_what_is_nested_too_deeply_is_refused(target):
    """Before it is kept, because it could not be shown again."""
    deep: object = 1
    for _ in range(300):
        deep = [deep]
    model_id = target.create_model().json["metadata"]["id"]
    patch = [{"op": "add", "path": "/custom", "value": {"deep": deep}}]
    for answer in (
        target.create_model(custom={"deep": deep}),
        target.space("PATCH", f"/ml/v4/models/{model_id}", patch),
    ):
        assert answer.status_code == 400
        assert "nested too deeply" in error_of(answer)["message"]


def test_slashes_may_be_doubled(rest):
    """Both clients join links to hosts with a slash too many."""
    environ = {"PATH_INFO": "//ml//v4/models"}
    assert rest.send("GET", "/", environ_overrides=environ, query={"space_id": "none"}).status_code == 404
    answer = rest.space("GET", "/ml//v4/models")
    assert answer.status_code == 200


def test_a_crash_is_kept_and_not_shown():
    """An exception of the service itself is answered with a 500 that tells nothing, and kept for the run."""
    with EmbeddedWML() as app:
        rest = Rest(app)
        rest.app._service.spaces = None
        answer = rest.send("GET", "/v2/spaces")
        assert answer.status_code == 500
        assert error_of(answer) == {
            "code": "internal_error",
            "message": "pytest-wml's embedded service met an unexpected error.",
        }
        assert [type(crash) for crash in app.crashes] == [AttributeError]
