"""The way to the service and what it says, in the order in which one thing needs the other."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator

from pytest_wml.config.credentials import Credentials
from pytest_wml.redaction.known import Secrets
from pytest_wml.tools.doctor import judging, reaching
from pytest_wml.tools.doctor.asking import Answer, Service
from pytest_wml.tools.doctor.lines import Line, Verdict
from pytest_wml.tools.doctor.places import places


def lines(
    given: Credentials,
    specifications: Iterable[str],
    trust: tuple[ssl.SSLContext, str],
    seconds: float,
    secrets: Secrets,
) -> Iterator[Line]:
    """Yield the checks that need the service; those that a failed one makes pointless are left out.

    Args:
        specifications: names of the software specifications that the suite's models need.
        trust: which certificates are believed, and what says so.
        seconds: the longest that one step may take.
        secrets: learns those that come up on the way.
    """
    service = Service(places(given.url), trust[0], seconds)
    reached = True
    for place in service.places.hosts:
        way = service.way(place)
        if way.proxy:
            secrets.add(way.proxy.secret, *way.proxy.secret.split(":"))
        for line in reaching.lines(way, trust[1]):
            reached &= line.verdict is not Verdict.FAIL
            yield line
    if not reached:
        return
    yield from _logged_in(service, given, secrets)
    if service.logged_in:
        yield from _of_the_space(service, given, specifications)


def _logged_in(service: Service, given: Credentials, secrets: Secrets) -> Iterator[Line]:
    if given.token and not given.apikey and not given.password:
        service.log_in(given.token)
        yield judging.given_token(given.token)
        return
    answer = service.token(given)
    got = judging.token_in(answer)
    if got:
        secrets.add(got, *got.split("."))
        service.log_in(got)
    yield from judging.service(answer)
    yield from judging.clock(answer)
    yield judging.token(answer, given, service.places.cloud)


def _of_the_space(service: Service, given: Credentials, specifications: Iterable[str]) -> Iterator[Line]:
    space_id = ""
    if given.space_id:
        answer = service.space(given.space_id)
        if given.token:
            yield from judging.service(answer)
            yield from judging.clock(answer)
        yield from judging.space(answer, given, service.places.cloud)
        space_id = given.space_id if answer.status == 200 else ""
        yield from _plan(service, answer, space_id)
    for name in dict.fromkeys(specifications):
        yield judging.specification(service.specification(name, space_id), name)


def _plan(service: Service, space: Answer, space_id: str) -> Iterator[Line]:
    instance_id = judging.instance_of(space)
    if service.places.cloud and instance_id:
        yield from judging.instance(service.instance(instance_id, space_id))
