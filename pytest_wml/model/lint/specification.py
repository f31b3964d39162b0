"""What a model is to be deployed with: whether there is such a software specification, how long, and for the type."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field

from pytest_wml.model.kinds import framework_of
from pytest_wml.model.lint.findings import SPECIFICATION, Basis, ExpectedRefusal, LintFinding, LintLevel
from pytest_wml.wml.acceptance import INVALID_ENTITY, invalid_entity, spec_refusal, type_refusal
from pytest_wml.wml.life_cycles import LifeCycleState, LifeCycleStep, life_of
from pytest_wml.wml.software_specs import SOFTWARE_SPECS, Fit, SoftwareSpec, fit, named_software_spec

_REQUEST = "POST /ml/v4/models"
_SEEN = "watsonx-ai-samples issue 31"


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


@dataclass(frozen=True)
class LintTarget:
    """Type and software specification of a model.

    Attributes:
        model_type: WML's, such as `tensorflow_2.14`.
        spec_name: of the software specification, or its id.
        today: the day that life cycles are compared with.
    """

    model_type: str
    spec_name: str
    today: datetime.date = field(default_factory=_today)

    @property
    def framework(self) -> str:
        """The framework in the type, such as `tensorflow`."""
        return framework_of(self.model_type)

    @property
    def spec(self) -> SoftwareSpec | None:
        """The specification; None for one that is not in the catalogue."""
        return named_software_spec(self.spec_name)


def findings(target: LintTarget) -> Iterator[LintFinding]:
    """Yield what is to be said of a software specification and a model's type; life cycles are those of IBM Cloud."""
    spec = target.spec
    if spec is None:
        yield _unknown(target)
        return
    yield from _life(spec, target)
    fits = fit(spec, target.model_type)
    if fits is Fit.IMPOSSIBLE:
        yield _unfit(spec, target)
    elif fits is Fit.UNSEEN:
        yield _unseen(spec, target)


def types_for(spec: SoftwareSpec | None, framework: str) -> list[str]:
    """The types of a framework's models that a specification takes."""
    return [each for each in (spec.types if spec else ()) if framework_of(each) == framework]


def _unknown(target: LintTarget) -> LintFinding:
    found = (
        f"The catalogue of pytest-wml has no software specification {target.spec_name!r}; "
        "one of your own, or a newer one, may well exist."
    )
    return LintFinding(
        LintLevel.ERROR,
        "unknown-specification",
        found,
        SPECIFICATION,
        "client.software_specifications.list() shows what the service has",
        _refused(target, Basis.ASSUMED, ""),
    )


def _life(spec: SoftwareSpec, target: LintTarget) -> Iterator[LintFinding]:
    life = life_of(spec.name, cloud=True)
    step = life.at(target.today)
    if step is not None:
        yield _reached(spec, target, step)
    elif (to_come := life.after(target.today)) is not None:
        yield LintFinding(
            LintLevel.INFO, "removal-planned", _said(spec, target, to_come), SPECIFICATION, _way_on(to_come)
        )


def _reached(spec: SoftwareSpec, target: LintTarget, step: LifeCycleStep) -> LintFinding:
    said, fix = _said(spec, target, step), _way_on(step)
    if step.state is LifeCycleState.RETIRED:
        refusal = _refused(target, Basis(step.basis), f"words: {_SEEN}; {step.source}")
        return LintFinding(LintLevel.ERROR, "retired-specification", said, SPECIFICATION, fix, refusal)
    code = "removal-planned" if step.planned else "deprecated-specification"
    return LintFinding(LintLevel.WARN, code, said, SPECIFICATION, fix)


def _said(spec: SoftwareSpec, target: LintTarget, step: LifeCycleStep) -> str:
    state = life_of(spec.name, cloud=True).state(target.today).value
    known = ": ".join(filter(None, [step.basis, step.source]))
    return f"{spec.name} is {state}: {step.what} ({known})."


def _way_on(step: LifeCycleStep) -> str:
    if step.replacement:
        return f"deploy with {step.replacement}"
    return "client.software_specifications.list() shows what the service still has"


def _refused(target: LintTarget, basis: Basis, source: str) -> ExpectedRefusal:
    reason = spec_refusal(target.spec_name, target.today, cloud=True)
    return ExpectedRefusal(_REQUEST, 400, INVALID_ENTITY, invalid_entity(reason), basis, source)


def _unfit(spec: SoftwareSpec, target: LintTarget) -> LintFinding:
    reason = spec_refusal(target.spec_name, target.today, cloud=True) or type_refusal(spec, target.model_type)
    refusal = ExpectedRefusal(_REQUEST, 400, INVALID_ENTITY, invalid_entity(reason), Basis.DOCUMENTED, "clients")
    return LintFinding(
        LintLevel.ERROR,
        "type-does-not-fit",
        f"{spec.name} does not take models of type {target.model_type}, only {', '.join(spec.types) or 'none'}.",
        SPECIFICATION,
        _seen_ways(spec, target) or "client.software_specifications.list() shows what there is",
        refusal,
    )


def _unseen(spec: SoftwareSpec, target: LintTarget) -> LintFinding:
    found = f"It is not known whether the service stores models of type {target.model_type} with {spec.name}."
    return LintFinding(LintLevel.WARN, "type-not-seen", found, SPECIFICATION, _seen_ways(spec, target))


def _seen_ways(spec: SoftwareSpec, target: LintTarget) -> str:
    """How a model of this framework was stored: its types with the same specification, or the type with another one."""
    takes = types_for(spec, target.framework)
    takers = [each for each in SOFTWARE_SPECS if target.model_type in each.types and each.name != spec.name]
    states = {each.name: life_of(each.name, cloud=True).state(target.today) for each in takers}
    # The state that leaves most time; then the specification of a whole runtime before one for training.
    lasting = sorted(
        (list(LifeCycleState).index(state), not name.startswith("runtime-"), name)
        for name, state in states.items()
        if state is not LifeCycleState.RETIRED
    )
    ways = [f"store it as {' or '.join(takes)}"] if takes else []
    ways += [f"with {lasting[0][-1]}"] if lasting else []
    return ", or ".join(ways)
