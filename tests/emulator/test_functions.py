"""Python functions: stored, deployed, scored, and only run where that was allowed."""

from __future__ import annotations

import gzip
import hashlib
import sys
import tempfile
from pathlib import Path

import pytest

from pytest_wml.emulator.runtimes import function
from pytest_wml.emulator.runtimes.protocol import ScoringRequest
from pytest_wml.model.serving import LoadFailed
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.kept import served
from tests.emulator.rest import SPEC, Rest, error_of

SUM = """
def score(payload):
    rows = payload["input_data"][0]["values"]
    return {"predictions": [{"fields": ["sum"], "values": [[sum(row)] for row in rows]}]}
"""


def store(rest: Rest, source: str | bytes, **members: object) -> str:
    """Store a function; returns its id."""
    draft = {"name": "function", "software_spec": SPEC, "space_id": DEFAULT_SPACE_ID, **members}
    created = rest.send("POST", "/ml/v4/functions", draft)
    assert created.status_code == 201, created.text
    function_id = created.json["metadata"]["id"]
    code = source if isinstance(source, bytes) else gzip.compress(source.encode())
    assert rest.space("PUT", f"/ml/v4/functions/{function_id}/code", code).status_code == 201
    return function_id


def deployed(rest: Rest, source: str | bytes, **members: object) -> dict:
    created = rest.create_deployment(store(rest, source), **members)
    assert created.status_code == 202, created.text
    return rest.deployment(created.json["metadata"]["id"])


def failure(rest: Rest, source: str | bytes) -> str:
    return deployed(rest, source)["entity"]["status"]["failure"]["errors"][0]["message"]


def loaded(source: str) -> function.DeployedFunction:
    """A function as the process that runs it loads it."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "function.py").write_text(source)
        try:
            return function.load(Path(folder), trusted=True)
        finally:
            sys.modules.pop("function")


@pytest.fixture(scope="module")
def summing(trusting) -> str:
    """A deployment of a function that adds up each row."""
    return deployed(trusting, SUM)["metadata"]["id"]


@pytest.fixture(scope="module")
def odd(trusting) -> str:
    """A deployment of a function that does what the first value says."""
    source = """
def score(payload):
    wish = payload["input_data"][0]["values"][0]
    if wish == "raise":
        raise ZeroDivisionError("on purpose")
    if wish == "exit":
        raise SystemExit("enough")
    if wish == "nothing":
        return None
    if wish == "print":
        print("anything", flush=True)
        return "printed"
    return {"set": {1}, "everything": payload, "nan": float("nan")}[wish]
"""
    return deployed(trusting, source)["metadata"]["id"]


def test_a_function_is_answered_with_what_it_returns(trusting, summing):
    """The payload is the body of the request, the answer is the document that it made."""
    answer = trusting.score(summing, {"values": [[1, 2], [3, 4]]})
    assert answer.json == {"predictions": [{"fields": ["sum"], "values": [[3], [7]]}]}


def test_a_function_sees_the_whole_body(trusting, odd):
    """Also what is no input data."""
    body = {"input_data": [{"values": ["everything"]}], "more": 1}
    assert trusting.send("POST", f"/ml/v4/deployments/{odd}/predictions", body).json == body


def test_what_a_function_prints_is_no_answer(trusting, odd):
    """The pipe that carries the answers is not its standard output."""
    assert trusting.score(odd, {"values": ["print"]}).json == "printed"


def test_a_function_that_returns_nothing_is_answered_with_null(trusting, odd):
    """As its JSON is; an empty body would be no JSON for the clients."""
    answer = trusting.score(odd, {"values": ["nothing"]})
    assert (answer.status_code, answer.content_type, answer.text) == (200, "application/json", "null")


@pytest.mark.parametrize("source", [b"\xef\xbb\xbfword = '\xc3\xa4'", b"# coding: latin-1\nword = '\xe4'"])
def test_a_source_tells_its_encoding(trusting, source):
    """By a byte-order mark or a comment, as any file of Python's."""
    source += b"\ndef score(payload):\n    return word"
    deployment_id = deployed(trusting, gzip.compress(source))["metadata"]["id"]
    assert trusting.score(deployment_id, {"values": []}).json == "ä"


