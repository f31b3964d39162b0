"""What a request is for, and whether it may be sent again."""

from __future__ import annotations

import pytest

from pytest_wml.wml.operations import asset_of, created_kind, names_assets, purpose, repeatable

ID = "22222222-2222-4222-8222-222222222222"


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ("POST /identity/token", "token"),
        ("POST /icp4d-api/v1/authorize", "token"),
        ("POST /api/2.0/apikeys/token", "token"),
        ("GET /v1/preauth/validateAuth", "token"),
        ("GET /v2/spaces", "look"),
        ("GET //ml/v4/deployments/", "look"),
        ("POST /ml/v4/models", "store"),
        ("POST /v2/spaces", "store"),
        (f"PUT /ml/v4/models/{ID}/content", "upload"),
        (f"PUT /ml/v4/functions/{ID}/code", "upload"),
        ("POST //ml/v4/deployments", "deploy"),
        (f"POST /ml/v4/deployments/{ID}/predictions", "score"),
        ("POST /ml/v4/deployment_jobs", "change"),
        (f"PATCH /ml/v4/deployments/{ID}", "change"),
        (f"DELETE /v2/assets/{ID}", "delete"),
    ],
)
def test_each_request_has_a_purpose(request_, why):
    """By its method and path, with the doubled slashes that IBM's clients send."""
    method, path = request_.split()
    assert purpose(method, path) == why


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/ml/v4/models", f"/ml/v4/deployments/{ID}", "/v2/spaces", "/ml/v4/deployment_jobs"])
def test_what_changes_something_is_sent_once(method, path):
    """It may have been done though nobody answered."""
    assert not repeatable(method, path)


def test_what_is_created_has_a_kind():
    """And an asset an id; lists, contents and scorings have none."""
    assert created_kind("POST", "//ml/v4/models") == "model"
    assert created_kind("GET", "/ml/v4/models") == ""
    assert asset_of(f"/v2/assets/{ID}") == ID
    assert asset_of(f"/ml/v4/models/{ID}/content") == ""
    assert names_assets(f"/ml/v4/models/{ID}/revisions")
    assert not names_assets(f"/ml/v4/models/{ID}/download")
    assert not names_assets(f"/ml/v4/deployments/{ID}/predictions")
