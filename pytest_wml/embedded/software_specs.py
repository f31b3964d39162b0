"""The software specifications of the service, with their real names and ids.

The catalogue is that of early 2025, the date of IBM's newest public notebooks: Runtime 24.1 is current. The
sources are the outputs recorded in IBM's sample notebooks, constants of both of IBM's clients, and IBM's page
of supported frameworks.
"""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass


class Lifecycle(enum.Enum):
    """How long a specification has to live; the names are those that both clients look for."""

    SUPPORTED = "supported"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


@dataclass(frozen=True)
class SoftwareSpec:
    id: str
    name: str
    types: tuple[str, ...] = ()
    """The model types that may be stored with it. Two names are good for one framework: by its own version
    (`tensorflow_2.14`) and by the runtime's (`tensorflow_rt24.1`)."""
    lifecycle: Lifecycle = Lifecycle.SUPPORTED
    replacement: str = ""

    @property
    def python(self) -> str:
        """The version of Python, which most names end in."""
        return self.name.partition("-py")[2].partition("-")[0].partition("_")[0] or "3.11"


def _supported(spec_id: str, name: str, *types: str) -> SoftwareSpec:
    return SoftwareSpec(spec_id, name, types)


def _deprecated(spec_id: str, name: str, *types: str) -> SoftwareSpec:
    return SoftwareSpec(spec_id, name, types, Lifecycle.DEPRECATED, _CURRENT)


def _retired(spec_id: str, name: str, *types: str) -> SoftwareSpec:
    return SoftwareSpec(spec_id, name, types, Lifecycle.RETIRED, _CURRENT)


def _runtime(version: str, *types: str) -> tuple[str, ...]:
    frameworks = ("tensorflow", "scikit-learn", "xgboost", "pytorch-onnx")
    return (*types, *(f"{framework}_rt{version}" for framework in frameworks))


_CURRENT = "runtime-24.1-py3.11"
_RT_24_1 = _runtime("24.1", "tensorflow_2.14", "scikit-learn_1.3", "xgboost_2.0", "pytorch-onnx_2.1")
_RT_23_1 = _runtime("23.1", "tensorflow_2.12", "scikit-learn_1.1", "xgboost_1.6", "pytorch-onnx_2.0")
_RT_22_2 = _runtime("22.2", "tensorflow_2.9", "tensorflow_2.7", "scikit-learn_1.1", "xgboost_1.6", "pytorch-onnx_1.12")
_RT_22_1 = _runtime("22.1", "tensorflow_2.7", "scikit-learn_1.0", "pytorch-onnx_1.10")
_TF_RT_22_1 = ("tensorflow_2.7", "tensorflow_rt22.1")