def test_a_source_may_define_dataclasses(trusting):
    """Also with annotations that are text, which they look up in the module they are in."""
    source = """
from dataclasses import dataclass
@dataclass
class Answer:
    word: "str" = "fine"
def score(payload):
    return Answer().word
"""
    assert trusting.score(deployed(trusting, source)["metadata"]["id"], {"values": []}).json == "fine"


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ("raise", "The function failed. ZeroDivisionError: on purpose"),
        ("exit", "SystemExit: enough"),
        ("set", "The answer is no JSON. Object of type set is not JSON serializable"),
    ],
)
def test_a_function_that_breaks_is_a_500(trusting, odd, wish, message):
    """With the reason, and the function goes on."""
    answer = trusting.score(odd, {"values": [wish]})
    assert answer.status_code == 500
    assert error_of(answer)["code"] == "scoring_failed"
    assert message in error_of(answer)["message"]
    assert trusting.score(odd, {"values": ["print"]}).status_code == 200


def test_a_function_is_not_run_unasked(rest):
    """The reason names the option that allows it."""
    assert "EmbeddedWML(allow_pickle=True)" in failure(rest, SUM)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def score(:", "cannot be run. SyntaxError"),
        ("import nothing_like_it", "cannot be run. ModuleNotFoundError: No module named 'nothing_like_it'"),
        ("x = 1", "has no function 'score'"),
        (b"def score(payload): ...", "is no gzipped Python file"),
        (gzip.compress(b"#" * (16 << 20) + b"\nx = 1"), "is longer than the 16 MiB that are run"),
    ],
)
def test_a_source_that_cannot_be_run_fails(trusting, source, message):
    """Each with its reason."""
    assert message in failure(trusting, source)


