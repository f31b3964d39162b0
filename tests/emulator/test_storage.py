"""A service with a data folder: what it acknowledged is there again for the next one."""

from __future__ import annotations

import gzip
import random
import stat
import subprocess
import sys

import pytest

from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.kept import everything, served
from tests.emulator.malformed import Known, malformed
from tests.emulator.rest import error_of, predictions_of
from tests.emulator.test_robustness import fire

DOUBLER = gzip.compress(b"def score(payload):\n    return {'predictions': payload['input_data']}\n")


def stored_function(rest) -> str:
    draft = {"name": "f", "software_spec": {"name": "runtime-24.1-py3.11"}, "space_id": DEFAULT_SPACE_ID}
    function_id = rest.send("POST", "/ml/v4/functions", draft).json["metadata"]["id"]
    assert rest.space("PUT", f"/ml/v4/functions/{function_id}/code", DOUBLER).status_code == 201
    return function_id


def test_all_is_there_after_a_restart(tmp_path, archives):
    """Spaces, models with revisions, functions, deployments and jobs, each as it was shown before."""
    with served(tmp_path / "data", allow_pickle=True) as rest:
        rest.send("POST", "/v2/spaces", {"name": "mine", "stage": {"production": True}})
        model_id = rest.store(archives["lookup"], description="größer", tags=["a"], label_column="y")
        rest.send("POST", f"/ml/v4/models/{model_id}/revisions", {"space_id": DEFAULT_SPACE_ID})
        rest.create_deployment(stored_function(rest), online={"parameters": {"serving_name": "mine"}})
        batch = rest.deploy(archives["lookup"], online=None, batch={})
        job = {"name": "job", "space_id": DEFAULT_SPACE_ID, "deployment": {"id": batch}}
        jobs = [
            rest.send("POST", "/ml/v4/deployment_jobs", {**job, "scoring": {"input_data": [{"values": [place]}]}})
            for place in (0, 1)
        ]
        job_path = f"/ml/v4/deployment_jobs/{jobs[0].json['metadata']['id']}"
        for _ in range(2):
            rest.space("GET", job_path)
        before = everything(rest)
    with served(tmp_path / "data", allow_pickle=True) as rest:
        after = everything(rest)
        queued = after["/ml/v4/deployment_jobs"]["resources"][0]["entity"]["scoring"]
        assert queued["status"]["state"] == "completed"  # it was running, and goes on
        assert queued["predictions"] == [{"id": "value", "values": [11.0]}]
        del before["/ml/v4/deployment_jobs"]["resources"][0], after["/ml/v4/deployment_jobs"]["resources"][0]
        assert after == before
        assert rest.space("GET", f"/ml/v4/models/{model_id}", rev="1").json["metadata"]["rev"] == "1"
        assert rest.space("GET", f"/ml/v4/models/{model_id}/download").data == archives["lookup"].read_bytes()
        answer = rest.score("mine", {"values": [[1]]})
        assert predictions_of(answer) == [{"values": [[1]]}]


def test_a_network_scores_after_a_restart_as_before(tmp_path, archives):
    """It is loaded when it is looked at first, and `initializing` until then."""
    with served(tmp_path) as rest:
        deployment_id = rest.ready(archives["classifier"])
        before = predictions_of(rest.score(deployment_id, {"values": [[[[1], [2]], [[3], [4]]]]}))
    with served(tmp_path) as rest:
        assert list((tmp_path / "scratch").iterdir()) == []
        assert rest.deployment(deployment_id)["entity"]["status"]["state"] == "ready"
        assert predictions_of(rest.score(deployment_id, {"values": [[[[1], [2]], [[3], [4]]]]})) == before
    assert not (tmp_path / "scratch").exists()


def test_deletes_stay_deleted(tmp_path):
    """Also what goes with something else: the models of a space, and files."""
    with served(tmp_path) as rest:
        space_id = rest.send("POST", "/v2/spaces", {"name": "mine"}).json["metadata"]["id"]
        model_id = rest.create_model(space_id=space_id).json["metadata"]["id"]
        rest.send("PUT", f"/ml/v4/models/{model_id}/content", b"x", query={"space_id": space_id})
        assert rest.send("DELETE", f"/v2/spaces/{space_id}").status_code == 202
    with served(tmp_path) as rest:
        assert rest.send("GET", f"/v2/spaces/{space_id}").status_code == 404
        assert rest.app._service.models.find(lambda _: True) == []
        assert list((tmp_path / "contents").iterdir()) == []


def test_counting_goes_on(tmp_path):
    """A page that was cut before a restart leads on after it: numbers are not given twice, also of what is deleted."""
    with served(tmp_path) as rest:
        first, second = (rest.create_model().json["metadata"]["id"] for _ in range(2))
        lead = rest.space("GET", "/ml/v4/models", limit="1").json["next"]["href"]
        rest.space("DELETE", f"/ml/v4/models/{second}")
    with served(tmp_path) as rest:
        rest.create_model()
        listed = rest.send("GET", lead).json["resources"]
        assert [model["metadata"]["id"] for model in listed] == [first]


