"""Scores over plain HTTP, without IBM's client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_wml.client.outputs import as_arrays
from pytest_wml.client.scoring import payload, prediction
from pytest_wml.contract.answers import DEFAULT_SCORING, Scoring, float_dtypes
from pytest_wml.contract.comparison import Tolerance, row_findings
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.limits import check_tolerance
from pytest_wml.contract.rows import RowsLike, rows_of
from pytest_wml.errors import BadPayload

if TYPE_CHECKING:
    from pytest_wml.client.deployment import Deployment
    from pytest_wml.client.scoring import Prediction

_VERSION = "2021-06-21"
_TIMEOUT = 300.0
_SHOWN = 100


@dataclass(frozen=True)
class HttpReply:
    """Response of the scoring URL.

    Args:
        status: HTTP status.
        content_type: content type without parameters.
        document: the JSON value; None if the body is not standard JSON.
        text: the body as text.
    """

    status: int
    content_type: str
    document: Any
    text: str

    @property
    def code(self) -> str:
        """The `code` of the first entry of `errors`; empty if there is none."""
        try:
            return str(self.document["errors"][0]["code"])
        except (KeyError, IndexError, TypeError):
            return ""


def post(deployment: Deployment, body: Any, *, deployment_id: str = "", authorization: str | None = None) -> HttpReply:
    """Send a body to the scoring URL with the token of IBM's client.

    Args:
        deployment: the deployment to score.
        body: JSON value to send.
        deployment_id: id to request instead of the deployment's; empty for the deployment's.
        authorization: header to send instead of the client's; empty sends none, None sends the client's.
    """
    import requests

    url = deployment.scoring_url
    if deployment_id:
        url = f"{url.partition('/deployments/')[0]}/deployments/{deployment_id}/predictions"
    if authorization is None:
        authorization = deployment.client._get_headers()["Authorization"]
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if authorization:
        headers["Authorization"] = authorization
    answer = requests.post(
        url,
        params={} if "version=" in url else {"version": _VERSION},
        data=json.dumps(body, allow_nan=False),
        headers=headers,
        # Without this, requests replaces the header by credentials from ~/.netrc.
        auth=lambda request: request,
        timeout=_TIMEOUT,
    )
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return HttpReply(answer.status_code, kind, _parse_strict(answer.text), answer.text)


def _parse_strict(text: str) -> Any:
    """The JSON value of a text; None if it is not standard JSON, such as a bare NaN."""

    def refuse(word: str) -> Any:
        raise ValueError(word)

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def check_rest(
    deployment: Deployment, images: RowsLike, *, rtol: float = 1e-5, atol: float = 1e-5, how: Scoring = DEFAULT_SCORING
) -> Result:
    """The scoring URL gives plain HTTP requests with a bearer token the same answer as IBM's client.

    Args:
        deployment: the deployment to check.
        images: [N, …], paths, or a mapping of inputs; the first `how.batch_size` rows are sent.
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        how: scoring settings.

    Raises:
        BadContract: the images or tolerances are invalid.
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        check_tolerance(name, value, float_dtypes(deployment))
    rows = rows_of(deployment, images)
    sent = rows.take(slice(0, how.batch_size))
    body, _ = payload(sent.model_input, deployment.archive.signature)
    reply = post(deployment, body)
    findings = tuple(_findings(reply, deployment.predict(sent.model_input), Tolerance(rtol, atol)))
    return Result(
        "rest",
        deployment.name,
        deployment.mode,
        promised="the scoring URL answers 200 and JSON to a bearer token, with the same outputs as IBM's client",
        measured={"rows": len(sent), "status": reply.status, "content type": reply.content_type},
        findings=findings,
        images=rows.images(finding.row for finding in findings),
    )


def _findings(reply: HttpReply, through_client: Prediction, allowed: Tolerance) -> Iterator[Finding]:
    if reply.status != 200:
        reason = reply.code or " ".join(reply.text.split())[:_SHOWN]
        yield Finding(f"status {reply.status} instead of 200: {reason}", facts={"status": reply.status})
        return
    if reply.content_type != "application/json":
        yield Finding(f"content type {reply.content_type or 'none'} instead of application/json")
    if reply.document is None:
        yield Finding(f"the body is not standard JSON: {' '.join(reply.text.split())[:_SHOWN]}")
        return
    try:
        outputs = prediction(reply.document).outputs
    except BadPayload as error:
        yield Finding(f"{error.problem} {error.facts.get('reason', '')}")
        return
    through = as_arrays(through_client.outputs)
    yield from row_findings(as_arrays(outputs), through, allowed, other_name="through IBM's client")
