"""Finds an existing deployment and identifies its model, without changing anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pytest_wml.client.deployment import CUSTOM_DIGEST, CUSTOM_SIGNATURE, DeploymentFailed
from pytest_wml.errors import BadArchive, WMLTestError
from pytest_wml.model.archive import ModelArchive, read_archive
from pytest_wml.model.signature import Signature
from pytest_wml.replay.bodies import as_content
from pytest_wml.replay.cassette.tape import ArchiveContent

LARGEST = 4 << 30
"""Largest model in bytes that is downloaded to compute its digest."""

_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DIGEST = re.compile(r"(model|archive):([0-9a-f]{64})")
_BLOCK = 1 << 20
_LONGEST_REASON = 2000


class ServedModel(NamedTuple):
    """The model of a deployment, as far as it is known.

    Args:
        content: digests and signature of the model; None if they are unknown.
        archive: the model itself, if it was downloaded.
        source: source of the digest, or the reason why there is none.
    """

    content: ArchiveContent | None
    archive: ModelArchive | None
    source: str

    def __str__(self) -> str:
        if self.content is None:
            return f"model unknown: {self.source}"
        return f"model {self.content.model[:16]} ({self.source})"


def unknown_archive(content: ArchiveContent | None = None) -> ModelArchive:
    """A placeholder for an archive that is not available."""
    return ModelArchive(
        path=Path("no archive of this model is available"),
        size=content.size if content else 0,
        archive_digest=content.archive if content else "",
        model_digest=content.model if content else "",
        basis="model" if content and content.basis == "model" else "archive",
        signature=Signature.from_text(content.signature) if content else None,
        signatures=(),
        members=(),
        kind="other",
        note="the deployment existed before, and its model is not available",
    )


def find(client: Any, wanted: str) -> dict[str, Any]:
    """Return the details of a deployment.

    Args:
        client: IBM's `APIClient` with its default space set.
        wanted: id or serving name of the deployment.

    Raises:
        DeploymentFailed: the space has no such deployment, or the service refuses the request.
    """
    try:
        if _ID.fullmatch(wanted):
            candidates = [client.deployments.get_details(wanted)]
        else:
            candidates = client.deployments.get_details(serving_name=wanted, get_all=True)["resources"]
    except WMLTestError:
        raise
    except Exception as error:  # the error classes differ between the clients' releases
        raise _not_found(wanted, _reason(error)) from error
    for details in candidates:
        if wanted in (details["metadata"]["id"], _serving_name(details["entity"])):
            return dict(details)
    raise _not_found(wanted)


def _serving_name(entity: Mapping[str, Any]) -> str:
    return str(((entity.get("online") or {}).get("parameters") or {}).get("serving_name", ""))


def _not_found(wanted: str, reason: str = "") -> DeploymentFailed:
    return DeploymentFailed(
        f"The space has no deployment with the id or serving name {wanted!r}.",
        reason=reason,
        fix="check --wml-deployment (or wml_deployments) and the space of the credentials",
    )


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__


def served(client: Any, details: Mapping[str, Any], target: Path | None) -> ServedModel:
    """Identify the model of a deployment: by the model's custom property, else by a download.

    Args:
        client: IBM's `APIClient`.
        details: details of the deployment.
        target: path for the downloaded model; None downloads nothing.
    """
    asset = details["entity"].get("asset") or {}
    if details["entity"].get("deployed_asset_type", "model") != "model" or not asset.get("id"):
        return ServedModel(None, None, "the deployment does not serve a stored model")
    try:
        model = client.repository.get_model_details(asset["id"])
        content = stored(model["entity"].get("custom"))
        if content is not None:
            return ServedModel(content, None, f"by the property {CUSTOM_DIGEST} of the stored model")
        if target is None:
            return ServedModel(None, None, "the recording does not name the model")
        _download(client, details, asset, target)
        archive = read_archive(target)
    except (WMLTestError, OSError) as error:
        return ServedModel(None, None, _reason(error))
    except Exception as error:  # noqa: BLE001 - as in find()
        return ServedModel(None, None, f"the model cannot be read: {_reason(error)}")
    return ServedModel(as_content(archive), archive, "by its download")


def stored(custom: Any) -> ArchiveContent | None:
    """The digest that `create` stored with the model; None if there is none or it is unreadable."""
    custom = custom if isinstance(custom, dict) else {}
    match = _DIGEST.fullmatch(str(custom.get(CUSTOM_DIGEST, "")))
    if match is None:
        return None
    basis, digest = match.groups()
    signature = Signature.from_text(str(custom.get(CUSTOM_SIGNATURE, "")))
    return ArchiveContent(digest if basis == "archive" else "", digest, basis, 0, str(signature or ""))


def _download(client: Any, details: Mapping[str, Any], asset: Mapping[str, str], target: Path) -> None:
    """Stream the model's content to a file; IBM's clients keep all of it in memory.

    Raises:
        BadArchive: the service refuses, or the content is too large.
    """
    import urllib3

    host = client.deployments.get_scoring_href(details).partition("/ml/v4/")[0]
    query = {"version": "2021-06-21", "space_id": details["metadata"]["space_id"], "content_format": "native"}
    if asset.get("rev"):
        query["rev"] = str(asset["rev"])
    # The older client has only `wml_token`, which is deprecated in the newer one.
    token = getattr(client, "token", None) or client.wml_token
    headers = {"Authorization": f"Bearer {token}"}
    with urllib3.PoolManager(retries=False) as http, target.open("wb") as file:
        url = f"{host}/ml/v4/models/{asset['id']}/download"
        answer = http.request("GET", url, fields=query, headers=headers, preload_content=False)
        try:
            if answer.status != 200:
                raise BadArchive(f"the download of the model was refused ({answer.status})")
            for block in answer.stream(_BLOCK):
                file.write(block)
                if file.tell() > LARGEST:
                    raise BadArchive(f"the model is larger than {LARGEST:,} bytes")
        finally:
            answer.close()
