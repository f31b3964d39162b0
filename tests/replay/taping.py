"""Exchanges to build cassettes of."""

from __future__ import annotations

import json
from typing import Any

from pytest_wml.replay.cassette.tape import ArchiveContent, WireExchange
from pytest_wml.wml.hosts import Role

ML = "eu-de.ml.cloud.ibm.com"
MODEL = ArchiveContent(
    archive="a" * 64, model="b" * 64, basis="model", size=400_000, signature="serving_default(x) -> y"
)


def exchange(
    method: str, path: str, answer: Any = None, *, body: Any = None, status: int = 200, query: str = ""
) -> WireExchange:
    """One exchange with the ML host; JSON values are dumped."""
    return WireExchange(
        method=method,
        role=Role.ML,
        host=ML,
        path=path,
        query=query,
        content_type="application/json",
        body=body if isinstance(body, ArchiveContent) else b"" if body is None else json.dumps(body).encode(),
        status=status,
        answer_type="application/json",
        answer=answer if isinstance(answer, ArchiveContent) else b"" if answer is None else json.dumps(answer).encode(),
    )


def lifecycle(model_id: str, deployment_id: str, created: str = "2026-01-02T03:04:05.678Z") -> list[WireExchange]:
    """A model stored, deployed, scored and deleted, with the ids and dates of one day."""
    model = {"metadata": {"id": model_id, "created_at": created, "owner": "IBMid-123"}, "entity": {"type": "t"}}

    def deployment(state: str) -> dict[str, Any]:
        url = f"https://{ML}/ml/v4/deployments/{deployment_id}/predictions"
        return {"metadata": {"id": deployment_id}, "entity": {"status": {"state": state, "online_url": {"url": url}}}}

    place = f"/ml/v4/deployments/{deployment_id}"
    return [
        exchange("POST", "/ml/v4/models", model, body={"name": "m"}, status=201),
        exchange("PUT", f"/ml/v4/models/{model_id}/content", {}, body=MODEL, status=201),
        exchange(
            "POST", "/ml/v4/deployments", deployment("initializing"), body={"asset": {"id": model_id}}, status=202
        ),
        exchange("GET", place, deployment("initializing")),
        exchange("GET", place, deployment("initializing")),
        exchange("GET", place, deployment("ready")),
        exchange("POST", f"{place}/predictions", {"predictions": [{"values": [5]}]}, body={"input_data": [1.5]}),
        exchange("DELETE", place, status=204),
        exchange("GET", place, {"errors": []}, status=404),
    ]
