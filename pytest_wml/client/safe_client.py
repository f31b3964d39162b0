"""IBM's own client, made safe: TLS stays verified, and what it changes around itself is put back."""

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

from pytest_wml.client import garbage, output
from pytest_wml.config import stopped_server
from pytest_wml.config.credentials import BadCredentials, Credentials
from pytest_wml.errors import BadOption, MissingExtra, WMLTestError
from pytest_wml.model.importing import importing

_WML, _WATSONX = "ibm_watson_machine_learning", "ibm_watsonx_ai"
_VERIFY = {"WML_CLIENT_VERIFY_REQUESTS": "True", "WX_CLIENT_VERIFY_REQUESTS": "True"}
_WRITTEN = (*_VERIFY, "WSD_PLATFORM", "DEPLOYMENT_PLATFORM", "DEPLOYMENT_PRIVATE")
_GLOBALS = (
    # Both clients keep the kind of the last service in their classes, so that the last client made wins for all.
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
"""What the clients overwrite in their own modules: module, class in it or none, attribute."""


_NO_INSTANCE = ("invalid", "not found", None)
"""What the two clients put in the place of an instance where a space of IBM Cloud has none."""


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
    return _named(package())


def loaded() -> str:
    """The one of IBM's clients that this process has loaded, by name and version; empty for none or both."""
    names = [name for name in (_WML, _WATSONX) if name in sys.modules]
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        if len(names) == 1:
            return _named(names[0])
    return ""


def _named(name: str) -> str:
    distribution = name.replace("_", "-")
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
        BadCredentials: the service refuses the credentials, or there is no such space for them.
    """
    name = package()
    with _environment(), contextlib.ExitStack() as put_back:
        if name not in sys.modules:
            with importing("IBM's client"), garbage.paused():
                _load(name)
        module = importlib.import_module(name)
        put_back.enter_context(_globals(name))
        # It silences urllib3's warnings for the whole process.
        with warnings.catch_warnings(), output.held():
            client = _construct(module, credentials)
        if name == _WATSONX:
            put_back.callback(client.httpx_client.close)
        if credentials.space_id:
            with output.held():
                _set_space(client, credentials)
        yield client


def _load(name: str) -> None:
    importlib.import_module(name)
    with _globals(name):  # loads what the package itself loads late
        pass


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    """TLS verified, and every variable that the clients write as it was, at the end."""
    before = {variable: os.environ.get(variable) for variable in _WRITTEN}
    for variable, verify in _VERIFY.items():
        os.environ.setdefault(variable, verify)
    try:
        yield
    finally:
        for variable, value in before.items():
            if value is None:
                os.environ.pop(variable, None)
            else:
                os.environ[variable] = value


@contextlib.contextmanager
def _globals(used: str) -> Iterator[None]:
    """The clients' own globals: verification is not given up inside, and everything is as it was at the end."""
    found = []
    for name, kind, attribute in _GLOBALS:
        # What is used loads some of its modules late; the other client may be there too, through the suite's own.
        owner: Any = importlib.import_module(name) if name.startswith(used) else sys.modules.get(name)
        owner = getattr(owner, kind, None) if kind else owner
        if owner is not None and hasattr(owner, attribute):
            found.append((owner, attribute, getattr(owner, attribute)))
            # A suite may have imported the client before: then it has read the variable, and found nothing.
            if attribute == "verify" and getattr(owner, attribute) is None:
                setattr(owner, attribute, "True" if name.startswith(_WML) else True)
    try:
        yield
    finally:
        for owner, attribute, value in found:
            setattr(owner, attribute, value)


def _construct(module: Any, credentials: Credentials) -> Any:
    try:
        return _constructed(module, credentials)
    except WMLTestError:
        raise
    except Exception as error:  # noqa: BLE001 - the client raises what it likes, also KeyError and AttributeError
        _check_authorities()
        # Not "from error": the client's frames hold the credentials, and pytest can show a frame's variables.
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise BadCredentials(
            "IBM's client refuses the credentials.",
            url=credentials.url,
            reason=reason,
            fix="check WML_URL (https://us-south.ml.cloud.ibm.com and the like for IBM Cloud) and the kind of key;\n"
            "Cloud Pak for Data needs WML_INSTANCE_ID=openshift, WML_VERSION and WML_USERNAME too",
        ) from None


def _check_authorities() -> None:
    """Say that the file of trusted authorities is lost, which no client can work with, in every mode.

    Raises:
        BadOption: it is.
    """
    lost = stopped_server.lost_authority(os.environ)
    if lost is not None:
        raise BadOption(lost.problem, fix=lost.fix) from None


def _set_space(client: Any, credentials: Credentials) -> None:
    try:
        client.set.default_space(credentials.space_id)
    except WMLTestError:
        raise
    except Exception as error:  # noqa: BLE001 - the classes differ between the clients
        _check_authorities()
        reason = " ".join(str(error).split())
        unknown = "does not exist" in reason
        raise BadCredentials(
            "The service has no such deployment space."
            if unknown
            else "The deployment space is closed to these credentials.",
            space=credentials.space_id,
            url=credentials.url,
            reason="" if unknown else reason[:500],
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
    """What the client found to compute for its default space."""
    if type(client).__module__.startswith(_WML):
        return client.wml_credentials.get("instance_id")
    return getattr(client.service_instance, "_instance_id", None)


def _constructed(module: Any, credentials: Credentials) -> Any:
    given = credentials.for_wml()
    if module.__name__ == _WML:
        return module.APIClient(given)
    known = {"apikey": "api_key"}
    return module.APIClient(
        module.Credentials(**{known.get(name, name): value for name, value in given.items()}, verify=True)
    )
