"""Names, ids and model types of software specifications, from the tables in `pytest_wml/data`."""

from __future__ import annotations

import uuid

import pytest

from pytest_wml.wml.hardware_specs import HARDWARE_SPECS
from pytest_wml.wml.software_specs import BY_ID, BY_NAME, SOFTWARE_SPECS, Fit, fit
from pytest_wml.wml.tables import rows

STATUSES = {"recorded by IBM", "from documentation", "assumed"}
TABLES = ["software_specifications.tsv", "model_types.tsv", "life_cycles.tsv"]
# What clients of every runtime since 2022 ask for by name, with the ids that were seen.
SEEN = {
    "runtime-22.2-py3.10": "b56101f1-309d-549b-a849-eaa63f77b2fb",
    "runtime-23.1-py3.10": "336b29df-e0e1-5e7d-b6a5-f6ab722625b2",
    "runtime-24.1-py3.11": "45f12dfe-aa78-5b8d-9f38-0ee223c47309",
    "runtime-24.1-r4.3": "c9679e95-1b5e-590d-a6ce-0c15dc870a0a",
    "runtime-25.1-py3.12": "f47ae1c3-198e-5718-b59d-2ea471561e9e",
    "spark-mllib_3.2": "20047f72-0a98-58c7-9ff5-a77b012eb8f5",
    "spark-mllib_3.4": "dabb5e1b-e1c7-5ef5-95ea-34a8223e436c",
    "pmml-3.0_4.3": "493bcb95-16f1-5bc5-bee8-81b8af80e9c7",
    "spss-modeler_18.2": "687eddc9-028a-4117-b9dd-e57b36f1efa5",
    "do_20.1": "f686cdd9-7904-5f9d-a732-01b0d6b10dc5",
    "autoai-obm_2.0 with Spark 3.0": "af10f35f-69fa-5d66-9bf5-acb58434263a",
    "default_py3.10": "336b29df-e0e1-5e7d-b6a5-f6ab722625b2",
}


@pytest.mark.parametrize("name", SEEN)
def test_a_name_that_was_seen_has_its_id(name):
    """As the service's own listings and IBM's notebooks show it."""
    assert BY_NAME[name].id == SEEN[name]


def test_every_listed_name_and_id_is_found():
    """Earlier ids too: models that were stored years ago name them."""
    assert len(SOFTWARE_SPECS) > 100
    assert BY_ID["160fcf8b-0f8e-4043-ba83-e3bf021ea4fa"] is BY_NAME["tensorflow_2.1-py3.6"]
    assert {spec.name for spec in SOFTWARE_SPECS} <= BY_NAME.keys()
    assert {spec.id for spec in SOFTWARE_SPECS} <= BY_ID.keys()


def test_no_two_specifications_share_an_id():
    """Nor is one's earlier id another's."""
    ids = [found for row in rows(TABLES[0]) for found in (row["id"], *row["earlier_ids"].split())]
    assert len(ids) == len(set(ids))
    assert all(str(uuid.UUID(found)) == found for found in ids)


def test_an_id_that_was_never_seen_is_made_from_the_name():
    """The same in every version, and marked as assumed."""
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, "pytest-wml/software_specifications")
    own = [row for row in rows(TABLES[0]) if row["id"] == str(uuid.uuid5(namespace, row["name"]))]
    assert {row["name"] for row in own} >= {"tensorflow_rt24.1-py3.11", "runtime-25.1-py3.12-cuda", "do_22.2"}
    assert own == [row for row in rows(TABLES[0]) if row["status"] == "assumed"]


def test_hardware_without_a_known_id_has_one_of_our_own():
    """Made in the same way."""
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, "pytest-wml/hardware_specifications")
    own = [spec.name for spec in HARDWARE_SPECS if spec.id == str(uuid.uuid5(namespace, spec.name))]
    assert own == ["XS", "ML", "XL"]


@pytest.mark.parametrize("table", TABLES)
def test_every_line_says_how_it_is_known(table):
    """One of the statuses of FIDELITY.md, and a source for what is not assumed."""
    for row in rows(table):
        assert row["status"] in STATUSES, row
        assert row["source"] or row["status"] == "assumed", row


def test_types_belong_to_specifications_that_exist():
    """A type outlives its specification otherwise."""
    assert {row["specification"] for row in rows("model_types.tsv")} <= BY_NAME.keys()


@pytest.mark.parametrize(
    ("name", "model_type", "fits"),
    [
        ("runtime-24.1-py3.11", "tensorflow_2.14", Fit.SEEN),
        ("runtime-24.1-py3.11", "tensorflow_rt24.1", Fit.SEEN),
        ("runtime-24.1-py3.11", "xgboost_2.0", Fit.SEEN),
        ("runtime-25.1-py3.12", "scikit-learn_1.6", Fit.SEEN),
        ("runtime-25.1-py3.12", "xgboost_2.1", Fit.SEEN),
        ("onnxruntime_opset_21", "onnxruntime_1.17", Fit.SEEN),
        ("spark-mllib_3.4", "mllib_3.4", Fit.SEEN),
        ("runtime-24.1-py3.11", "scikit-learn_1.5", Fit.UNSEEN),
        ("runtime-24.1-py3.11", "tensorflow_2.12", Fit.UNSEEN),
        ("runtime-25.1-py3.12", "tensorflow_2.18", Fit.UNSEEN),
        ("runtime-25.1-py3.12", "tensorflow_rt25.1", Fit.UNSEEN),
        ("runtime-25.1-py3.12", "pytorch-onnx_2.6", Fit.UNSEEN),
        ("runtime-25.1-py3.12-cuda", "tensorflow_2.18", Fit.UNSEEN),
        ("runtime-23.1-py3.10", "scikit-learn_1.3", Fit.UNSEEN),
        ("spark-mllib_3.4", "mllib_3.3", Fit.UNSEEN),
        ("runtime-24.1-py3.11", "mllib_3.4", Fit.IMPOSSIBLE),
        ("runtime-24.1-py3.11", "foo_1", Fit.IMPOSSIBLE),
        ("runtime-24.1-py3.11", "tensorflow", Fit.IMPOSSIBLE),
        ("runtime-24.1-py3.11", "tensorflow_x", Fit.IMPOSSIBLE),
        ("runtime-24.1-py3.11", "tensorflow_2.14\n", Fit.IMPOSSIBLE),
        ("runtime-24.1-r4.3", "scikit-learn_1.3", Fit.IMPOSSIBLE),
        ("spark-mllib_3.4", "tensorflow_2.14", Fit.IMPOSSIBLE),
        ("genai-A25-py3.12", "tensorflow_2.14", Fit.IMPOSSIBLE),
    ],
)
def test_a_type_fits_what_runs_its_framework(name, model_type, fits):
    """Seen to be stored; not seen, and of a framework that the specification runs; or impossible."""
    assert fit(BY_NAME[name], model_type) is fits