def test_the_modules_of_the_project_are_not_the_services(trusting, tmp_path, monkeypatch):
    """What can be imported here only because of where the tests run is missing live, too."""
    (tmp_path / "module_of_mine.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert "No module named 'module_of_mine'" in failure(trusting, "import module_of_mine")


def test_a_function_does_not_see_secrets(trusting, monkeypatch):
    """The service does not have them either."""
    monkeypatch.setenv("WML_APIKEY", "secret")
    monkeypatch.setenv("MY_PASSWORD", "secret")
    monkeypatch.setenv("PLAIN", "plain")
    names = ["WML_APIKEY", "MY_PASSWORD", "PLAIN"]
    source = f"import os\ndef score(payload):\n    return [os.environ.get(name) for name in {names}]"
    deployment_id = deployed(trusting, source)["metadata"]["id"]
    assert trusting.score(deployment_id, {"values": []}).json == [None, None, "plain"]


def test_a_deployment_says_that_it_is_a_function(trusting, summing):
    """Among what it was made of."""
    assert trusting.deployment(summing)["entity"]["deployed_asset_type"] == "function"


def test_a_function_is_kept_as_a_model_is(own):
    """Read, listed, patched, revised, downloaded, deleted; and not found among the models."""
    function_id = store(own, SUM, description="adds up", tags=["a"])
    path = f"/ml/v4/functions/{function_id}"
    assert own.space("GET", path).json["metadata"]["description"] == "adds up"
    assert own.space("GET", f"/ml/v4/models/{function_id}").status_code == 404
    patched = own.space("PATCH", path, [{"op": "replace", "path": "/name", "value": "renamed"}])
    assert patched.json["metadata"]["name"] == "renamed"
    revision = own.send("POST", f"{path}/revisions", {"space_id": DEFAULT_SPACE_ID})
    assert revision.json["metadata"]["rev"] == "1"
    assert len(own.space("GET", f"{path}/revisions").json["resources"]) == 1
    assert gzip.decompress(own.space("GET", f"{path}/code").data).decode() == SUM
    assert own.space("DELETE", path).status_code == 204
    assert own.space("GET", "/ml/v4/functions").json["resources"] == []
    assert error_of(own.space("GET", path))["code"] == "function_does_not_exist"


def test_a_deployed_function_stays(own):
    """409, as for a model."""
    function_id = store(own, SUM)
    own.create_deployment(function_id)
    answer = own.space("DELETE", f"/ml/v4/functions/{function_id}")
    assert answer.status_code == 409
    assert error_of(answer)["code"] == "function_is_deployed"


def test_a_function_needs_a_specification_that_lives(rest):
    """As a model does."""
    draft = {"name": "f", "space_id": DEFAULT_SPACE_ID}
    for spec, message in ((None, "'software_spec' is required"), ({"name": "default_py3.7"}, "Unsupported software")):
        answer = rest.send("POST", "/ml/v4/functions", {**draft, "software_spec": spec})
        assert answer.status_code == 400
        assert message in error_of(answer)["message"]


def test_a_job_runs_a_function(trusting):
    """Its predictions are those of the function."""
    deployment_id = deployed(trusting, SUM, online=None, batch={})["metadata"]["id"]
    body = {
        "name": "job",
        "space_id": DEFAULT_SPACE_ID,
        "deployment": {"id": deployment_id},
        "scoring": {"input_data": [{"values": [[1, 1]]}]},
    }
    path = f"/ml/v4/deployment_jobs/{trusting.send('POST', '/ml/v4/deployment_jobs', body).json['metadata']['id']}"
    states = [trusting.space("GET", path).json["entity"]["scoring"] for _ in range(2)]
    assert [state["status"]["state"] for state in states] == ["running", "completed"]
    assert states[1]["predictions"] == [{"fields": ["sum"], "values": [[2]]}]


@pytest.mark.parametrize("flavour", ["wml cloud", "watsonx cloud", "wml cpd 5.0 password"])
def test_a_function_goes_the_whole_way(flavour, tmp_path, monkeypatch):
    """Written by a client from a generator with defaults, deployed, scored, downloaded, deleted."""
    pytest.importorskip("ibm_watson_machine_learning")
    pytest.importorskip("ibm_watsonx_ai")
    from tests.emulator.clients import connected, deploy

    def scaling(factor=3):
        def score(payload):
            values = [[value * factor for value in row] for row in payload["input_data"][0]["values"]]
            return {"predictions": [{"fields": ["scaled"], "values": values}]}

        return score

    monkeypatch.chdir(tmp_path)  # the clients leave files where they run
    with connected(flavour, allow_pickle=True) as (client, _):
        spec = client.software_specifications.get_id_by_name(SPEC["name"])
        spec_name = "software_spec_uid" if flavour.startswith("wml") else "software_spec_id"
        names = client.repository.FunctionMetaNames
        meta = {names.NAME: "f", getattr(names, spec_name.upper()): spec}
        function_id = client.repository.store_function(scaling, meta_props=meta)["metadata"]["id"]
        deployment_id = deploy(client, function_id)
        found = client.deployments.score(deployment_id, {"input_data": [{"values": [[1, 2]]}]})
        assert found == {"predictions": [{"fields": ["scaled"], "values": [[3, 6]]}]}
        assert client.repository.get_details(function_id)["metadata"]["name"] == "f"
        client.deployments.delete(deployment_id)
        client.repository.delete(function_id)
        assert client.repository.get_function_details()["resources"] == []


TAKERS = {
    "two parameters": "def score(payload, token): return token",
    "a default of None": "def score(payload, token=None): return token",
    "a default that is a text": "def score(payload, token=''): return token",
    "other names": "def score(data, bearer): return bearer",
    "by position only": "def score(payload, token, /): return token",
    "by keyword only": "def score(payload, *, token): return token",
    "by keyword only, with a default": "def score(payload, *, token=None): return token",
    "more with defaults": "def score(payload, token, factor=2): return token",
    "any number": "def score(*given): return given[1]",
    "a method": "class Model:\n  def run(self, payload, token): return token\nscore = Model().run",
    "an object": "class Model:\n  def __call__(self, payload, token=None): return token\nscore = Model()",
    "a closure": "def make(a=1):\n  def score(payload, token): return token\n  return score\nscore = make()",
    "a partial": "import functools\ndef run(model, payload, token): return token\nscore = functools.partial(run, 1)",
    "a decorator": (
        "import functools\ndef logged(run):\n  @functools.wraps(run)\n  def wrapper(*given, **named): "
        "return run(*given, **named)\n  return wrapper\n@logged\ndef score(payload, token=None): return token"
    ),
}
OTHERS = {
    "one parameter": "def score(payload): return 'alone'",
    "an option of its own": "def score(payload, factor=2): return 'alone' if factor == 2 else factor",
    "options by keyword": "def score(payload, *, loud=False, **more): return more or loud or 'alone'",
    "a token that was given": (
        "import functools\ndef run(payload, token): return token\nscore = functools.partial(run, token='alone')"
    ),
    "a decorator": (
        "import functools\ndef logged(run):\n  @functools.wraps(run)\n  def wrapper(*given): return run(*given)\n"
        "  return wrapper\n@logged\ndef score(payload): return 'alone'"
    ),
    "a decorator that takes the payload only": (
        "import functools\ndef fixed(run):\n  @functools.wraps(run)\n  def wrapper(payload): "
        "return run(payload, 'alone')\n  return wrapper\n@fixed\ndef score(payload, token): return token"
    ),
}


@pytest.mark.parametrize("source", TAKERS.values(), ids=TAKERS)
def test_a_function_of_two_parameters_gets_the_callers_token(source):
    """Without `Bearer`, as IBM documents it."""
    function = loaded(source)
    assert function.takes_token
    assert function.answer(ScoringRequest({"input_data": []}, "the token")) == "the token"


@pytest.mark.parametrize("source", OTHERS.values(), ids=OTHERS)
def test_a_function_of_one_parameter_gets_no_token(source):
    """Nor one whose second parameter is something else."""
    function = loaded(source)
    assert not function.takes_token
    assert function.answer(ScoringRequest({"input_data": []}, "the token")) == "alone"


@pytest.mark.parametrize("source", ["def score(): ...", "def score(a, b, c): ...", "def score(*, payload): ..."])
def test_a_function_that_cannot_be_called_fails_its_deployment(source):
    """The reason shows what it takes, and what it is called with."""
    with pytest.raises(
        LoadFailed, match=r"it takes \(.*\), and is called as score\(payload\) or score\(payload, token"
    ):
        loaded(source)


def test_the_token_of_a_function_is_that_of_its_caller(trusting):
    """Each request has its own, and a job that of the request that made it."""
    source = "import hashlib\ndef score(payload, token):\n    return hashlib.sha256(token.encode()).hexdigest()"
    digest = hashlib.sha256(trusting.token.encode()).hexdigest()
    online = deployed(trusting, source)["metadata"]["id"]
    assert trusting.score(online, {"values": []}).json == digest
    other = Rest(trusting.app)
    assert other.token != trusting.token
    assert other.score(online, {"values": []}).json == hashlib.sha256(other.token.encode()).hexdigest()
    batch = deployed(trusting, source, online=None, batch={})["metadata"]["id"]
    body = {"name": "job", "space_id": DEFAULT_SPACE_ID, "deployment": {"id": batch}}
    job = trusting.send("POST", "/ml/v4/deployment_jobs", {**body, "scoring": {"input_data": [{"values": []}]}})
    path = f"/ml/v4/deployment_jobs/{job.json['metadata']['id']}"
    states = [other.space("GET", path).json["entity"]["scoring"] for _ in range(2)]
    assert states[1]["predictions"] == digest


def test_a_token_stays_with_its_function(tmp_path):
    """It is in no error, also where the function prints it, raises it or ends with it, and in no file."""
    source = """
import os, sys
def score(payload, token):
    print(token, flush=True)
    if payload["input_data"][0]["values"] == "raise":
        raise ValueError("refused: " + token)
    print("gone: " + token, file=sys.stderr, flush=True)
    os._exit(3)
"""
    with served(tmp_path, allow_pickle=True) as rest:
        deployment_id = deployed(rest, source)["metadata"]["id"]
        batch = deployed(rest, source, online=None, batch={})["metadata"]["id"]
        told = [rest.score(deployment_id, {"values": mood}).text for mood in ("raise", "exit")]
        body = {"name": "job", "space_id": DEFAULT_SPACE_ID, "deployment": {"id": batch}}
        job = {**body, "scoring": {"input_data": [{"values": "raise"}]}}
        path = f"/ml/v4/deployment_jobs/{rest.send('POST', '/ml/v4/deployment_jobs', job).json['metadata']['id']}"
        told += [rest.space("GET", path).text for _ in range(2)]
        assert "ValueError: refused: " in told[0]
        assert "ended with exit status 3: gone: " in told[1]
        assert "ValueError: refused: " in told[3]
        claims = rest.token.split(".")[1].encode()
        assert claims not in "".join(told).encode()
        kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert claims not in kept
    assert "secret" not in repr(ScoringRequest({}, "secret"))


def test_a_job_has_a_token_after_a_restart(tmp_path):
    """A new one, good for this service: the token of the request that made it is in no file."""
    source = "def score(payload, token):\n    return {'predictions': [{'values': [token.count('.')]}]}"
    with served(tmp_path, allow_pickle=True) as rest:
        batch = deployed(rest, source, online=None, batch={})["metadata"]["id"]
        body = {"name": "job", "space_id": DEFAULT_SPACE_ID, "deployment": {"id": batch}}
        job = rest.send("POST", "/ml/v4/deployment_jobs", {**body, "scoring": {"input_data": [{"values": [1]}]}})
    with served(tmp_path, allow_pickle=True) as rest:
        path = f"/ml/v4/deployment_jobs/{job.json['metadata']['id']}"
        states = [rest.space("GET", path).json["entity"]["scoring"] for _ in range(2)]
    assert states[1]["predictions"] == [{"values": [2]}]
