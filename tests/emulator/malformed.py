"""Requests that no client would send, made from those that clients do send."""

from __future__ import annotations

import copy
import json
import math
import random
from dataclasses import dataclass, field
from typing import Any

from pytest_wml.emulator.routes import ROUTES, Route
from pytest_wml.wml.spaces import DEFAULT_SPACE_ID
from tests.emulator.rest import SPEC, TYPE, Rest

HOSTS = (
    "https://cpd-wml.apps.example.com",
    "https://us-south.ml.cloud.ibm.com",
    "https://api.dataplatform.cloud.ibm.com",
    "https://iam.cloud.ibm.com",
)
JUNK: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    math.nan,
    math.inf,
    10**400,
    "",
    "x" * 300,
    "\ud800",
    "\x00",
    "<html>",
    "../../etc/passwd",
    [],
    [[]],
    [1, [2]],
    [[1, 2], [3]],
    {},
    {"id": {}},
    {"values": [{}]},
    [None, "a", {}],
)
QUERIES = (
    "space_id",
    "version",
    "limit",
    "start",
    "rev",
    "name",
    "state",
    "serving_name",
    "conflict",
    "asset_id",
    "type",
    "tag.value",
    "include",
    "hard_delete",
    "total_count",
    "content_format",
)


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]
    host: str
    environ: dict[str, Any] = field(default_factory=dict)


@dataclass
class Known:
    """Ids that exist in the service under fire."""

    token: str
    ids: dict[str, list[str]]

    @classmethod
    def seeded(cls, rest: Rest, archive: bytes) -> Known:
        model_id = rest.store(archive)
        online = rest.create_deployment(model_id).json["metadata"]["id"]
        batch = rest.create_deployment(model_id, online=None, batch={}).json["metadata"]["id"]
        job = {
            "name": "j",
            "space_id": DEFAULT_SPACE_ID,
            "deployment": {"id": batch},
            "scoring": {"input_data": [{"values": [1]}]},
        }
        job_id = rest.send("POST", "/ml/v4/deployment_jobs", job).json["metadata"]["id"]
        function = {"name": "f", "software_spec": SPEC, "space_id": DEFAULT_SPACE_ID}
        ids = {
            "model_id": [model_id],
            "function_id": [rest.send("POST", "/ml/v4/functions", function).json["metadata"]["id"]],
            "asset_id": [model_id],
            "deployment_id": [online, batch],
            "job_id": [job_id],
            "space_id": [rest.send("POST", "/v2/spaces", {"name": "s"}).json["metadata"]["id"]],
            "spec_id": ["45f12dfe-aa78-5b8d-9f38-0ee223c47309"],
        }
        return cls(str(rest.token), ids)


def good_body(route: Route, known: Known) -> Any:
    """A body that the route takes."""
    model = {"name": "m", "type": TYPE, "software_spec": SPEC, "space_id": DEFAULT_SPACE_ID, "tags": ["a"]}
    deployment = {
        "name": "d",
        "asset": {"id": known.ids["model_id"][0]},
        "online": {"parameters": {"serving_name": "s"}},
        "hardware_spec": {"name": "S", "num_nodes": 1},
        "space_id": DEFAULT_SPACE_ID,
        "custom": {},
    }
    bodies: dict[str, Any] = {
        "/ml/v4/models": model,
        "/ml/v4/deployments": deployment,
        "/ml/v4/deployments/<deployment_id>/predictions": {"input_data": [{"id": "index", "values": [0, 1]}]},
        "/ml/v4/deployment_jobs": {
            "name": "j",
            "space_id": DEFAULT_SPACE_ID,
            "deployment": {"id": known.ids["deployment_id"][-1]},
            "scoring": {"input_data": [{"values": [0]}]},
        },
        "/ml/v4/models/<model_id>/revisions": {"space_id": DEFAULT_SPACE_ID},
        "/ml/v4/functions": {"name": "f", "software_spec": SPEC, "space_id": DEFAULT_SPACE_ID, "tags": ["a"]},
        "/ml/v4/functions/<function_id>/revisions": {"space_id": DEFAULT_SPACE_ID},
        "/v2/spaces": {"name": "s", "description": "d"},
        "/icp4d-api/v1/authorize": {"username": "u", "password": "p"},
        "/api/2.0/apikeys/token": {"apikey": "k"},
    }
    if route.method == "PATCH":
        return [{"op": "replace", "path": "/name", "value": "n"}]
    return bodies.get(route.path, {"a": 1})


def mutated(value: Any, dice: random.Random) -> Any:
    """The value with one place in it replaced, dropped or doubled."""
    value = copy.deepcopy(value)
    place = value
    while isinstance(place, (dict, list)) and place:
        key = dice.choice(list(place)) if isinstance(place, dict) else dice.randrange(len(place))
        if not isinstance(place[key], (dict, list)) or not place[key] or dice.random() < 0.3:
            _spoil(place, key, dice)
            return value
        place = place[key]
    return dice.choice(JUNK)


def _spoil(place: Any, key: Any, dice: random.Random) -> None:
    way = dice.random()
    if way < 0.2:
        del place[key]
    elif way < 0.3 and isinstance(place, list):
        place.append(place[key])
    else:
        place[key] = dice.choice(JUNK)


def malformed(known: Known, dice: random.Random) -> Request:
    """One request that has something wrong with it, or with nothing wrong by chance."""
    route = dice.choice(ROUTES)
    body = good_body(route, known)
    for _ in range(dice.randrange(3)):
        body = mutated(body, dice)
    encoded = json.dumps(body).encode()
    if dice.random() < 0.15:
        encoded = dice.choice([b"", b"{", b"\xff\xfe\x00", b"[" * 50_000, encoded[: len(encoded) // 2], b"NaN"])
    query = {"space_id": DEFAULT_SPACE_ID, "version": "2020-08-01"}
    for name in dice.sample(QUERIES, dice.randrange(4)):
        query[name] = dice.choice(["", "1", "true", "none", "-1", "9" * 40, "é", "\x00", DEFAULT_SPACE_ID])
    headers = {"Authorization": f"Bearer {known.token}", "Content-Type": dice.choice(["application/json", "text/html"])}
    if dice.random() < 0.05:
        headers["Authorization"] = dice.choice(["", "Bearer", "Bearer a.b.c", "Basic =", "Bearer \xe9"])
    environ = {"CONTENT_LENGTH": dice.choice(["7", "-1", "x", "99999"])} if dice.random() < 0.05 else {}
    method = dice.choice(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]) if dice.random() < 0.1 else route.method
    host = dice.choice(HOSTS) if dice.random() < 0.15 else HOSTS[0]
    return Request(method, _path(route, known, dice), query, encoded, headers, host, environ)


def _path(route: Route, known: Known, dice: random.Random) -> str:
    parts = []
    for part in route.path.split("/"):
        if not part.startswith("<"):
            parts.append(part)
        elif part.startswith("<any"):
            parts.append(dice.choice(["functions", "pipelines", "nonsense"]))
        else:
            ids = known.ids.get(part.strip("<>"), ["none"])
            parts.append(dice.choice([*ids, *ids, *ids, "none", "%2e%2e", "%00", "%ff", "x" * 300, "a%20b"]))
    path = "/".join(parts)
    return path if dice.random() < 0.95 else path + dice.choice(["/", "//x", "/..", "%3Cscript%3E"])
