"""The software specification: whether there is one, how long yet, and whether it takes models of the type."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_wml.embedded.catalogue import current_software_spec, software_spec_for
from pytest_wml.embedded.refusals import UnprocessableEntity
from pytest_wml.embedded.runtimes.loading import framework_of
from pytest_wml.embedded.software_specs import SOFTWARE_SPECS, Lifecycle, SoftwareSpec, milestone
from pytest_wml.lint.findings import SPECIFICATION, Basis, Finding, Level, Refusal
from pytest_wml.lint.target import Target

_REQUEST = "POST /ml/v4/models"
_SEEN = "watsonx-ai-samples issue 31"


def findings(target: Target) -> Iterator[Finding]:
    """Yield what is to be said of a software specification and a model's type."""
    spec = target.spec
    if spec is None:
        yield _unknown(target)
        return
    yield from _life(spec, target)
    if target.model_type not in spec.types:
        yield _unfit(spec, target)


def types_for(spec: SoftwareSpec | None, framework: str) -> list[str]:
    """The types of a framework's models that a specification takes."""
    return [each for each in (spec.types if spec else ()) if framework_of(each) == framework]


def _unknown(target: Target) -> Finding:
    found = (
        f"The catalogue that is known here, of early 2025, has no software specification {target.spec_name!r}; "
        "one of your own, or a newer one, may well exist."
    )
    return Finding(
        Level.ERROR,
        "unknown-specification",
        found,
        SPECIFICATION,
        "client.software_specifications.list() shows what the service has",
        _refused(target, Basis.RECORDED, _SEEN),
    )


def _life(spec: SoftwareSpec, target: Target) -> Iterator[Finding]:
    step = milestone(spec)
    if step is None:
        return
    date = f" {step.removal}" if step.removal else ""
    told = f"{spec.name} is {spec.lifecycle.value}: {step.what}{date} ({step.basis}: {step.source})."
    fix = (
        f"deploy with {spec.replacement}"
        if spec.replacement
        else "client.software_specifications.list() shows what the service still has"
    )
    if spec.lifecycle is Lifecycle.RETIRED:
        refusal = _refused(target, Basis(step.basis), f"words: {_SEEN}; {step.source}")
        yield Finding(Level.ERROR, "retired-specification", told, SPECIFICATION, fix, refusal)
    elif spec.lifecycle is Lifecycle.DEPRECATED:
        yield Finding(Level.WARN, "deprecated-specification", told, SPECIFICATION, fix)
    else:
        over = step.removal is not None and step.removal <= target.today
        yield Finding(Level.WARN if over else Level.INFO, "removal-planned", told, SPECIFICATION, fix)


def _refused(target: Target, basis: Basis, source: str) -> Refusal:
    try:
        current_software_spec(target.spec_name)
    except UnprocessableEntity as refusal:
        return Refusal(_REQUEST, 400, refusal.code, refusal.message, basis, source)
    raise AssertionError(f"{target.spec_name} is not refused")


def _unfit(spec: SoftwareSpec, target: Target) -> Finding:
    takes = types_for(spec, target.framework)
    takers = [each.name for each in SOFTWARE_SPECS if target.model_type in each.types]
    ways = [f"store it as {' or '.join(takes)}"] if takes else []
    ways += [f"with {takers[0]}"] if takers else []
    refusal = None
    try:
        software_spec_for(target.spec_name, target.model_type)
    except UnprocessableEntity as problem:
        refusal = Refusal(_REQUEST, 400, problem.code, problem.message, Basis.DOCUMENTED, "clients")
    return Finding(
        Level.ERROR,
        "type-does-not-fit",
        f"{spec.name} does not take models of type {target.model_type}, only {', '.join(spec.types) or 'none'}.",
        SPECIFICATION,
        ", or ".join(ways) or "client.software_specifications.list() shows what there is",
        refusal,
    )
