"""What the clients ask for and the service has none of."""

from __future__ import annotations

from werkzeug.wrappers import Response

from pytest_wml.emulator.exchange import Call, answer
from pytest_wml.emulator.refusals import Missing


def foundation_model_specs(call: Call) -> Response:
    """One client asks for these without a token, to learn whether it talks to a service at all."""
    _, lead = call.page(())
    return answer(200, {"total_count": 0, **lead, "resources": []})


def none_of_a_kind(call: Call, _kind: str) -> Response:
    """The functions, pipelines, experiments or AI services of a space: none."""
    _, lead = call.page(())
    return answer(200, {**lead, "resources": []})


def no_asset(_call: Call, kind: str, asset_id: str) -> Response:
    """The clients try the id of a model under every kind and take what is found."""
    raise Missing(f"{kind.rstrip('s')}_does_not_exist", f"There is no {kind.rstrip('s')} with id '{asset_id}'.")


def no_prompt(_call: Call, asset_id: str) -> Response:
    """Asked before each deployment; anything but a miss makes the client deploy a prompt template instead."""
    raise Missing("prompt_does_not_exist", f"There is no prompt with id '{asset_id}'.")
