"""The bare scoring URL, as a program in another language would call it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_wml.client.outputs import as_arrays
from pytest_wml.client.scoring import payload, prediction
from pytest_wml.contract.comparing import Tolerance, row_findings
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.limits import check_tolerance
from pytest_wml.contract.rows import Given, rows_of
from pytest_wml.contract.scored import DEFAULT, Scoring, float_dtypes
from pytest_wml.errors import BadPayload

if TYPE_CHECKING:
    from pytest_wml.client.deployment import Deployment
    from pytest_wml.client.scoring import Prediction

_VERSION = "2021-06-21"
_TIMEOUT = 300.0
_SHOWN = 100


@dataclass(frozen=True)
class Reply:
    """What came back over HTTP.

    Args:
        status: of HTTP.
        content_type: without parameters.
        document: the JSON value; None where the body is none by the letter of the standard.
        text: the body.
    """

    status: int
    content_type: str
    document: Any
    text: str

    @property
    def code(self) -> str:
        """The `code` of the first of the `errors`; empty where there is none."""
        try:
            return str(self.document["errors"][0]["code"])
        except (KeyError, IndexError, TypeError):
            return ""


def post(deployment: Deployment, body: Any, *, deployment_id: str = "", authorization: str | None = None) -> Reply:
    """Send a body to the scoring URL, with nothing of IBM's client but its token.

    Args:
        deployment: whose scoring URL.
        body: a JSON value.
        deployment_id: another one than the deployment's.
        authorization: another header than the client's; empty for none.
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
        # Otherwise requests takes credentials from ~/.netrc and puts them over these.
        auth=lambda request: request,
        timeout=_TIMEOUT,
    )
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Reply(answer.status_code, kind, _strict(answer.text), answer.text)


def _strict(text: str) -> Any:
    """The JSON value of a text; None where another language's parser would refuse it, as for a bare NaN."""

    def refuse(word: str) -> Any:
        raise ValueError(word)

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def check_rest(
    deployment: Deployment, images: Given, *, rtol: float = 1e-5, atol: float = 1e-5, how: Scoring = DEFAULT
) -> Result:
    """The scoring URL answers a bearer token and JSON alone, as IBM's client is answered.

    Args:
        deployment: that is asked.
        images: [N, …], paths, or a mapping of inputs; the first `how.batch_size` rows are sent.
        rtol: relative tolerance of floats.
        atol: absolute tolerance of floats.
        how: it is scored.

    Raises:
        BadContract: the images or tolerances cannot be used.
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        check_tolerance(name, value, float_dtypes(deployment))
    rows = rows_of(deployment, images)
    sent = rows.take(slice(0, how.batch_size))
    body, _ = payload(sent.given, deployment.archive.signature)
    reply = post(deployment, body)
    findings = tuple(_findings(reply, deployment.predict(sent.given), Tolerance(rtol, atol)))
    return Result(
        "rest",
        deployment.name,
        deployment.mode,
        promised="the scoring URL answers 200 and JSON to a bearer token, with what IBM's client gets",
        measured={"rows": len(sent), "status": reply.status, "content type": reply.content_type},
        findings=findings,
        images=rows.images(finding.row for finding in findings),
    )


def _findings(reply: Reply, through_client: Prediction, allowed: Tolerance) -> Iterator[Finding]:
    if reply.status != 200:
        reason = reply.code or " ".join(reply.text.split())[:_SHOWN]
        yield Finding(f"status {reply.status} instead of 200: {reason}", facts={"status": reply.status})
        return
    if reply.content_type != "application/json":
        yield Finding(f"content type {reply.content_type or 'none'} instead of application/json")
    if reply.document is None:
        yield Finding(f"the body is no JSON by the standard: {' '.join(reply.text.split())[:_SHOWN]}")
        return
    try:
        outputs = prediction(reply.document).outputs
    except BadPayload as error:
        yield Finding(f"{error.problem} {error.facts.get('reason', '')}")
        return
    through = as_arrays(through_client.outputs)
    yield from row_findings(as_arrays(outputs), through, allowed, called="through IBM's client")
