"""What the service holds, as the page shows it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from pytest_wml.emulator.bodies import rfc3339
from pytest_wml.emulator.exchange import Call
from pytest_wml.emulator.scoring_log import LoggedScoring
from pytest_wml.emulator.state.deployments import DeploymentRecord
from pytest_wml.emulator.state.models import ModelRecord

# A page with more is of no use, and it is asked for every other second.
_SHOWN = 100
_LONGEST_NAME = 200


def state(call: Call, scorings: Sequence[LoggedScoring]) -> dict[str, Any]:
    """Spaces, models, functions, deployments and the last scorings, newest first; no model is loaded for it."""
    service = call.service
    spaces = service.spaces.find(lambda _: True)
    deployments = list(map(service.deployments.shown, service.deployments.find(lambda _: True)))
    assets = service.models.find(lambda _: True) + service.functions.find(lambda _: True)
    assets.sort(key=lambda asset: asset.created_at, reverse=True)
    names = {asset.id: asset.draft.name for asset in assets}
    return {
        "totals": {"spaces": len(spaces), "models": len(assets), "deployments": len(deployments)},
        "spaces": [{"id": space.id, "name": _short(space.name), "state": space.state} for space in spaces[:_SHOWN]],
        "models": [_model_json(asset) for asset in assets[:_SHOWN]],
        "deployments": [
            _deployment_json(call, deployment, names.get(deployment.draft.asset_id, ""))
            for deployment in deployments[:_SHOWN]
        ],
        "scorings": [_scoring_json(scoring) for scoring in scorings],
    }


def _model_json(model: ModelRecord) -> dict[str, Any]:
    return {
        "id": model.id,
        "name": _short(model.draft.name),
        "type": _short(model.draft.type),
        "size": model.content.size if model.content else None,
        "created_at": rfc3339(model.created_at),
    }


def _deployment_json(call: Call, deployment: DeploymentRecord, model_name: str) -> dict[str, Any]:
    return {
        "id": deployment.id,
        "name": _short(deployment.draft.name),
        "kind": deployment.draft.kind,
        "state": deployment.state,
        "failure": _short(deployment.failure),
        "model": _short(model_name),
        "modified_at": rfc3339(deployment.modified_at),
        "url": f"{call.base_url}/ml/v4/deployments/{deployment.id}/predictions",
    }


def _scoring_json(scoring: LoggedScoring) -> dict[str, Any]:
    return {
        "number": scoring.number,
        "deployment": scoring.deployment_id,
        "at": rfc3339(scoring.at),
        "digits": [shades(digit) for digit in scoring.digits],
        "given": scoring.given,
        "rows": scoring.rows,
        "answer": scoring.answer,
        "refusal": scoring.refusal,
    }


def shades(pixels: Sequence[float]) -> str:
    """Pixels in 0..1 or 0..255 as bytes in base64; what is out of range, or NaN, is the nearest that is not."""
    full = 1 if all(not pixel > 1 for pixel in pixels) else 255
    # The order tells NaN from numbers: `max` keeps its first argument where the second is no larger.
    return base64.b64encode(bytes(round(min(max(0, pixel), full) * 255 / full) for pixel in pixels)).decode()


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else text[:_LONGEST_NAME] + "…"
