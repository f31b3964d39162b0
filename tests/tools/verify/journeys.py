"""What somebody does at a service, without a model that computes."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.tools.verify.recording import Traveller

SPACE = {"space_id": DEFAULT_SPACE_ID}


def a_space_of_its_own(at: Traveller) -> None:
    """A space, a model in it, both changed, read, listed and deleted."""
    space = at.ask("POST", "/v2/spaces", {"name": "own", "description": "mine"})["metadata"]["id"]
    at.ask("GET", f"/v2/spaces/{space}")
    at.ask("PATCH", f"/v2/spaces/{space}", [{"op": "replace", "path": "/name", "value": "renamed"}])
    model = at.model("first", space, custom={"owner": "the team"})
    at.ask("GET", f"/ml/v4/models/{model}", space_id=space)
    at.ask("PATCH", f"/ml/v4/models/{model}", [{"op": "add", "path": "/name", "value": "second"}], space_id=space)
    at.ask("GET", f"/ml/v4/models/{model}", space_id=space)
    at.ask("GET", "/ml/v4/models", space_id=space)
    at.ask("GET", "/v2/spaces", name="renamed")
    at.ask("GET", f"/v2/assets/{model}", space_id=space)
    at.ask("DELETE", f"/ml/v4/models/{model}", space_id=space)
    at.ask("GET", f"/ml/v4/models/{model}", space_id=space)
    at.ask("DELETE", f"/v2/spaces/{space}")


def pages(at: Traveller) -> None:
    """Three models, listed two a page."""
    for name in ("one", "two", "three"):
        at.model(name)
    first = at.ask("GET", "/ml/v4/models", limit=2, **SPACE)
    (start,) = parse_qs(urlsplit(first["next"]["href"]).query)["start"]
    at.ask("GET", "/ml/v4/models", limit=2, start=start, **SPACE)


def refusals(at: Traveller) -> None:
    """What a service does not accept."""
    nobody = "00000000-0000-4000-8000-00000000dead"
    at.ask("POST", "/ml/v4/models", {"name": "no type", **SPACE})
    at.ask("GET", f"/ml/v4/models/{nobody}", **SPACE)
    at.ask("DELETE", f"/ml/v4/models/{nobody}", **SPACE)
    at.ask("GET", "/ml/v4/models", flaw="without a token", **SPACE)
    at.ask("GET", "/ml/v4/models", flaw="with a token that is no JWT", **SPACE)
    at.ask("GET", "/ml/v4/deployments", limit=1000, **SPACE)


def left_undone(at: Traveller) -> None:
    """A space and a model that nobody deletes, and a specification looked up by its name."""
    spec = at.ask("GET", "/v2/software_specifications", name="runtime-24.1-py3.11")["resources"][0]["metadata"]
    space = at.ask("POST", "/v2/spaces", {"name": "left"})["metadata"]["id"]
    at.ask("GET", f"/v2/spaces/{space}")
    at.model("left too", space, software_spec={"id": spec["asset_id"]})
    at.model("in the space of all")


def somebody_elses(at: Traveller) -> None:
    """A model that is there already."""
    at.model("precious")


def a_careless_cleaner(at: Traveller) -> None:
    """Deletes whatever is listed."""
    for each in at.ask("GET", "/ml/v4/models", **SPACE)["resources"]:
        at.ask("DELETE", f"/ml/v4/models/{each['metadata']['id']}", **SPACE)


def two_spaces(at: Traveller) -> None:
    """A model in a space that stands in the code, and one in the usual space."""
    coded = "cccccccc-0000-4000-8000-000000000003"
    at.ask("GET", f"/v2/spaces/{coded}")
    for space in (coded, DEFAULT_SPACE_ID):
        model = at.model("nightly-3f9a1c2e", space)
        at.ask("GET", f"/ml/v4/models/{model}", space_id=space)
        at.ask("GET", "/ml/v4/models", space_id=space)


ALL = (a_space_of_its_own, pages, refusals, left_undone, two_spaces)
