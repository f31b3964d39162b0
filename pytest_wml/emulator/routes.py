"""Which handler answers which path at which host."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from pytest_wml.emulator.handlers import (
    assets,
    deployments,
    functions,
    identity,
    jobs,
    models,
    others,
    predictions,
    spaces,
    specifications,
)
from pytest_wml.emulator.refusals import Missing, NotServed, Refusal
from pytest_wml.wml.embedded import EMBEDDED
from pytest_wml.wml.hosts import Role

_LONGEST = 120
# Ids, keys and names of users; no part of a path in IBM's API has 20 letters with a digit among them.
_ID = re.compile(r"(?=.*[\d@])(.{20,}|.*@.*)")
_PLACES = {
    Role.IAM: "hosts of IAM",
    Role.PLATFORM: "hosts of the platform (api.dataplatform.cloud.ibm.com)",
    Role.ML: "hosts of machine learning (us-south.ml.cloud.ibm.com)",
    Role.STORAGE: "hosts of object storage",
    Role.CPD: "hosts of Cloud Pak for Data",
}

IAM, PLATFORM, ML, CPD = Role.IAM, Role.PLATFORM, Role.ML, Role.CPD


@dataclass(frozen=True)
class Route:
    """One method of one path.

    A Cloud Pak for Data is one host and answers for every role; in IBM Cloud each role has hosts of its own.
    """

    role: Role
    method: str
    path: str
    handler: Callable[..., Response]
    open: bool = False
    """Whether it is answered without a token."""

    def __str__(self) -> str:
        """Method and path as people write them: `{model_id}` for `<model_id>`."""
        return f"{self.method} " + re.sub(r"<(?:any\(.*?\):)?_?(\w+)>", r"{\1}", self.path)


ROUTES = (
    Route(IAM, "POST", "/oidc/token", identity.iam_token, open=True),
    Route(IAM, "POST", "/identity/token", identity.iam_token, open=True),
    Route(IAM, "POST", "/api/2.0/apikeys/token", identity.aws_token, open=True),
    Route(CPD, "POST", "/icp4d-api/v1/authorize", identity.authorize, open=True),
    Route(CPD, "POST", "/idprovider/v1/auth/identitytoken", identity.identity_token, open=True),
    Route(CPD, "GET", "/v1/preauth/validateAuth", identity.validate_auth, open=True),
    Route(CPD, "GET", "/ml/wml_services/version", identity.version, open=True),
    Route(CPD, "GET", "/ml/wml_services/v2/version", identity.version, open=True),
    Route(ML, "GET", "/ml/v1/foundation_model_specs", others.foundation_model_specs, open=True),
    Route(ML, "GET", "/ml/v4/instances/<instance_id>", spaces.read_instance),
    Route(PLATFORM, "POST", "/v2/spaces", spaces.create),
    Route(PLATFORM, "GET", "/v2/spaces", spaces.listing),
    Route(PLATFORM, "GET", "/v2/spaces/<space_id>", spaces.read),
    Route(PLATFORM, "PATCH", "/v2/spaces/<space_id>", spaces.patch),
    Route(PLATFORM, "DELETE", "/v2/spaces/<space_id>", spaces.delete),
    Route(PLATFORM, "GET", "/v2/software_specifications", specifications.software_list),
    Route(PLATFORM, "GET", "/v2/software_specifications/<spec_id>", specifications.software),
    Route(ML, "GET", "/ml/v4/list/software_specifications", specifications.software_states),
    Route(PLATFORM, "GET", "/v2/hardware_specifications", specifications.hardware_list),
    Route(PLATFORM, "GET", "/v2/hardware_specifications/<spec_id>", specifications.hardware),
    Route(ML, "POST", "/ml/v4/models", models.create),
    Route(ML, "GET", "/ml/v4/models", models.listing),
    Route(ML, "GET", "/ml/v4/models/<model_id>", models.read),
    Route(ML, "PATCH", "/ml/v4/models/<model_id>", models.patch),
    Route(ML, "DELETE", "/ml/v4/models/<model_id>", models.delete),
    Route(ML, "PUT", "/ml/v4/models/<model_id>/content", models.upload),
    Route(ML, "GET", "/ml/v4/models/<model_id>/content", models.attachments),
    Route(ML, "GET", "/ml/v4/models/<model_id>/download", models.download),
    Route(ML, "POST", "/ml/v4/models/<model_id>/revisions", models.commit),
    Route(ML, "GET", "/ml/v4/models/<model_id>/revisions", models.revisions),
    Route(ML, "POST", "/ml/v4/functions", functions.create),
    Route(ML, "GET", "/ml/v4/functions", functions.listing),
    Route(ML, "GET", "/ml/v4/functions/<function_id>", functions.read),
    Route(ML, "PATCH", "/ml/v4/functions/<function_id>", functions.patch),
    Route(ML, "DELETE", "/ml/v4/functions/<function_id>", functions.delete),
    Route(ML, "PUT", "/ml/v4/functions/<function_id>/code", functions.upload),
    Route(ML, "GET", "/ml/v4/functions/<function_id>/code", functions.download),
    Route(ML, "POST", "/ml/v4/functions/<function_id>/revisions", functions.commit),
    Route(ML, "GET", "/ml/v4/functions/<function_id>/revisions", functions.revisions),
    Route(PLATFORM, "GET", "/v2/assets/<asset_id>", assets.read),
    Route(PLATFORM, "DELETE", "/v2/assets/<asset_id>", assets.delete),
    Route(ML, "GET", "/ml/v4/<any(pipelines, experiments, ai_services):_kind>", others.none_of_a_kind),
    Route(
        ML,
        "GET",
        "/ml/v4/<any(pipelines, experiments, ai_services):kind>/<asset_id>",
        others.no_asset,
    ),
    Route(PLATFORM, "GET", "/wx/v1-beta/prompts/<asset_id>", others.no_prompt),
    Route(PLATFORM, "GET", "/wx/v1/prompts/<asset_id>", others.no_prompt),
    Route(ML, "POST", "/ml/v4/deployments", deployments.create),
    Route(ML, "GET", "/ml/v4/deployments", deployments.listing),
    Route(ML, "GET", "/ml/v4/deployments/<deployment_id>", deployments.read),
    Route(ML, "PATCH", "/ml/v4/deployments/<deployment_id>", deployments.patch),
    Route(ML, "DELETE", "/ml/v4/deployments/<deployment_id>", deployments.delete),
    Route(ML, "POST", "/ml/v4/deployments/<deployment_id>/predictions", predictions.predict),
    Route(ML, "POST", "/ml/v4/deployment_jobs", jobs.create),
    Route(ML, "GET", "/ml/v4/deployment_jobs", jobs.listing),
    Route(ML, "GET", "/ml/v4/deployment_jobs/<job_id>", jobs.read),
    Route(ML, "DELETE", "/ml/v4/deployment_jobs/<job_id>", jobs.delete),
    Route(PLATFORM, "DELETE", "/v2/jobs/<job_id>/runs/<run_id>", jobs.delete_run),
)


@functools.cache
def _url_map(role: Role) -> Map:
    rules = [
        Rule(route.path, methods=[route.method], endpoint=route) for route in ROUTES if role in (route.role, Role.CPD)
    ]
    return Map(rules, strict_slashes=False, merge_slashes=False)


def match(role: Role, method: str, path: str) -> tuple[Route, dict[str, Any]]:
    """The route of a request, and the ids in its path.

    Raises:
        werkzeug.exceptions.NotFound: a host of this role has no such path.
        werkzeug.exceptions.MethodNotAllowed: it has, for other methods.
    """
    route, ids = _url_map(role).bind("", url_scheme="https").match(path, method)
    assert isinstance(route, Route)
    return route, dict(ids)


def unserved(role: Role, method: str, path: str) -> Refusal:
    """Why a request has no route: it came to a host of another role, or IBM's service may serve it and this one not."""
    request = f"{shown(method)} {shown(path)}"
    try:
        served_at = match(CPD, method, path)[0].role
    except HTTPException:
        return NotServed(request)
    return Missing("not_found", f"{EMBEDDED} serves {request} at {_PLACES[served_at]}, not at {_PLACES[role]}.")


def shown(text: str) -> str:
    """A part of a request line for a message: ids are `{id}`, nothing moves a terminal's cursor, and it is not long."""
    parts = ["{id}" if _ID.fullmatch(part) else part for part in text.split("/")]
    plain = "".join(letter if letter.isprintable() else "?" for letter in "/".join(parts))
    return plain if len(plain) <= _LONGEST else plain[:_LONGEST] + "…"


def called(method: str, path: str) -> str | None:
    """The route that answers a method and path, as people write it, at whatever host; None where there is none."""
    try:
        return str(match(CPD, method, path)[0])
    except HTTPException:
        return None
