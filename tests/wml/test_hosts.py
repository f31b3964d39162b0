"""Which hosts are IBM's."""

from __future__ import annotations

import pytest

from pytest_wml.wml.hosts import Hosts, Role, is_loopback


@pytest.mark.parametrize(
    ("host", "role"),
    [
        ("iam.cloud.ibm.com", Role.IAM),
        ("IAM.cloud.ibm.com.", Role.IAM),
        ("us-south.ml.cloud.ibm.com", Role.ML),
        ("private.eu-de.ml.cloud.ibm.com:443", Role.ML),
        ("us-east-1.aws.wxai.ibm.com", Role.ML),
        ("api.dataplatform.cloud.ibm.com", Role.PLATFORM),
        ("api.eu-gb.dataplatform.cloud.ibm.com", Role.PLATFORM),
        ("private.api.jp-tok.dataplatform.cloud.ibm.com", Role.PLATFORM),
        ("api.ca-tor.dai.cloud.ibm.com", Role.PLATFORM),
        ("s3.us-south.cloud-object-storage.appdomain.cloud", Role.STORAGE),
        ("cpd.example.com", Role.CPD),
        ("cpd.example.com:8443", Role.CPD),
        ("ml.cloud.ibm.com.evil.example", None),
        ("evil-iam.cloud.ibm.com", None),
        ("cloud.ibm.com", None),
        ("example.com", None),
        ("[::1]:8080", None),
        ("", None),
    ],
)
def test_roles(host, role):
    """The whole name decides: neither a prefix nor a suffix makes a stranger IBM's."""
    assert Hosts.of(["cpd.example.com"]).role(host) is role


def test_a_port_can_be_part_of_a_cpd_host():
    """Two services on one machine: only the named port is taken over."""
    hosts = Hosts.of(["127.0.0.1:8443"])
    assert hosts.role("127.0.0.1", 8443) is Role.CPD
    assert hosts.role("127.0.0.1", 8444) is None


@pytest.mark.parametrize(
    ("host", "is_it"),
    [
        ("localhost", True),
        ("LocalHost.", True),
        ("cpd.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", True),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("", False),
    ],
)
def test_this_machine(host, is_it):
    """Its own names and addresses, and no name that merely begins like one."""
    assert is_loopback(host) is is_it
