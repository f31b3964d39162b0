"""What doctor makes of what it finds."""

from __future__ import annotations

import base64
import json

import pytest
import time_machine

from pytest_wml.config.credentials import Credentials
from pytest_wml.redaction.known import Secrets
from pytest_wml.tools.doctor import answer_checks, offline_checks, versions
from pytest_wml.tools.doctor.endpoints import endpoints
from pytest_wml.tools.doctor.lines import Verdict, failed, masked, passed, rendered, warned, worst
from pytest_wml.tools.doctor.service_client import ServiceAnswer

SPACE = "3fc54cf1-252f-424b-b52d-5cdd9814987f"
CLOUD = Credentials(apikey="a-key-that-nobody-may-see", space_id=SPACE)
CPD = Credentials(url="https://cpd.example.com", username="me", apikey="k", instance_id="openshift", space_id=SPACE)
NOW = 1_790_000_000
GOOD = {"python": "3.11.7", "pytest": "9.0", "pytest-wml": "1", "numpy": "1.26.4"}


def token_for(seconds: float) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"exp": int(NOW + seconds)}).encode()).decode()
    return f"eyJhbGciOiJub25lIn0.{payload.rstrip('=')}.x"


def said(lines):
    return {line.check: (line.verdict.value, line.found) for line in lines}


@pytest.mark.parametrize(
    ("more", "check", "verdict", "words"),
    [
        ({"python": "3.10.1"}, "python", "fail", "3.10.1"),
        ({"pytest": "7.4.4"}, "pytest", "fail", "older than 8"),
        ({"numpy": None}, "numpy", "fail", "not installed"),
        ({"numpy": "2.1.0", "pandas": "2.1.4"}, "pandas", "fail", "cannot be imported beside numpy 2.1.0"),
        ({"numpy": "2.1.0", "pandas": "2.2.3"}, "pandas", "pass", "compatible with numpy 2.1.0"),
        ({"numpy": "1.26.4", "pandas": "2.1.4"}, "pandas", "pass", "compatible with numpy 1.26.4"),
        ({}, "IBM's client", "warn", "neither"),
        ({"ibm-watsonx-ai": "1.8.1"}, "ibm-watsonx-ai", "pass", "1.8.1"),
        ({"ibm-watson-machine-learning": "1.0.300"}, "ibm-watson-machine-learning", "fail", "older"),
        ({}, "tensorflow", "pass", "replay does without"),
        ({"tensorflow": "2.15"}, "tensorflow", "fail", "older than 2.18"),
        ({"pytest": "0+unknown"}, "pytest", "fail", "older"),
        ({"pytest": "from a branch"}, "pytest", "pass", "from a branch"),
    ],
)
def test_versions(more, check, verdict, words):
    """What is missing, too old or does not go together is told of the package that it is about."""
    found = {name: version for name, version in {**GOOD, **more}.items() if version is not None}
    judged = said(versions.lines(found))[check]
    assert judged[0] == verdict
    assert words in judged[1]


@pytest.mark.parametrize(
    ("skew", "verdict", "words"),
    [
        (0.4, "pass", "differs from the service's clock by less"),
        (-59, "pass", "differs from the service's clock by less"),
        (90, "warn", "90 s ahead of"),
        (-4000, "fail", "4000 s behind"),
    ],
)
def test_the_clock(skew, verdict, words):
    """A minute does not matter; five let tokens end at the wrong time."""
    judged = said(answer_checks.clock(ServiceAnswer(200, {}, skew)))["clock"]
    assert judged[0] == verdict
    assert words in judged[1]
    assert list(answer_checks.clock(ServiceAnswer(200, {}))) == []


