"""The page's paths, asked without a browser."""

from __future__ import annotations

import json
import re
from importlib import resources

import pytest
from werkzeug.test import Client

from pytest_wml.digits import load_digits
from pytest_wml.emulator.app import EmbeddedWML
from pytest_wml.emulator.page.inputs import drawing_of
from pytest_wml.emulator.page.state import shades
from pytest_wml.emulator.scoring_log import ScoringLog, digit_of, excerpt
from pytest_wml.model.signature import Signature, TensorSpec
from tests.emulator.rest import Rest

HOST = "https://127.0.0.1:8443"


@pytest.fixture
def site():
    """A service with the page, as REST."""
    with EmbeddedWML(page=True) as app:
        yield Rest(app, host=HOST)
    assert app.crashes == []


def initializing(rest: Rest) -> str:
    return rest.create_deployment(rest.store(b"no archive")).json["metadata"]["id"]


def asset(name: str) -> str:
    return (resources.files("pytest_wml.emulator.page") / name).read_text(encoding="utf-8")


def test_there_is_no_page_where_nobody_asked_for_one():
    """As the service was before."""
    with EmbeddedWML() as app:
        for path in ("/", "/page/state", "/page/page.js"):
            assert Client(app).get(path, base_url=HOST).status_code == 501


def test_ibm_cloud_has_no_page(site):
    """Only what is no host of IBM Cloud's."""
    assert site.http.get("/", base_url="https://us-south.ml.cloud.ibm.com").status_code != 200
    assert site.http.get("/", base_url=HOST).status_code == 200


def test_the_api_beside_the_page_still_wants_a_token(site):
    """Only the page's own paths are open."""
    assert site.send("GET", "/ml/v4/models", token=None).status_code == 401


def test_the_page_allows_itself_no_more_than_its_own_files(site):
    """Nothing inline, nothing from elsewhere, in no frame."""
    answer = site.http.get("/", base_url=HOST)
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", answer.text) == []


@pytest.mark.parametrize(
    "name", ["page.html", "page.css", "page.js", "records.js", "result.js", "drawing.js", "answers.js", "elements.js"]
)
def test_nothing_is_fetched_from_elsewhere_and_nothing_becomes_markup(name):
    """No address of another host, and no way from a text to markup or code."""
    assert (
        re.findall(r"//[a-z0-9-]+\.[a-z]|innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b", asset(name))
        == []
    )


def test_every_file_of_the_page_is_served(site):
    """With the type that browsers insist on."""
    names = re.findall(r'"/page/([\w.]+)"', asset("page.html"))
    names += re.findall(r'from "\./([\w.]+)"', asset("page.js") + asset("records.js"))
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    assert len(set(names)) == 8
    for name in names:
        answer = site.http.get(f"/page/{name}", base_url=HOST)
        assert (answer.status_code, answer.mimetype) == (200, types[name[name.index(".") :]])


def test_what_is_no_file_of_the_page_is_not_served(site):
    """Neither its Python nor anything above it."""
    for name in ("site.py", "page.html", "../app.py", "%2e%2e/app.py", "..%2fapp.py"):
        assert site.http.get(f"/page/{name}", base_url=HOST).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_pages_of_other_sites_reach_nothing(site, headers):
    """They neither read what is there nor score; a link to the page itself may be anywhere."""
    deployment = initializing(site)
    more = {"base_url": HOST, "headers": headers}
    assert site.http.get("/page/state", **more).status_code == 403
    for what in ("load", "score"):
        answer = site.http.post(f"/page/deployments/{deployment}/{what}", json={"input_data": []}, **more)
        assert answer.status_code == 403
        assert answer.json["errors"][0]["code"] == "cross_site_request"
    assert site.http.get("/", **more).status_code == 200


def test_a_form_cannot_score(site):
    """The types that a form can send without asking first are refused."""
    path = f"/page/deployments/{initializing(site)}/score"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = site.http.post(path, base_url=HOST, data=b"{}", content_type=kind)
        assert (answer.status_code, answer.json["errors"][0]["code"]) == (400, "invalid_content_type")


def state(rest: Rest) -> dict:
    answer = rest.http.get("/page/state", base_url=HOST, headers={"Sec-Fetch-Site": "same-origin", "Origin": HOST})
    assert answer.status_code == 200
    return json.loads(answer.text, parse_constant=pytest.fail)


def test_looking_loads_no_model(tmp_path):
    """After a restart none is loaded until somebody chooses its deployment; here it has failed then."""
    with EmbeddedWML(data_dir=tmp_path) as app:
        deployment = initializing(Rest(app))
    with EmbeddedWML(data_dir=tmp_path, page=True) as app:
        site = Rest(app, host=HOST)
        for _ in range(2):
            assert [each["state"] for each in state(site)["deployments"]] == ["initializing"]
        loaded = site.http.post(f"/page/deployments/{deployment}/load", base_url=HOST)
        assert loaded.json == {"state": "failed"}
        (shown,) = state(site)["deployments"]
        assert shown["state"] == "failed"
        assert "no readable archive" in shown["failure"]
        assert shown["url"] == f"{HOST}/ml/v4/deployments/{deployment}/predictions"


def test_a_name_of_any_length_is_shown_cut(site):
    """The page is asked for every other second."""
    site.create_model(name="n" * 100_000)
    assert len(state(site)["models"][0]["name"]) == 201


