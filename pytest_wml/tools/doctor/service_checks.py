"""Runs the checks that need the service, in the order of their dependencies."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator

from pytest_wml.config.credentials import Credentials
from pytest_wml.redaction.known import Secrets
from pytest_wml.tools.doctor import answer_checks, connection
from pytest_wml.tools.doctor.endpoints import endpoints
from pytest_wml.tools.doctor.lines import Line, Verdict
from pytest_wml.tools.doctor.service_client import ServiceAnswer, ServiceClient


def lines(
    given: Credentials,
    specifications: Iterable[str],
    trust: tuple[ssl.SSLContext, str],
    seconds: float,
    secrets: Secrets,
) -> Iterator[Line]:
    """Yield the checks that need the service; checks that depend on a failed one are left out.

    Args:
        specifications: names of the software specifications of the suite's models.
        trust: trusted certificates, and a description of their source.
        seconds: time limit of one step.
        secrets: receives the secrets that occur during the checks.
    """
    service = ServiceClient(endpoints(given.url), trust[0], seconds)
    reached = True
    for host in service.endpoints.hosts:
        route = service.route(host)
        if route.proxy:
            secrets.add(route.proxy.secret, *route.proxy.secret.split(":"))
        for line in connection.lines(route, trust[1]):
            reached &= line.verdict is not Verdict.FAIL
            yield line
    if not reached:
        return
    yield from _logged_in(service, given, secrets)
    if service.logged_in:
        yield from _space(service, given, specifications)


def _logged_in(service: ServiceClient, given: Credentials, secrets: Secrets) -> Iterator[Line]:
    if given.token and not given.apikey and not given.password:
        service.log_in(given.token)
        yield answer_checks.given_token(given.token)
        return
    answer = service.token(given)
    got = answer_checks.token_in(answer)
    if got:
        secrets.add(got, *got.split("."))
        service.log_in(got)
    yield from answer_checks.service(answer)
    yield from answer_checks.clock(answer)
    yield answer_checks.token(answer, given, service.endpoints.cloud)


def _space(service: ServiceClient, given: Credentials, specifications: Iterable[str]) -> Iterator[Line]:
    space_id = ""
    if given.space_id:
        answer = service.space(given.space_id)
        if given.token:
            yield from answer_checks.service(answer)
            yield from answer_checks.clock(answer)
        yield from answer_checks.space(answer, given, service.endpoints.cloud)
        space_id = given.space_id if answer.status == 200 else ""
        yield from _plan(service, answer, space_id)
    for name in dict.fromkeys(specifications):
        yield answer_checks.specification(service.specification(name, space_id), name)


def _plan(service: ServiceClient, space: ServiceAnswer, space_id: str) -> Iterator[Line]:
    instance_id = answer_checks.instance_of(space)
    if service.endpoints.cloud and instance_id:
        yield from answer_checks.instance(service.instance(instance_id, space_id))
