"""The marks in the names of a live run's resources: the run, and the time at which they expire."""

from __future__ import annotations

import datetime
import re
import secrets
from typing import NamedTuple

_TIME = "%Y%m%dT%H%MZ"
_MARK = re.compile(r"(?P<plain>.*)-pytest-wml-(?P<run>[0-9a-f]{8}|kept[0-9a-f]{12})-(?P<expires>\d{8}T\d{4}Z)", re.S)


class Mark(NamedTuple):
    """The end of a name: `fraud-pytest-wml-3fa91c02-20261126T1530Z`.

    Args:
        run: eight hexadecimal digits; `kept` and twelve digits for what is kept between runs.
        expires: UTC, to the minute.
    """

    run: str
    expires: datetime.datetime

    @property
    def suffix(self) -> str:
        """What is put behind a name."""
        return f"-pytest-wml-{self.run}-{self.expires:{_TIME}}"

    @property
    def kept(self) -> bool:
        """Whether it is of something that is kept between runs."""
        return self.run.startswith("kept")

    def expired(self, now: datetime.datetime) -> bool:
        """Whether nobody needs it any more."""
        return self.expires <= now


def now() -> datetime.datetime:
    """The time, in UTC."""
    return datetime.datetime.now(datetime.UTC)


def new_run() -> str:
    """A name for a run that no other one has."""
    return secrets.token_hex(4)


def marked(run: str, lifetime: datetime.timedelta) -> Mark:
    """A run's mark, which ends after its lifetime, rounded up to a minute."""
    end = now() + lifetime + datetime.timedelta(minutes=1) - datetime.timedelta.resolution
    return Mark(run, end.replace(second=0, microsecond=0))


def parted(name: str) -> tuple[str, Mark | None]:
    """A name without its mark, and the mark; None where it has none."""
    match = _MARK.fullmatch(name)
    if match is None:
        return name, None
    try:
        end = datetime.datetime.strptime(match["expires"], _TIME).replace(tzinfo=datetime.UTC)
    except ValueError:  # digits that are no date
        return name, None
    return match["plain"], Mark(match["run"], end)
