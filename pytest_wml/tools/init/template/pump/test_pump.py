"""What is easier said in Python than in pump.wml.yaml."""

from __future__ import annotations

import numpy as np

HOTTER = np.array([12, 0, 0, 0], np.float32)


def test_a_failing_pump_is_told_from_a_healthy_one(wml_deployment, pumps):
    """In one request; the deployment's own words are 0, 1 and 2."""
    assert wml_deployment.predict([pumps["healthy"], pumps["failing"]]).classes.tolist() == [0, 2]


def test_a_hotter_pump_is_nearer_to_failing(wml_contract, pumps):
    """Whatever else the network has learnt."""
    wml_contract.directional([pumps["worn"]], lambda rows: rows + HOTTER, label=2, change="raises")