SOFTWARE_SPECS = (
    _supported("45f12dfe-aa78-5b8d-9f38-0ee223c47309", _CURRENT, *_RT_24_1),
    _supported("f47ae1c3-198e-5718-b59d-2ea471561e9e", "runtime-25.1-py3.12", "xgboost_2.1"),
    _supported("60ddf4d9-65ac-562d-aa8d-9f26da5dfc76", "genai-A25-py3.12"),
    _supported("368d2795-aaa7-59a0-834c-248c64a5a99e", "onnxruntime_opset_19", "onnxruntime_1.16"),
    _supported("d0b5361f-0810-554e-8d7b-874b5ff799b1", "onnxruntime_opset_21", "onnxruntime_1.17"),
    _supported("8c1a58c6-62b5-4dc4-987a-df751c2756b6", "hybrid_0.1", "wml-hybrid_0.1"),
    _supported("9b3f9040-9cee-4ead-8d7a-780600f542f7", "hybrid_0.2", "wml-hybrid_0.1"),
    _supported("d11f2434-4fc7-58b7-8a62-755da64fdaf8", "spark-mllib_3.3", "mllib_3.3"),
    _deprecated("336b29df-e0e1-5e7d-b6a5-f6ab722625b2", "runtime-23.1-py3.10", *_RT_23_1),
    _deprecated(
        "079a91e0-245f-5269-8926-3c20b28f37dc",
        "tensorflow_rt23.1-py3.10",
        "tensorflow_2.12",
        "tensorflow_rt23.1",
    ),
    _deprecated("b56101f1-309d-549b-a849-eaa63f77b2fb", "runtime-22.2-py3.10", *_RT_22_2),
    _retired("12b83a17-24d8-5082-900f-0ab31fbfd3cb", "runtime-22.1-py3.9", *_RT_22_1),
    _retired("26215f05-08c3-5a41-a1b0-da66306ce658", "runtime-22.1-py3.9-cuda", *_RT_22_1),
    _retired("acd9c798-6974-5d2f-a657-ce06e986df4d", "tensorflow_rt22.1-py3.9", *_TF_RT_22_1),
    _retired("dda170cc-ca67-5da7-9b7a-cf84c6987fae", "tensorflow_rt22.1-py3.9-horovod", *_TF_RT_22_1),
    _retired("ab9e1b80-f2ce-592c-a7d2-4f2344f77194", "default_py3.8", "tensorflow_2.4"),
    _retired("c2057dd4-f42c-5f77-a02f-72bdbd3282c9", "default_py3.7_opence", "tensorflow_2.4"),
    _retired("e4429883-c883-42b6-87a8-f419d64088cd", "default_py3.7", "tensorflow_2.1", "tensorflow_2.4"),
    _retired("fe185c44-9a99-5425-986b-59bd1d2eda46", "tensorflow_2.4-py3.8", "tensorflow_2.4"),
    _retired("65e171d7-72d1-55d9-8ebb-f813d620c9bb", "tensorflow_2.4-py3.7", "tensorflow_2.4"),
    _retired("c4032338-2a40-500a-beef-b01ab2667e27", "tensorflow_2.1-py3.7", "tensorflow_2.1"),
    _retired("160fcf8b-0f8e-4043-ba83-e3bf021ea4fa", "tensorflow_2.1-py3.6", "tensorflow_2.1"),
    _retired("2b73a275-7cbf-420b-a912-eae7f436e0bc", "tensorflow_1.15-py3.6", "tensorflow_1.15", "keras_2.2.5"),
    _retired("0062b8c9-8b7d-44a0-a9b9-46c416adcbd9", "default_py3.6"),
    _retired("0cdb0f1e-5376-4f4d-92dd-da3b69aa9bda", "ai-function_0.1-py3.6"),
)


@dataclass(frozen=True)
class Milestone:
    """One step in the life of a specification."""

    what: str
    """What happened or will; the date follows where there is one."""
    basis: str
    """How it is known, in the words of FIDELITY.md."""
    source: str
    removal: datetime.date | None = None
    """When it was to be removed; None where no day is told."""


_FRAMEWORKS_PAGE = "ibm.com/docs/en/DSXDOC/wsj/analyze-data/pm_service_supported_frameworks.html"
_LIFECYCLE_PAGE = "ibm.com/docs/SSQNUZ_4.8.x/wsj/analyze-data/ml-manage-frame-and-specs.html"
_STATE = "state of early 2025: what is older than the newest runtime is taken for deprecated"

MILESTONES: dict[str, Milestone] = {
    "runtime-24.1-py3.11": Milestone(
        "IBM Cloud has it in Dallas and London only, advises Runtime 25.1, for which no TensorFlow type is known, and "
        "planned its removal for",
        "from documentation",
        _FRAMEWORKS_PAGE,
        datetime.date(2026, 8, 20),
    ),
    "runtime-23.1-py3.10": Milestone("superseded by runtime-24.1-py3.11", "assumed", _STATE),
    "tensorflow_rt23.1-py3.10": Milestone("superseded by runtime-24.1-py3.11", "assumed", _STATE),
    "runtime-22.2-py3.10": Milestone(
        "deprecated since Cloud Pak for Data 4.8.4", "from documentation", _LIFECYCLE_PAGE
    ),
    "runtime-22.1-py3.9": Milestone(
        "refused by IBM Cloud; no new models since Cloud Pak for Data 4.8.0",
        "recorded by IBM",
        f"watsonx-ai-samples issue 31; {_LIFECYCLE_PAGE}",
    ),
    "tensorflow_1.15-py3.6": Milestone(
        "removed from IBM Cloud on",
        "recorded by IBM",
        "samples, export and import, 2020",
        datetime.date(2020, 12, 1),
    ),
}
"""By name, the last step that is known of a specification; none of most."""


def milestone(spec: SoftwareSpec) -> Milestone | None:
    """The last step in the life of a specification that is known; None for one that is just supported."""
    if spec.lifecycle is Lifecycle.SUPPORTED:
        return MILESTONES.get(spec.name)
    older = Milestone("older than runtime 22.2", "from documentation", _LIFECYCLE_PAGE)
    return MILESTONES.get(spec.name, older)