def test_a_deployment_that_is_not_there_is_told(site):
    """As the API tells it."""
    for answer in (
        site.http.get("/page/deployments/none/inputs", base_url=HOST),
        site.http.post("/page/deployments/none/score", base_url=HOST, json={}),
    ):
        assert (answer.status_code, answer.json["errors"][0]["code"]) == (404, "deployment_does_not_exist")


def test_real_digits_are_there_to_choose(site):
    """One of each class."""
    samples = site.http.get("/page/digits", base_url=HOST).json
    assert [sample["label"] for sample in samples] == list(range(10))
    assert samples[5]["digit"] == shades(load_digits()[5].tolist())


FIVE = load_digits()[5]


@pytest.mark.parametrize("shape", [(784,), (28, 28), (28, 28, 1)], ids=str)
def test_a_digit_is_known_in_every_form_that_is_sent(shape):
    """Flat, as an image, and with a channel."""
    assert digit_of(FIVE.reshape(shape).tolist()) == FIVE.tolist()


NO_DIGITS = {
    "a pixel too few": [0.5] * 783,
    "texts": ["0.5"] * 784,
    "truths": [True] * 784,
    "a line too few": [[0.5] * 28] * 27,
    "a short line": [[0.5] * 28] * 27 + [[0.5] * 27],
    "two channels": [[[0.5, 0.5]] * 28] * 28,
    "a channel here and there": [[0.5] * 28] * 27 + [[[0.5]] * 28],
    "nothing": None,
    "a number": 7,
    "an object": {},
    "an empty list": [],
    "a text": "7" * 784,
}


@pytest.mark.parametrize("row", NO_DIGITS.values(), ids=NO_DIGITS)
def test_what_is_no_digit_is_not_drawn(row):
    """Nor does it break anything."""
    assert digit_of(row) is None


def test_pixels_of_any_range_can_be_drawn():
    """0 to 1 and 0 to 255 look alike; what is beyond is cut, and NaN is empty."""
    assert shades([0, 0.5, 1]) == shades([0, 127.5, 255])
    assert shades([float("nan"), -3, 2e300, 10**400, 300]) == shades([0, 0, 255, 255, 255])
    assert shades([float("nan")] * 3) == shades([0, 0, 0])


def test_only_the_last_scorings_are_kept_and_only_their_first_rows():
    """Whatever is sent, what is kept of it is small."""
    scoring_log = ScoringLog(clock=lambda: 0.0)
    deep: object = "end"
    for _ in range(5000):
        deep = [deep]
    wide = [["x" * 10_000] * 1000] * 1000
    for payload in ({"input_data": [{"values": wide}]}, {"input_data": [{"values": deep}]}, deep, wide, None, {}, []):
        for _ in range(10):
            scoring_log.answered("id", payload, {"predictions": [{"values": payload}, payload]})
    kept = scoring_log.newest_first
    assert [scoring.number for scoring in kept] == list(range(70, 50, -1))
    for payload in ({"input_data": [{"values": wide}]}, {"input_data": [{"values": deep}]}):
        scoring_log.answered("id", payload, payload)
        newest = scoring_log.newest_first[0]
        assert len(newest.given) <= 201
        assert len(json.dumps(newest.answer)) < 60_000
    assert scoring_log.newest_first[1].rows == 1000


def test_a_batch_of_digits_is_kept_as_its_first_three():
    """With the number of rows that came, and the answers to those three."""
    scoring_log = ScoringLog(clock=lambda: 0.0)
    rows = load_digits().images[:50].tolist()
    answer = {"predictions": [{"id": "classes", "values": list(range(50))}]}
    scoring_log.answered("id", {"input_data": [{"values": rows}]}, answer)
    (kept,) = scoring_log.newest_first
    assert kept.digits == tuple(rows[:3])
    assert kept.rows == 50
    assert kept.answer == {"predictions": [{"id": "classes", "values": [0, 1, 2]}]}


def test_an_excerpt_is_json_that_browsers_read():
    """They know no NaN."""
    told = excerpt({"values": [float("nan"), float("inf"), 1.5, "text", None, True]})
    assert told == {"values": ["nan", "inf", 1.5, "text", None, True]}


def signature(*inputs: TensorSpec) -> Signature:
    return Signature("serving_default", inputs, ())


@pytest.mark.parametrize(
    ("dtype", "shape", "drawn"),
    [
        ("float32", (None, 784), ((784,), 1.0)),
        ("float64", (None, 28, 28), ((28, 28), 1.0)),
        ("float32", (1, 28, 28, 1), ((28, 28, 1), 1.0)),
        ("uint8", (None, 28, 28), ((28, 28), 255)),
        ("string", (None, 784), None),
        ("float32", (784,), None),
        ("float32", (2, 784), None),
        ("float32", (None, 32, 32), None),
        ("float32", (None, None), None),
        ("float32", None, None),
    ],
    ids=str,
)
def test_a_digit_is_drawn_for_models_that_take_one(dtype, shape, drawn):
    """One input of 28 by 28 numbers, one row at a time or any number."""
    assert drawing_of(signature(TensorSpec("image", dtype, shape))) == drawn


def test_no_digit_is_drawn_for_a_model_with_several_inputs():
    """Who scores it says what the others get."""
    image = TensorSpec("image", "float32", (None, 784))
    assert drawing_of(signature(image, image)) is None
