"""Evaluates the service's answers for a live run; pure functions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from pytest_wml.config.credentials.checks import expiry
from pytest_wml.config.credentials.value import Credentials
from pytest_wml.tools.doctor.lines import Line, failed, passed, warned
from pytest_wml.tools.doctor.service_client import ServiceAnswer

_SKEW, _WORST_SKEW = 60.0, 300.0
"""Seconds; tokens are valid for an hour, and clients renew them 15 minutes before they expire."""
_MUCH_USED = 0.8
_SHORT = 900.0
"""Seconds; IBM's client renews a token with less remaining time."""


def clock(answer: ServiceAnswer) -> Iterator[Line]:
    """Yield the check of this machine's clock; nothing if the service sends no date."""
    if answer.skew is None:
        return
    seconds = abs(answer.skew)
    if seconds < _SKEW:
        yield passed("clock", "differs from the service's clock by less than a minute")
        return
    side = "ahead of" if answer.skew > 0 else "behind"
    found = f"{seconds:.0f} s {side} the service's; tokens seem to expire at other times than they do"
    line = failed if seconds >= _WORST_SKEW else warned
    yield line("clock", found, "set this machine's clock, for instance by NTP")


def service(answer: ServiceAnswer) -> Iterator[Line]:
    """Yield a line if the service identifies itself as an embedded one."""
    if answer.embedded:
        yield passed("service", "an embedded service of pytest-wml serve, not IBM's service")


def token_in(answer: ServiceAnswer) -> str:
    """The token in an answer; empty if there is none."""
    found = answer.get("access_token") or answer.get("token") if answer.status == 200 else None
    return found if isinstance(found, str) else ""


def token(answer: ServiceAnswer, given: Credentials, cloud: bool) -> Line:
    """Check whether the service issues a token."""
    got = token_in(answer)
    if got:
        return _validity(got, "the service issues a token")
    if answer.status == 0:
        return failed("token", answer.problem, "check the lines above")
    if answer.status == 200:
        return failed("token", "the answer contains no token", "check that WML_URL is the URL of the service")
    if answer.status == 429 or answer.status >= 500:
        return failed(
            "token", f"not available at present: {answer.reason}", "try again later; see cloud.ibm.com/status"
        )
    if cloud:
        fix = "the API key is unknown or locked: IBM Cloud console → Manage → Access (IAM) → API keys"
    elif given.apikey:
        fix = "check WML_USERNAME, and that WML_APIKEY is this user's key: profile → API key"
    else:
        fix = "check WML_USERNAME and WML_PASSWORD"
    return failed("token", f"refused: {answer.reason}", fix)


def given_token(text: str) -> Line:
    """Check the remaining validity of a given token."""
    return _validity(text, "given directly, so it is not renewed")


def _validity(text: str, description: str) -> Line:
    expires = expiry(text)
    if expires is None:
        return passed("token", f"{description}; its expiry time is unknown")
    left = expires - time.time()
    if left <= 0:
        return failed(
            "token", f"{description}; it expired {-left / 60:.0f} min ago", "check the clock, or create a new token"
        )
    found = f"{description}; it expires in {left / 60:.0f} min"
    return warned("token", found, "create a new token for a long run") if left < _SHORT else passed("token", found)


def space(answer: ServiceAnswer, given: Credentials, cloud: bool) -> Iterator[Line]:
    """Yield the checks of the space and of its service instance."""
    check, where = "space", f"{given.space_id} at {given.url}"
    if answer.status == 404:
        fix = "check WML_SPACE_ID, and that WML_URL names the region in which the space is"
        yield failed(check, f"does not exist: {where}", fix)
    elif answer.status == 401:
        fix = "create a new token; the key must be for this service" if given.token else "check the clock and the key"
        yield failed(check, f"the token is refused: {answer.reason}", fix)
    elif answer.status == 403:
        yield failed(
            check, f"access denied for this user: {answer.reason}", "ask an administrator to add you to the space"
        )
    elif answer.status != 200:
        yield failed(check, f"cannot be read: {answer.reason}", "try again later; check the lines above")
    else:
        yield passed(check, f"{answer.get('entity', 'name') or 'without a name'}, {where}")
        yield from _compute(answer, cloud)


def _compute(answer: ServiceAnswer, cloud: bool) -> Iterator[Line]:
    if not cloud:
        return
    if not instance_of(answer):
        fix = "associate one: Deployments → your space → Manage → Services & integrations"
        yield failed("instance", "no instance of Watson Machine Learning is associated with the space", fix)


def instance_of(answer: ServiceAnswer) -> str:
    """The id of a space's service instance; empty if there is none."""
    found = answer.get("entity", "compute", 0, "guid")
    return found if isinstance(found, str) else ""


def instance(answer: ServiceAnswer) -> Iterator[Line]:
    """Yield the plan and its usage."""
    if answer.status != 200:
        fix = "the instance may be deleted, or its plan may have expired: cloud.ibm.com/resources"
        yield failed("instance", f"cannot be read: {answer.reason}", fix)
        return
    plan = answer.get("entity", "plan", "name") or "unknown"
    state = answer.get("entity", "status")
    if isinstance(state, str) and state.lower() not in ("active", ""):
        yield failed("instance", f"plan {plan}, which is {state}", "see the instance in cloud.ibm.com/resources")
    else:
        yield passed("instance", f"plan {plan}")
    hours = answer.get("entity", "consumption", "capacity_unit_hours")
    if isinstance(hours, dict):
        yield from _hours(hours.get("current"), hours.get("limit"))


def _hours(used: Any, limit: Any) -> Iterator[Line]:
    if not isinstance(used, (int, float)):
        return
    if not isinstance(limit, (int, float)) or limit <= 0:
        yield passed("plan limits", f"{used:g} capacity unit hours used, without a limit")
        return
    found = f"{used:g} of {limit:g} capacity unit hours used"
    if used >= limit:
        yield failed("plan limits", found, "wait for the next month, or choose a larger plan")
    elif used >= _MUCH_USED * limit:
        yield warned("plan limits", found, "keep the run small, or choose a larger plan")
    else:
        yield passed("plan limits", found)


def specification(answer: ServiceAnswer, name: str) -> Line:
    """Check whether the service has a software specification, and its life cycle."""
    check = f"software specification {name}, at the service"
    if answer.status != 200:
        return failed(check, f"cannot be read: {answer.reason}", "try again later; check the lines above")
    found = [each for each in answer.get("resources") or () if isinstance(each, dict)]
    metadata = next((each.get("metadata") for each in found if _name(each) == name), None)
    if not isinstance(metadata, dict):
        fix = "set wml_software_spec to one of client.software_specifications.list()"
        return failed(check, "it does not exist", fix)
    cycle = metadata.get("life_cycle")
    if not isinstance(cycle, dict):
        return passed(check, "supported")
    instead = cycle.get("replacement_name")
    fix = f"change to {instead}" if instead else "see client.software_specifications.list()"
    for state in ("retired", "removed", "discontinued", "constricted"):
        if cycle.get(state):
            return failed(check, f"{state}: new models cannot be stored with it", fix)
    return warned(check, "deprecated", fix) if cycle.get("deprecated") else passed(check, "supported")


def _name(resource: dict[str, Any]) -> Any:
    metadata = resource.get("metadata")
    return metadata.get("name") if isinstance(metadata, dict) else None
