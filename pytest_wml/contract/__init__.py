"""The contract checks: each compares a deployment with one promise and returns every finding."""

from __future__ import annotations

from pytest_wml.contract.accuracy import check_accuracy
from pytest_wml.contract.answers import Scoring
from pytest_wml.contract.classes import check_classes
from pytest_wml.contract.consistency import check_batch_consistency, check_repeatability
from pytest_wml.contract.drift import check_drift
from pytest_wml.contract.errors import BadContract
from pytest_wml.contract.findings import ContractBroken, Finding, Result
from pytest_wml.contract.invariance import check_directional, check_invariance
from pytest_wml.contract.latency import check_latency
from pytest_wml.contract.parity import check_parity
from pytest_wml.contract.probabilities import check_probabilities
from pytest_wml.contract.refusals import Refused, check_errors
from pytest_wml.contract.rest import check_rest
from pytest_wml.contract.signature import check_signature
from pytest_wml.contract.toolkit import Contract
from pytest_wml.contract.transforms import image_transforms

__all__ = [
    "BadContract",
    "Contract",
    "ContractBroken",
    "Finding",
    "Refused",
    "Result",
    "Scoring",
    "check_accuracy",
    "check_batch_consistency",
    "check_classes",
    "check_directional",
    "check_drift",
    "check_errors",
    "check_invariance",
    "check_latency",
    "check_parity",
    "check_probabilities",
    "check_repeatability",
    "check_rest",
    "check_signature",
    "image_transforms",
]
