"""Scoring."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pytest_wml.embedded.exchange import Call, answer
from pytest_wml.embedded.refusals import Invalid
from pytest_wml.embedded.runtimes.protocol import BadInput


def predict(call: Call, deployment_id: str) -> Response:
    """Score by deployment id or serving name; the query names no space."""
    service = call.service
    deployment = service.ready(service.deployments.locate(deployment_id), "online")
    input_data = input_data_of(call.json())
    try:
        return answer(200, {"predictions": service.scorers.score(deployment.content, input_data)})
    except BadInput as problem:
        raise Invalid("invalid_input_data", f"Bad input. {problem}") from problem


def input_data_of(body: object) -> list[dict[str, Any]]:
    """The elements of `input_data`, each an object with `values`; other members of the body are not read.

    Raises:
        Invalid: `invalid_input_data`.
    """
    elements = body.get("input_data") if isinstance(body, dict) else None
    if not isinstance(elements, list) or not elements:
        raise _bad("The body must be an object with 'input_data', a list that is not empty.")
    for place, element in enumerate(elements):
        if not isinstance(element, dict):
            raise _bad(f"'input_data[{place}]' must be an object with 'values'.")
        if "values" not in element:
            raise _bad(f"'input_data[{place}]' has no 'values'.")
    return elements


def _bad(problem: str) -> Invalid:
    return Invalid("invalid_input_data", f"Bad input. {problem}")
