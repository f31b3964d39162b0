"""Creates IBM's client with verified TLS, and restores the global state that the client changes."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from pytest_wml.client import captured_output, garbage
from pytest_wml.config import stopped_server
from pytest_wml.config.credentials import BadCredentials, Credentials
from pytest_wml.errors import BadOption, MissingExtra, WMLTestError
from pytest_wml.model.frameworks import importing

_WML, _WATSONX = "ibm_watson_machine_learning", "ibm_watsonx_ai"
_VERIFY_VARIABLES = {"WML_CLIENT_VERIFY_REQUESTS": "True", "WX_CLIENT_VERIFY_REQUESTS": "True"}
_CHANGED_VARIABLES = (*_VERIFY_VARIABLES, "WSD_PLATFORM", "DEPLOYMENT_PLATFORM", "DEPLOYMENT_PRIVATE")
_GLOBALS = (
    # Both clients keep the platform in class attributes, so that the latest client determines it for all clients.
    *(
        (f"{package}.{module}", kind, attribute)
        for package in (_WML, _WATSONX)
        for module, kind in (("deployments", "Deployments"), ("repository", "Repository"), ("factsheets", "Factsheets"))
        for attribute in ("cloud_platform_spaces", "icp_platform_spaces")
    ),
    (f"{_WML}._wrappers.requests", "", "verify"),
    (f"{_WATSONX}._wrappers.httpx.global_httpx_settings", "GlobalHttpxSettings", "verify"),
    (f"{_WATSONX}._wrappers.httpx.global_httpx_settings", "GlobalHttpxSettings", "proxies"),
)
"""Global state that the clients overwrite: module, class or empty, attribute."""


_NO_INSTANCE = ("invalid", "not found", None)
"""Values of the two clients for a space of IBM Cloud without an instance."""


def package() -> str:
    """Return the installed client: ibm_watson_machine_learning, else its successor ibm_watsonx_ai.

    Raises:
        MissingExtra: neither is installed.
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
    """Name and version of the installed client, in the format of recordings."""
    return _name_and_version(package())


def loaded() -> str:
    """Name and version of the client that this process has imported; empty for none or both."""
    names = [name for name in (_WML, _WATSONX) if name in sys.modules]
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        if len(names) == 1:
            return _name_and_version(names[0])
    return ""


def _name_and_version(name: str) -> str:
    distribution = name.replace("_", "-")
    return f"{distribution} {importlib.metadata.version(distribution)}"


@contextlib.contextmanager
def safe_client(credentials: Credentials) -> Iterator[Any]:
    """IBM's `APIClient` with its default space set.

    The client disables TLS verification for the whole process after a network error, unless a variable is set before
    its import. That variable is set here. The environment variables and class attributes that the client changes are
    restored at the end.

    Args:
        credentials: credentials of the service; `space_id` becomes the default space.

    Raises:
        MissingExtra: no client of IBM is installed.
        BadCredentials: the service refuses the credentials, or they do not give access to the space.
    """
    name = package()
    with _environment(), contextlib.ExitStack() as cleanup:
        if name not in sys.modules:
            with importing("IBM's client"), garbage.paused():
                _load(name)
        module = importlib.import_module(name)
        cleanup.enter_context(_globals(name))
        # The client silences urllib3's warnings for the whole process.
        with warnings.catch_warnings(), captured_output.capture():
            client = _construct(module, credentials)
        if name == _WATSONX:
            cleanup.callback(client.httpx_client.close)
        if credentials.space_id:
            with captured_output.capture():
                _set_space(client, credentials)
        yield client


def _load(name: str) -> None:
    importlib.import_module(name)
    with _globals(name):  # imports modules that the package imports later
        pass


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """Set the variables for verified TLS, and restore all variables that the clients change at the end."""
    original = {variable: os.environ.get(variable) for variable in _CHANGED_VARIABLES}
    for variable, verify in _VERIFY_VARIABLES.items():
        os.environ.setdefault(variable, verify)
    try:
        yield
    finally:
        for variable, value in original.items():
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = value


@contextlib.contextmanager
def _globals(used: str) -> Iterator[None]:
    """Keep TLS verification on in the clients' globals, and restore the globals at the end."""
    saved = []
    for name, kind, attribute in _GLOBALS:
        # The used client imports some modules late; the other client may have been imported by the user's tests.
        owner: Any = importlib.import_module(name) if name.startswith(used) else sys.modules.get(name)
        owner = getattr(owner, kind, None) if kind else owner
        if owner is not None and hasattr(owner, attribute):
            saved.append((owner, attribute, getattr(owner, attribute)))
            # If the user's tests imported the client before, it did not see the variable.
            if attribute == "verify" and getattr(owner, attribute) is None:
                setattr(owner, attribute, "True" if name.startswith(_WML) else True)
    try:
        yield
    finally:
        for owner, attribute, value in saved:
            setattr(owner, attribute, value)


def _construct(module: Any, credentials: Credentials) -> Any:
    try:
        return _new_client(module, credentials)
    except WMLTestError:
        raise
    except Exception as error:  # noqa: BLE001 - the client raises many classes, also KeyError and AttributeError
        _check_authorities()
        # Not "from error": the client's frames contain the credentials, and pytest can show local variables.
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise BadCredentials(
            "IBM's client refuses the credentials.",
            url=credentials.url,
            reason=reason,
            fix="check WML_URL (https://us-south.ml.cloud.ibm.com and the like for IBM Cloud) and the kind of key;\n"
            "Cloud Pak for Data needs WML_INSTANCE_ID=openshift, WML_VERSION and WML_USERNAME too",
        ) from None


def _check_authorities() -> None:
    """Check that the file of trusted certificate authorities exists; without it clients fail in every mode.

    Raises:
        BadOption: the file of a stopped `pytest-wml serve` is missing.
    """
    missing = stopped_server.lost_authority(os.environ)
    if missing is not None:
        raise BadOption(missing.problem, fix=missing.fix) from None


def _set_space(client: Any, credentials: Credentials) -> None:
    try:
        client.set.default_space(credentials.space_id)
    except WMLTestError:
        raise
    except Exception as error:  # noqa: BLE001 - the classes differ between the clients
        _check_authorities()
        reason = " ".join(str(error).split())
        not_found = "does not exist" in reason
        raise BadCredentials(
            "The service has no such deployment space."
            if not_found
            else "The deployment space is closed to these credentials.",
            space=credentials.space_id,
            url=credentials.url,
            reason="" if not_found else reason[:500],
            fix="check WML_SPACE_ID, and that WML_URL names the region in which the space is;\n"
            "the key must be of an account, and of a user, that may use the space",
        ) from None
    if client.CLOUD_PLATFORM_SPACES and _instance(client) in _NO_INSTANCE:
        raise BadCredentials(
            "No instance of Watson Machine Learning is associated with the deployment space.",
            space=credentials.space_id,
            url=credentials.url,
            fix="associate one: Deployments → your space → Manage → Services & integrations",
        )


def _instance(client: Any) -> Any:
    """The instance that the client found for its default space."""
    if type(client).__module__.startswith(_WML):
        return client.wml_credentials.get("instance_id")
    return getattr(client.service_instance, "_instance_id", None)


def _new_client(module: Any, credentials: Credentials) -> Any:
    values = credentials.for_wml()
    if module.__name__ == _WML:
        return module.APIClient(values)
    renamed = {"apikey": "api_key"}
    return module.APIClient(
        module.Credentials(**{renamed.get(name, name): value for name, value in values.items()}, verify=True)
    )
