"""What stands before the live service, each part before a small app of its own."""

from __future__ import annotations

import io

import pytest

from pytest_wml.config.values import Setting
from pytest_wml.interception.messages import whole
from pytest_wml.interception.request_log import Requester, RequestLog
from pytest_wml.live.budget import Budget, Limits
from pytest_wml.live.retry import Retrying

SCORING = "/ml/v4/deployments/1/predictions"


class Service:
    """Answers each request with 200; keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, environ, start_response):
        self.asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["wsgi.input"].read()))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]


def ask(app, method, path, body=b"", **headers):
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": "", "HTTP_HOST": "ml.example.com"}
    length = {} if headers else {"CONTENT_LENGTH": str(len(body))}
    status, _, _ = whole(app, {**environ, **length, **headers, "wsgi.input": io.BytesIO(body)})
    return int(status[:3])


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def budget(service, tmp_path):
    limit = Setting(2, "--wml-max-requests")
    return Budget(service, Limits(limit, Setting(None), Setting(None)), tmp_path)


def test_what_is_free_takes_nothing_from_the_budget(budget):
    """Deletions, and what teardowns ask: what is left afterwards is all there was."""
    for _ in range(3):
        assert ask(budget, "DELETE", "/ml/v4/models/1") == 200
    logged = RequestLog(budget)
    with logged.requests_of(Requester("fixture", "", "f"), cleanup=True):
        assert ask(logged, "GET", "/ml/v4/models") == 200
    assert [ask(budget, "GET", "/ml/v4/models") for _ in range(3)] == [200, 200, 422]


def test_a_scoring_of_unknown_length_is_sent_whole(service):
    """It comes in chunks, and is passed on as it comes."""
    assert ask(Retrying(service), "POST", SCORING, b'{"input_data": []}', HTTP_TRANSFER_ENCODING="chunked") == 200
    assert service.asked == [("POST", SCORING, b'{"input_data": []}')]


def busy_once(service):
    """The service, which has no time for the first request."""
    answers = iter(["429 Too Many Requests"])

    def app(environ, start_response):
        status = next(answers, "")
        if status:
            start_response(status, [("Retry-After", "3")])
            return [b"{}"]
        return service(environ, start_response)

    return app


def test_whoever_measures_sees_each_refusal(service):
    """Nothing is sent again, and no wait is among the times."""
    retrying = Retrying(busy_once(service), lambda _: False)
    with retrying.once():
        assert ask(retrying, "POST", SCORING) == 429
    assert (service.asked, retrying.waited) == ([], 0)


def test_waits_between_two_tries_are_known(service):
    """They are not the service's time."""
    retrying = Retrying(busy_once(service), lambda _: False)
    assert ask(retrying, "POST", SCORING) == 200
    assert retrying.waited == 3
