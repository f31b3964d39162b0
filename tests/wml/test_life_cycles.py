"""How long software specifications live."""

from __future__ import annotations

import datetime

import pytest

from pytest_wml.wml.life_cycles import LifeCycleState, life_of
from pytest_wml.wml.software_specs import SOFTWARE_SPECS


def state(name: str, day: str, *, cloud: bool = True) -> str:
    return life_of(name, cloud=cloud).state(datetime.date.fromisoformat(day)).value


@pytest.mark.parametrize(
    ("name", "day", "expected"),
    [
        ("runtime-24.1-py3.11", "2026-08-19", "supported"),
        ("runtime-24.1-py3.11", "2026-08-20", "supported"),
        ("runtime-23.1-py3.10", "2026-08-20", "deprecated"),
        ("runtime-25.1-py3.12", "2026-08-20", "supported"),
        ("tensorflow_rt23.1-py3.10", "2024-03-07", "supported"),
        ("tensorflow_rt23.1-py3.10", "2025-01-01", "deprecated"),
        ("runtime-22.1-py3.9", "2022-11-08", "supported"),
        ("runtime-22.1-py3.9", "2023-09-20", "retired"),
        ("tensorflow_1.15-py3.6", "2020-11-30", "deprecated"),
        ("tensorflow_1.15-py3.6", "2020-12-01", "retired"),
        ("default_py3.7", "2026-01-01", "retired"),
        ("spark-mllib_3.0-py36", "2026-01-01", "retired"),
        ("spark-mllib_3.3", "2026-01-01", "deprecated"),
        ("onnxruntime_opset_21", "2026-01-01", "supported"),
        ("of-a-team", "2026-01-01", "supported"),
    ],
)
def test_the_day_decides_the_state(name, day, expected):
    """In IBM Cloud."""
    assert state(name, day) == expected


def test_cloud_pak_for_data_has_a_life_of_its_own():
    """What IBM Cloud removes, an installation still has."""
    assert state("runtime-24.1-py3.11", "2026-08-20", cloud=False) == "supported"
    assert state("runtime-22.1-py3.9", "2026-08-20", cloud=False) == "constricted"


def test_a_plan_changes_no_state():
    """Nobody has seen what became of it: from its day on, only the replacement is shown."""
    for spec in SOFTWARE_SPECS:
        planned = [step for step in life_of(spec.name, cloud=True).steps if step.planned]
        assert {step.state for step in planned} <= {LifeCycleState.SUPPORTED}


def test_the_next_step_is_known_before_its_day():
    """With the replacement that IBM advises."""
    life = life_of("runtime-24.1-py3.11", cloud=True)
    step = life.after(datetime.date(2025, 6, 1))
    assert step == life.at(datetime.date(2026, 8, 20))
    assert (step.planned, step.replacement, step.since) == (True, "runtime-25.1-py3.12", datetime.date(2026, 8, 20))
    assert life.after(datetime.date(2026, 8, 20)) is None


@pytest.mark.parametrize("cloud", [True, False])
def test_steps_are_in_the_order_of_their_days(cloud):
    """A state is that of the last step that was reached."""
    for spec in SOFTWARE_SPECS:
        days = [step.since or datetime.date.min for step in life_of(spec.name, cloud=cloud).steps]
        assert days == sorted(days), spec.name
