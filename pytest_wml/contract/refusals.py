"""What the service must refuse, with status and code."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.findings import Finding, Result
from pytest_wml.contract.rest import Reply, post

if TYPE_CHECKING:
    from pytest_wml.client.deployment import Deployment
    from pytest_wml.model.signature import TensorSpec

_NOBODY = "00000000-0000-4000-8000-00000000dead"
_BAD_TOKEN = "Bearer no-token-of-any-service"  # noqa: S105 it is the point of it
_ZEROS: dict[str, Any] = {
    **dict.fromkeys(("float16", "float32", "float64", "bfloat16"), 0.0),
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"), 0),
    "bool": False,
    "string": "",
}
_LARGEST = 4096
"""Numbers in a row that are sent to be refused."""


@dataclass(frozen=True)
class Refused:
    """A request that must be refused.

    Args:
        body: the JSON value that is sent.
        status: that must come back.
        code: of the first of the `errors`; empty for any.
        deployment_id: asked instead of the deployment; empty for the deployment itself.
        authorization: header sent instead of the client's; empty for none, None for the client's.
    """

    body: Any
    status: int
    code: str = ""
    deployment_id: str = ""
    authorization: str | None = None


def refusals(deployment: Deployment) -> dict[str, Refused]:
    """The ready set: what every deployment must refuse, by name; `wrong shape` only for a known signature."""
    inputs = deployment.archive.signature.inputs if deployment.archive.signature else ()
    # Bodies of their own: a player of recordings that looks at URL and body only can tell them from each other.
    ready = {
        "empty batch": Refused({"input_data": []}, 400, "invalid_input_data"),
        "missing field": Refused({"input_data": [{"id": "without values"}]}, 400, "invalid_input_data"),
        "unknown deployment": Refused(_asking("nobody"), 404, "deployment_does_not_exist", deployment_id=_NOBODY),
        "bad token": Refused(_asking("bad token"), 401, "authentication_token_not_valid", authorization=_BAD_TOKEN),
        "no token": Refused(_asking("no token"), 401, "authentication_no_token", authorization=""),
    }
    body = _misshapen(inputs)
    return {"wrong shape": Refused(body, 400, "invalid_input_data"), **ready} if body else ready


def _asking(name: str) -> dict[str, Any]:
    return {"input_data": [{"id": name, "values": []}]}


def _misshapen(inputs: tuple[TensorSpec, ...]) -> dict[str, Any] | None:
    """A body whose first input has a wrong shape; None where none is promised, or the others are huge."""
    if not inputs or any(not spec.shape or spec.dtype not in _ZEROS for spec in inputs):
        return None
    if any(_size(spec) > _LARGEST for spec in inputs[1:]):
        return None
    shapes = [_wrong(inputs[0]), *([length or 1 for length in spec.shape or ()] for spec in inputs[1:])]
    elements: list[dict[str, Any]] = [
        {"id": spec.name, "values": _filled(shape, _ZEROS[spec.dtype])}
        for spec, shape in zip(inputs, shapes, strict=True)
    ]
    return {"input_data": elements if len(elements) > 1 else [{"values": elements[0]["values"]}]}


def _wrong(spec: TensorSpec) -> list[int]:
    """One number too many in a row; an axis too many where no length is promised, or a row is large."""
    shape = [length or 1 for length in spec.shape or ()]
    fixed = [place for place, length in enumerate(spec.shape or ()) if place and length is not None]
    if not fixed or _size(spec) > _LARGEST:
        return [1] * (len(shape) + 1)
    shape[fixed[-1]] += 1
    return shape


def _size(spec: TensorSpec) -> int:
    return math.prod(length or 1 for length in spec.shape or ())


def _filled(shape: list[int], value: Any) -> Any:
    return [_filled(shape[1:], value) for _ in range(shape[0])] if shape else value


def check_errors(deployment: Deployment, cases: Mapping[str, Refused | None] | None = None) -> Result:
    """The service refuses what it must, with the promised status and `errors[].code`.

    Args:
        deployment: that is asked.
        cases: added to the ready set of `refusals`, or put in the place of one of its cases; None leaves it out.

    Raises:
        BadContract: there is no case.
    """
    ready = refusals(deployment)
    chosen = {name: case for name, case in {**ready, **(cases or {})}.items() if case is not None}
    if not chosen:
        raise BadContract("There is nothing to check: no case is left.")
    findings: list[Finding] = []
    answered: dict[str, str] = {}
    for name, case in chosen.items():
        reply = post(deployment, case.body, deployment_id=case.deployment_id, authorization=case.authorization)
        answered[name] = f"{reply.status} {reply.code}".strip()
        findings += _findings(name, case, reply)
    notes = () if "wrong shape" in ready else ("no wrong shape was sent: the model's signature is not known",)
    return Result(
        "errors",
        deployment.name,
        deployment.mode,
        promised=f"refused with status and code: {', '.join(chosen)}",
        measured={"cases": len(chosen), "answered": answered},
        findings=tuple(findings),
        notes=notes,
    )


def _findings(name: str, case: Refused, reply: Reply) -> Iterator[Finding]:
    facts = {"case": name, "status": reply.status, "code": reply.code}
    if reply.status != case.status:
        told = f" ({reply.code})" if reply.code else ""
        yield Finding(f"{name}: status {reply.status}{told} instead of {case.status}", facts=facts)
        return
    if not reply.code:
        yield Finding(f"{name}: status {reply.status}, but the body has no errors[0].code", facts=facts)
    elif case.code and reply.code != case.code:
        yield Finding(f"{name}: code {reply.code} instead of {case.code}", facts=facts)