@pytest.mark.parametrize(
    ("answer", "given", "verdict", "words"),
    [
        (ServiceAnswer(200, {"access_token": token_for(3660)}), CLOUD, "pass", "expires in 61 min"),
        (ServiceAnswer(200, {"token": token_for(600)}), CPD, "warn", "expires in 10 min"),
        (ServiceAnswer(200, {"token": token_for(-600)}), CPD, "fail", "expired 10 min ago"),
        (ServiceAnswer(200, {"token": "opaque"}), CPD, "pass", "its expiry time is unknown"),
        (ServiceAnswer(200, {"token": None}), CPD, "fail", "contains no token"),
        (ServiceAnswer(200, ["no", "object"]), CPD, "fail", "contains no token"),
        (
            ServiceAnswer(400, {"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."}),
            CLOUD,
            "fail",
            "refused: 400 Provided API key could not be found.",
        ),
        (ServiceAnswer(401, None), CPD, "fail", "refused: 401"),
        (ServiceAnswer(503, None), CLOUD, "fail", "not available at present: 503"),
        (ServiceAnswer(0, problem="iam did not answer in time"), CLOUD, "fail", "did not answer in time"),
    ],
)
@time_machine.travel(NOW, tick=False)
def test_the_token(answer, given, verdict, words):
    """Each way of not getting one has its own message, and a way on that fits the kind of service."""
    judged = answer_checks.token(answer, given, given is CLOUD)
    assert judged.verdict.value == verdict
    assert words in judged.found
    assert bool(judged.fix) is (verdict != "pass")
    if answer.status in (400, 401):
        assert ("IBM Cloud console" if given is CLOUD else "WML_USERNAME") in judged.fix


def space_with(**entity):
    return ServiceAnswer(200, {"entity": {"name": "mine", **entity}})


@pytest.mark.parametrize(
    ("answer", "check", "verdict", "words"),
    [
        (space_with(compute=[{"guid": "g"}]), "space", "pass", f"mine, {SPACE}"),
        (space_with(), "instance", "fail", "no instance of Watson Machine Learning is associated"),
        (space_with(compute=[]), "instance", "fail", "no instance"),
        (ServiceAnswer(404, None), "space", "fail", f"does not exist: {SPACE}"),
        (
            ServiceAnswer(403, {"errors": [{"message": "not a member"}]}),
            "space",
            "fail",
            "access denied for this user: 403 not a",
        ),
        (ServiceAnswer(401, {"errors": "odd"}), "space", "fail", "the token is refused: 401"),
        (ServiceAnswer(502, None), "space", "fail", "cannot be read: 502"),
        (ServiceAnswer(0, problem="cut off"), "space", "fail", "cannot be read: cut off"),
    ],
)
def test_the_space(answer, check, verdict, words):
    """A wrong region, a missing instance, a closed space and a bad token are told apart."""
    judged = said(answer_checks.space(answer, CLOUD, True))[check]
    assert judged[0] == verdict
    assert words in judged[1]


def test_a_cloud_pak_for_data_needs_no_instance():
    """It is one itself."""
    assert [line.verdict for line in answer_checks.space(space_with(), CPD, False)] == [Verdict.PASS]


def plan(used, limit, **entity):
    hours = {"capacity_unit_hours": {"current": used, "limit": limit}}
    return ServiceAnswer(200, {"entity": {"plan": {"name": "lite"}, "consumption": hours, **entity}})


@pytest.mark.parametrize(
    ("answer", "check", "verdict", "words"),
    [
        (plan(3, 20), "plan limits", "pass", "3 of 20 capacity unit hours"),
        (plan(16.5, 20), "plan limits", "warn", "16.5 of 20"),
        (plan(20, 20), "plan limits", "fail", "20 of 20"),
        (plan(7, None), "plan limits", "pass", "without a limit"),
        (plan(7, 20, status="Inactive"), "instance", "fail", "plan lite, which is Inactive"),
        (plan("odd", 20), "instance", "pass", "plan lite"),
        (ServiceAnswer(404, None), "instance", "fail", "cannot be read: 404"),
    ],
)
def test_the_plan(answer, check, verdict, words):
    """What is used up stops a run before it begins; what is nearly used up is told."""
    judged = said(answer_checks.instance(answer))[check]
    assert judged[0] == verdict
    assert words in judged[1]


