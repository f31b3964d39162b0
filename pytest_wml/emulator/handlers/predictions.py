"""Scoring."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from pytest_wml.emulator.exchange import Call, answer
from pytest_wml.emulator.refusals import Conflict, Invalid, ModelBroke, ModelTooSlow, Refusal
from pytest_wml.emulator.runtimes.protocol import BadInput, ScoringFailed, ScoringTimedOut
from pytest_wml.emulator.state.deployments import DeploymentRecord
from pytest_wml.model.serving import LoadFailed


def predict(call: Call, deployment_id: str) -> Response:
    """Score by deployment id or serving name; the query names no space."""
    service = call.service
    deployment = service.ready(service.deployments.locate(deployment_id))
    body = call.body()
    payload = call.scoring(body)
    document = _answered(call, deployment, payload)
    # A function may answer with nothing; what it gave is written all the same.
    answered = answer(200, document) if document is not None else Response("null", content_type="application/json")
    if service.scoring_log:
        service.scoring_log.answered(deployment.id, payload, document)
    service.warnings.check_rows(deployment.id, deployment.draft.name, payload, document)
    content = deployment.served.content
    service.warnings.check_repeat(
        deployment.id, deployment.draft.name, content.digest if content else "", body, answered.get_data()
    )
    return answered


def _answered(call: Call, deployment: DeploymentRecord, payload: Any) -> Any:
    try:
        input_data_of(payload)
        return _document(call, deployment, payload)
    except Refusal as refusal:
        if call.service.scoring_log:
            call.service.scoring_log.refused(deployment.id, payload, refusal.message)
        raise


def _document(call: Call, deployment: DeploymentRecord, payload: dict[str, Any]) -> Any:
    try:
        return call.service.scorers.answer(deployment.served, payload, call.token)
    except BadInput as problem:
        raise Invalid("invalid_input_data", f"Bad input. {problem}") from problem
    except ScoringTimedOut as problem:
        raise ModelTooSlow("scoring_timed_out", str(problem)) from problem
    except ScoringFailed as problem:
        raise ModelBroke("scoring_failed", str(problem)) from problem
    except LoadFailed as problem:
        # Deleted while it was on its way here.
        raise Conflict("deployment_is_not_ready", str(problem)) from problem


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
