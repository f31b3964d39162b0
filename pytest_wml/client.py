"""IBM's own client, made safe: TLS stays verified, and what it changes around itself is put back."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import os
from collections.abc import Iterator
from typing import Any

from pytest_wml.credentials import Credentials
from pytest_wml.errors import MissingExtra

_WML, _WATSONX = "ibm_watson_machine_learning", "ibm_watsonx_ai"
_VERIFY = {"WML_CLIENT_VERIFY_REQUESTS": "True", "WX_CLIENT_VERIFY_REQUESTS": "True"}
_WRITTEN = (*_VERIFY, "WSD_PLATFORM", "DEPLOYMENT_PLATFORM", "DEPLOYMENT_PRIVATE")


def package() -> str:
    """The client that is installed: ibm_watson_machine_learning, else its successor ibm_watsonx_ai.

    Raises:
        MissingExtra: neither is.
    """
    for name in (_WML, _WATSONX):
        if importlib.util.find_spec(name) is not None:
            return name
    raise MissingExtra(
        "IBM's client is not installed.",
        looked_for="ibm-watson-machine-learning, ibm-watsonx-ai",
        fix='pip install "pytest-wml[wml]" (Python up to 3.12) or pip install "pytest-wml[watsonx]"',
    )


def version() -> str:
    """Name and version of IBM's client, as recordings name it."""
    distribution = package().replace("_", "-")
    return f"{distribution} {importlib.metadata.version(distribution)}"


@contextlib.contextmanager
def safe_client(credentials: Credentials) -> Iterator[Any]:
    """IBM's `APIClient` with its default space set.

    The client switches TLS verification off for the whole process after any error of the network, unless a
    variable is set before its import; that variable is set here. The environment and the class attributes
    that it writes are put back at the end.

    Args:
        credentials: where to go; its `space_id` becomes the default space.

    Raises:
        MissingExtra: no client of IBM's is installed.
    """
    name = package()
    before = {variable: os.environ.get(variable) for variable in _WRITTEN}
    for variable, verify in _VERIFY.items():
        os.environ.setdefault(variable, verify)
    attributes: list[tuple[Any, str, Any]] = []
    try:
        module = importlib.import_module(name)
        attributes = list(_class_attributes(name))
        client = _construct(module, credentials)
        if credentials.space_id:
            client.set.default_space(credentials.space_id)
        yield client
    finally:
        for owner, attribute, value in attributes:
            setattr(owner, attribute, value)
        for variable, value in before.items():
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = value


def _construct(module: Any, credentials: Credentials) -> Any:
    given = credentials.for_wml()
    if module.__name__ == _WML:
        return module.APIClient(given)
    known = {"apikey": "api_key"}
    return module.APIClient(
        module.Credentials(**{known.get(name, name): value for name, value in given.items()}, verify=True)
    )


def _class_attributes(name: str) -> Iterator[tuple[Any, str, Any]]:
    """The class attributes that a client overwrites, so that the last client made wins for all of them."""
    for module, owner in (("deployments", "Deployments"), ("repository", "Repository")):
        kind = getattr(importlib.import_module(f"{name}.{module}"), owner, None)
        for attribute in ("cloud_platform_spaces", "icp_platform_spaces"):
            if kind is not None and hasattr(kind, attribute):
                yield kind, attribute, getattr(kind, attribute)
