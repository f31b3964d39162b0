"""Checks that invalid requests are refused with the expected status and code."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.rest import HttpReply, post

if TYPE_CHECKING:
    from pytest_wml.client.deployment import Deployment
    from pytest_wml.model.signature import TensorSpec

_UNKNOWN_DEPLOYMENT = "00000000-0000-4000-8000-00000000dead"
_BAD_TOKEN = "Bearer no-token-of-any-service"  # noqa: S105 an invalid token on purpose
_ZEROS: dict[str, Any] = {
    **dict.fromkeys(("float16", "float32", "float64", "bfloat16"), 0.0),
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"), 0),
    "bool": False,
    "string": "",
}
_LARGEST = 4096
"""Largest number of values in a row of wrong shape."""


@dataclass(frozen=True)
class Refused:
    """A request that must be refused.

    Args:
        body: JSON value to send.
        status: expected HTTP status.
        code: expected `code` of the first entry of `errors`; empty accepts any.
        deployment_id: id to request instead of the deployment's; empty for the deployment's.
        authorization: header to send instead of the client's; empty sends none, None sends the client's.
    """

    body: Any
    status: int
    code: str = ""
    deployment_id: str = ""
    authorization: str | None = None


def refusals(deployment: Deployment) -> dict[str, Refused]:
    """The built-in cases by name, which every deployment must refuse; `wrong shape` needs a known signature."""
    inputs = deployment.archive.signature.inputs if deployment.archive.signature else ()
    # Each case has another body, so that recordings can be matched by URL and body only.
    built_in = {
        "empty batch": Refused({"input_data": []}, 400, "invalid_input_data"),
        "missing field": Refused({"input_data": [{"id": "without values"}]}, 400, "invalid_input_data"),
        "unknown deployment": Refused(
            _empty_values("nobody"), 404, "deployment_does_not_exist", deployment_id=_UNKNOWN_DEPLOYMENT
        ),
        "bad token": Refused(
            _empty_values("bad token"), 401, "authentication_token_not_valid", authorization=_BAD_TOKEN
        ),
        "no token": Refused(_empty_values("no token"), 401, "authentication_no_token", authorization=""),
    }
    body = _wrong_shape_body(inputs)
    return {"wrong shape": Refused(body, 400, "invalid_input_data"), **built_in} if body else built_in


def _empty_values(name: str) -> dict[str, Any]:
    return {"input_data": [{"id": name, "values": []}]}


def _wrong_shape_body(inputs: tuple[TensorSpec, ...]) -> dict[str, Any] | None:
    """A body whose first input has a wrong shape; None if no shape is promised or the other inputs are too large."""
    if not inputs or any(not spec.shape or spec.dtype not in _ZEROS for spec in inputs):
        return None
    if any(_size(spec) > _LARGEST for spec in inputs[1:]):
        return None
    shapes = [_wrong_shape(inputs[0]), *([length or 1 for length in spec.shape or ()] for spec in inputs[1:])]
    elements: list[dict[str, Any]] = [
        {"id": spec.name, "values": _filled(shape, _ZEROS[spec.dtype])}
        for spec, shape in zip(inputs, shapes, strict=True)
    ]
    return {"input_data": elements if len(elements) > 1 else [{"values": elements[0]["values"]}]}


def _wrong_shape(spec: TensorSpec) -> list[int]:
    """A shape with one value too many in a row; with one axis too many if no length is promised or a row is large."""
    shape = [length or 1 for length in spec.shape or ()]
    fixed = [axis for axis, length in enumerate(spec.shape or ()) if axis and length is not None]
    if not fixed or _size(spec) > _LARGEST:
        return [1] * (len(shape) + 1)
    shape[fixed[-1]] += 1
    return shape


def _size(spec: TensorSpec) -> int:
    return math.prod(length or 1 for length in spec.shape or ())


def _filled(shape: list[int], value: Any) -> Any:
    return [_filled(shape[1:], value) for _ in range(shape[0])] if shape else value


def check_errors(deployment: Deployment, cases: Mapping[str, Refused | None] | None = None) -> Result:
    """The service refuses invalid requests with the expected status and `errors[].code`.

    Args:
        deployment: the deployment to check.
        cases: cases by name, added to the built-in ones; a built-in name replaces that case, None removes it.

    Raises:
        BadContract: no case is left.
    """
    built_in = refusals(deployment)
    chosen = {name: case for name, case in {**built_in, **(cases or {})}.items() if case is not None}
    if not chosen:
        raise BadContract("There is nothing to check: no case is left.")
    findings: list[Finding] = []
    answered: dict[str, str] = {}
    for name, case in chosen.items():
        reply = post(deployment, case.body, deployment_id=case.deployment_id, authorization=case.authorization)
        answered[name] = f"{reply.status} {reply.code}".strip()
        findings += _findings(name, case, reply)
    notes = () if "wrong shape" in built_in else ("no wrong shape was sent: the model's signature is unknown",)
    return Result(
        "errors",
        deployment.name,
        deployment.mode,
        promised=f"refused with status and code: {', '.join(chosen)}",
        measured={"cases": len(chosen), "answered": answered},
        findings=tuple(findings),
        notes=notes,
    )


def _findings(name: str, case: Refused, reply: HttpReply) -> Iterator[Finding]:
    facts = {"case": name, "status": reply.status, "code": reply.code}
    if reply.status != case.status:
        code = f" ({reply.code})" if reply.code else ""
        yield Finding(f"{name}: status {reply.status}{code} instead of {case.status}", facts=facts)
        return
    if not reply.code:
        yield Finding(f"{name}: status {reply.status}, but the body has no errors[0].code", facts=facts)
    elif case.code and reply.code != case.code:
        yield Finding(f"{name}: code {reply.code} instead of {case.code}", facts=facts)