def specs(**metadata):
    return ServiceAnswer(200, {"resources": [{"metadata": {"name": "runtime-1", **metadata}}]})


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        (specs(), "pass", "supported"),
        (specs(life_cycle={"supported": True}), "pass", "supported"),
        (specs(life_cycle={"deprecated": True, "replacement_name": "runtime-2"}), "warn", "deprecated"),
        (specs(life_cycle={"retired": True}), "fail", "retired"),
        (specs(life_cycle={"constricted": True}), "fail", "constricted"),
        (specs(name="runtime-10"), "fail", "it does not exist"),
        (ServiceAnswer(200, {"resources": []}), "fail", "it does not exist"),
        (ServiceAnswer(200, None), "fail", "it does not exist"),
        (ServiceAnswer(500, None), "fail", "cannot be read: 500"),
    ],
)
def test_the_specification(answer, verdict, words):
    """What the service says of it, in its own words for life cycles."""
    judged = answer_checks.specification(answer, "runtime-1")
    assert judged.verdict.value == verdict
    assert words in judged.found


def test_a_replacement_is_the_way_on():
    """The service names it."""
    judged = answer_checks.specification(
        specs(life_cycle={"deprecated": True, "replacement_name": "runtime-2"}), "runtime-1"
    )
    assert judged.fix == "change to runtime-2"


@pytest.mark.parametrize(
    ("model", "verdict"),
    [
        (("xgboost_2.1", "runtime-25.1-py3.12"), "pass"),
        (("tensorflow_2.12", "runtime-23.1-py3.10"), "warn"),
        (("tensorflow_2.7", "runtime-22.1-py3.9"), "fail"),
        (("tensorflow_2.14", "runtime-25.1-py3.12"), "warn"),
        (("mllib_3.4", "runtime-25.1-py3.12"), "fail"),
        (("tensorflow_2.14", "one-of-my-own"), "warn"),
    ],
)
def test_what_is_known_of_a_specification(model, verdict):
    """The catalogue tells it without asking anybody; one that it does not know may exist."""
    judged = list(offline_checks.specifications([model]))
    assert worst(judged).value == verdict


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://us-south.ml.cloud.ibm.com", "iam.cloud.ibm.com api.dataplatform.cloud.ibm.com"),
        ("https://eu-de.ml.cloud.ibm.com", "iam.cloud.ibm.com api.eu-de.dataplatform.cloud.ibm.com"),
        ("https://ca-tor.ml.cloud.ibm.com", "iam.cloud.ibm.com api.ca-tor.dai.cloud.ibm.com"),
        (
            "https://private.us-south.ml.cloud.ibm.com",
            "private.iam.cloud.ibm.com private.api.dataplatform.cloud.ibm.com",
        ),
        (
            "https://ap-south-1.aws.wxai.ibm.com",
            "account-iam.platform.saas.ibm.com api.ap-south-1.aws.data.ibm.com",
        ),
        ("https://cpd.example.com:8443", "cpd.example.com:8443 cpd.example.com:8443"),
    ],
)
def test_where_the_parts_are(url, expected):
    """By region, as the tables of IBM's clients have it."""
    found = endpoints(url)
    assert f"{found.iam} {found.platform}" == expected
    assert f"https://{found.ml}" == url


def test_lines():
    """The way on stands below; the worst verdict is the verdict on all; secrets and control characters go."""
    assert list(rendered(warned("a", "b", "c"))) == ["warn  a: b", "      what to do: c"]
    assert list(rendered(passed("a", "b"))) == ["pass  a: b"]
    assert worst([passed("a", ""), failed("b", "", "c"), warned("d", "", "e")]) is Verdict.FAIL
    assert worst([]) is Verdict.PASS
    hidden = base64.b64encode(b"a-key-that-nobody-may-see").decode()
    line = masked(failed("a", f"\x1b[2Ja-key-that-nobody-may-see\n{hidden}", ""), Secrets(CLOUD.secrets))
    assert "nobody" not in line.found
    assert hidden not in line.found
    assert line.found.isprintable()
