"""What the recorder keeps of what passes."""

from __future__ import annotations

import itertools

from werkzeug.test import EnvironBuilder, run_wsgi_app

from pytest_wml.interception.messages import send_json
from pytest_wml.redaction.known import Secrets
from pytest_wml.replay.recorder import Recorder
from pytest_wml.wml.hosts import Hosts
from pytest_wml.wml.tokens import minted

PLACE = "/ml/v4/deployments/0f8fad5b-d9cb-469f-a165-70867728950e"
GOOD = f"Bearer {minted()}"


def ask(app, path=f"{PLACE}/predictions", token=GOOD, method="POST"):
    body = {"json": {"input_data": []}} if method == "POST" else {}
    builder = EnvironBuilder(path, "https://us-south.ml.cloud.ibm.com", method=method, **body)
    builder.headers["Authorization"] = token
    run_wsgi_app(app, builder.get_environ(), buffered=True)


def recorder(answers):
    def app(environ, start_response):
        return send_json(start_response, 200, next(answers))

    return Recorder(app, Hosts.of([]), Secrets())


def test_the_same_answer_is_kept_once():
    """A load test of thousands of requests leaves one answer in memory, until something is changed."""
    made = recorder(itertools.repeat({"predictions": []}))
    for _ in range(3):
        ask(made)
    assert len(made.tapes[""]) == 1
    ask(made, PLACE, method="DELETE")
    ask(made)
    assert [taped.method for taped in made.tapes[""]] == ["POST", "DELETE", "POST"]


def test_other_answers_and_refused_tokens_are_kept():
    """What a model answers by chance is kept in its order, and what was asked with a bad token apart."""
    made = recorder(iter([1, 2, 2, 1, 1]))
    for token in (GOOD,) * 4 + ("Bearer bad-token",):
        ask(made, token=token)
    assert [(taped.answer, taped.refusable) for taped in made.tapes[""]] == [
        (b"1", ""),
        (b"2", ""),
        (b"1", ""),
        (b"1", "with a token that is no JWT"),
    ]
