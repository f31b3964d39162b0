"""What the service's answers mean for a live run; pure."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from pytest_wml.config.credentials.checks import expiry
from pytest_wml.config.credentials.value import Credentials
from pytest_wml.tools.doctor.asking import Answer
from pytest_wml.tools.doctor.lines import Line, failed, passed, warned

_SKEW, _WORST_SKEW = 60.0, 300.0
"""Seconds: tokens live for an hour, and a client takes a new one a quarter of an hour before the end."""
_MUCH_USED = 0.8
_SHORT = 900.0
"""Seconds: IBM's client renews a token that lives no longer."""


def clock(answer: Answer) -> Iterator[Line]:
    """Yield what is to be said of this machine's clock; nothing where the service does not tell the time."""
    if answer.skew is None:
        return
    seconds = abs(answer.skew)
    if seconds < _SKEW:
        yield passed("clock", "agrees with the service's within a minute")
        return
    side = "ahead of" if answer.skew > 0 else "behind"
    found = f"{seconds:.0f} s {side} the service's; tokens seem to end at other times than they do"
    judged = failed if seconds >= _WORST_SKEW else warned
    yield judged("clock", found, "set this machine's clock, for instance by NTP")


def service(answer: Answer) -> Iterator[Line]:
    """Yield that this is not IBM's service, where it says so itself."""
    if answer.embedded:
        yield passed("service", "an embedded one, as pytest-wml serve runs it; nothing here is IBM's")


def token_in(answer: Answer) -> str:
    """The token in an answer; empty for none."""
    found = answer.get("access_token") or answer.get("token") if answer.status == 200 else None
    return found if isinstance(found, str) else ""


def token(answer: Answer, given: Credentials, cloud: bool) -> Line:
    """Whether a token can be got."""
    got = token_in(answer)
    if got:
        return _life(got, "a token can be got")
    if answer.status == 0:
        return failed("token", answer.problem, "check the lines above")
    if answer.status == 200:
        return failed("token", "the answer holds no token", "check that WML_URL is the service's own")
    if answer.status == 429 or answer.status >= 500:
        return failed("token", f"none now: {answer.reason}", "try again later; see cloud.ibm.com/status")
    if cloud:
        fix = "the API key is unknown or locked: IBM Cloud console → Manage → Access (IAM) → API keys"
    elif given.apikey:
        fix = "check WML_USERNAME, and that WML_APIKEY is this user's key: profile → API key"
    else:
        fix = "check WML_USERNAME and WML_PASSWORD"
    return failed("token", f"refused: {answer.reason}", fix)


def given_token(text: str) -> Line:
    """What a token that was given is good for, as far as it says so itself."""
    return _life(text, "given as it is, and not renewed")


def _life(text: str, how: str) -> Line:
    ends = expiry(text)
    if ends is None:
        return passed("token", f"{how}; it does not say when it ends")
    left = ends - time.time()
    if left <= 0:
        return failed("token", f"{how}; it ended {-left / 60:.0f} min ago", "check the clock, or make a new token")
    found = f"{how}; it ends in {left / 60:.0f} min"
    return warned("token", found, "make a new one for a long run") if left < _SHORT else passed("token", found)


def space(answer: Answer, given: Credentials, cloud: bool) -> Iterator[Line]:
    """Yield whether the space is there, and whether anything computes for it."""
    check, where = "space", f"{given.space_id} at {given.url}"
    if answer.status == 404:
        fix = "check WML_SPACE_ID, and that WML_URL names the region in which the space is"
        yield failed(check, f"there is no {where}", fix)
    elif answer.status == 401:
        fix = "make a new token; the key must be of this service" if given.token else "check the clock and the key"
        yield failed(check, f"the token is refused: {answer.reason}", fix)
    elif answer.status == 403:
        yield failed(check, f"closed to this user: {answer.reason}", "let an administrator add you to the space")
    elif answer.status != 200:
        yield failed(check, f"not told: {answer.reason}", "try again later; check the lines above")
    else:
        yield passed(check, f"{answer.get('entity', 'name') or 'without a name'}, {where}")
        yield from _compute(answer, cloud)


def _compute(answer: Answer, cloud: bool) -> Iterator[Line]:
    if not cloud:
        return
    if not instance_of(answer):
        fix = "associate one: Deployments → your space → Manage → Services & integrations"
        yield failed("instance", "no instance of Watson Machine Learning is associated with the space", fix)


def instance_of(answer: Answer) -> str:
    """The id of the instance that computes for a space; empty for none."""
    found = answer.get("entity", "compute", 0, "guid")
    return found if isinstance(found, str) else ""


def instance(answer: Answer) -> Iterator[Line]:
    """Yield the plan, and what of it is used."""
    if answer.status != 200:
        fix = "the instance may have been deleted, or its plan may have ended: cloud.ibm.com/resources"
        yield failed("instance", f"not told: {answer.reason}", fix)
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
        yield failed("plan limits", found, "wait for the next month, or take a larger plan")
    elif used >= _MUCH_USED * limit:
        yield warned("plan limits", found, "keep the run small, or take a larger plan")
    else:
        yield passed("plan limits", found)


def specification(answer: Answer, name: str) -> Line:
    """Whether the service has a software specification, and for how long yet."""
    check = f"software specification {name}, at the service"
    if answer.status != 200:
        return failed(check, f"not told: {answer.reason}", "try again later; check the lines above")
    found = [each for each in answer.get("resources") or () if isinstance(each, dict)]
    metadata = next((each.get("metadata") for each in found if _named(each) == name), None)
    if not isinstance(metadata, dict):
        fix = "set wml_software_spec to one of client.software_specifications.list()"
        return failed(check, "there is none of this name", fix)
    cycle = metadata.get("life_cycle")
    if not isinstance(cycle, dict):
        return passed(check, "supported")
    instead = cycle.get("replacement_name")
    fix = f"move to {instead}" if instead else "see client.software_specifications.list()"
    for state in ("retired", "removed", "discontinued", "constricted"):
        if cycle.get(state):
            return failed(check, f"{state}: no new model is stored with it", fix)
    return warned(check, "deprecated", fix) if cycle.get("deprecated") else passed(check, "supported")


def _named(resource: dict[str, Any]) -> Any:
    metadata = resource.get("metadata")
    return metadata.get("name") if isinstance(metadata, dict) else None