def test_spaces_given_are_made_once(tmp_path):
    """What became of one of them since is kept."""
    with served(tmp_path) as rest:
        operations = [{"op": "replace", "path": "/name", "value": "renamed"}]
        rest.send("PATCH", f"/v2/spaces/{DEFAULT_SPACE_ID}", operations)
    with served(tmp_path, spaces=[DEFAULT_SPACE_ID, "another"]) as rest:
        assert [space["entity"]["name"] for space in rest.send("GET", "/v2/spaces").json["resources"]] == [
            "embedded another",
            "renamed",
        ]


def test_a_token_is_good_after_a_restart(tmp_path):
    """Its key is kept where only this user can read it, and is in no other file."""
    with served(tmp_path) as rest:
        token = rest.token
    key = tmp_path / "token.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_bytes() not in (tmp_path / "wml.sqlite3").read_bytes()
    with served(tmp_path) as rest:
        assert rest.send("GET", "/v2/spaces", token=token).status_code == 200


def test_a_failed_deployment_is_tried_again(tmp_path):
    """Why it failed may be gone: here the service may run functions now."""
    with served(tmp_path) as rest:
        deployment_id = rest.create_deployment(stored_function(rest)).json["metadata"]["id"]
        assert rest.deployment(deployment_id)["entity"]["status"]["state"] == "failed"
    with served(tmp_path, allow_pickle=True) as rest:
        assert rest.deployment(deployment_id)["entity"]["status"]["state"] == "ready"


@pytest.mark.parametrize("damage", ["missing", "cut", "changed"])
def test_lost_content_is_told(tmp_path, archives, damage):
    """The deployment has failed, and says why; the model is there, and its content is no longer sent back."""
    with served(tmp_path) as rest:
        deployment_id = rest.ready(archives["lookup"])
        model_id = rest.deployment(deployment_id)["entity"]["asset"]["id"]
    (content,) = (tmp_path / "contents").iterdir()
    whole = content.read_bytes()
    content.write_bytes({"missing": b"", "cut": whole[:-1], "changed": b"?" + whole[1:]}[damage])
    if damage == "missing":
        content.unlink()
    with served(tmp_path) as rest:
        status = rest.deployment(deployment_id)["entity"]["status"]
        assert status["state"] == "failed"
        assert "is lost" in status["failure"]["errors"][0]["message"]
        assert rest.score(deployment_id, {"values": [1]}).status_code == 409
        answer = rest.space("GET", f"/ml/v4/models/{model_id}/download")
        assert (answer.status_code, error_of(answer)["code"]) == (500, "content_lost")
        assert rest.upload(model_id, whole).status_code == 201
        assert rest.space("GET", f"/ml/v4/models/{model_id}/download").data == whole
    with served(tmp_path) as rest:
        assert predictions_of(rest.score(deployment_id, {"values": [1]})) == [{"id": "value", "values": [11.0]}]


def test_what_was_not_finished_is_removed(tmp_path):
    """Uploads that broke off, and content that no record names; what is not the service's stays."""
    with served(tmp_path) as rest:
        rest.store(b"model")
    contents = tmp_path / "contents"
    (contents / "upload-abc").write_bytes(b"half")
    (contents / ("0" * 64)).write_bytes(b"of nobody")
    (contents / "notes.txt").write_text("mine")
    with served(tmp_path):
        assert {path.name[:9] for path in contents.iterdir()} == {"9372c470e", "notes.txt"}


def test_who_keeps_nothing_loads_no_database():
    """The service's import and start are as quick as without a data folder."""
    program = (
        "import sys; before = set(sys.modules); from pytest_wml import EmbeddedWML; EmbeddedWML().close(); "
        "print({'sqlite3', 'pytest_wml.emulator.storage'} & set(sys.modules) - before)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "set()\n"


def test_it_starts_again_whatever_it_was_sent(tmp_path, archives):
    """Malformed requests at every route: what of them was taken can be read again."""
    dice = random.Random(6)
    with served(tmp_path, spaces=[DEFAULT_SPACE_ID]) as rest:
        known = Known.seeded(rest, archives["lookup"].read_bytes())
        for _ in range(200):
            fire(rest, malformed(known, dice))
        assert rest.create_model(tags=[1, None, {"a": []}], description="\ud800\0", custom={"x": 10**400}).json
        for _ in range(2):  # until jobs are done
            everything(rest)
        before = repr(everything(rest))  # NaN among it
    with served(tmp_path) as rest:
        assert repr(everything(rest)) == before
