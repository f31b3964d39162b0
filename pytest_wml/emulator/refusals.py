"""What the service refuses, in the service's own codes and words."""

from __future__ import annotations

from typing import ClassVar

from pytest_wml.wml.acceptance import INVALID_ENTITY, invalid_entity
from pytest_wml.wml.embedded import EMBEDDED


class Refusal(Exception):
    """The service will not do what it was asked.

    Args:
        code: the service's name for the error, such as `deployment_does_not_exist`.
        message: for people; names what was wrong and what would be right.
    """

    more_info: ClassVar[str] = ""
    shown_status: ClassVar[int | str | None] = None
    """Some of the service's errors repeat their status in the body, as a number or as text; most do not."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Invalid(Refusal):
    """The request does not say something that the service can do."""


class UnprocessableEntity(Invalid):
    """A document that is well formed, and that the service has no use for."""

    more_info = "https://cloud.ibm.com/apidocs/machine-learning"
    shown_status = "400"

    def __init__(self, message: str) -> None:
        super().__init__(INVALID_ENTITY, invalid_entity(message))


class Unauthenticated(Refusal):
    """The request carries no token that the service knows."""

    more_info = "https://cloud.ibm.com/apidocs/machine-learning-cp"
    shown_status = 401


class Missing(Refusal):
    """What was asked for does not exist."""


class NotServed(Refusal):
    """IBM's service may do what was asked; this one does not.

    Args:
        what: is not served, such as `POST /v2/package_extensions`.
        instead: a sentence on what is served.
    """

    def __init__(self, what: str, instead: str = "Its documentation lists what it serves: FIDELITY.md.") -> None:
        super().__init__("not_served_by_pytest_wml", f"{EMBEDDED} does not serve {what}. {instead}")


class Conflict(Refusal):
    """What was asked cannot be done while something else is as it is."""


class ModelBroke(Refusal):
    """The model failed while it scored."""


class ModelTooSlow(Refusal):
    """The model did not answer in the time that this service waits."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, f"{message} {EMBEDDED} waits no longer.")


class NotKept(Refusal):
    """What was asked could not be written to the disk; nothing of it was done."""


class NoSpaceLeft(NotKept):
    """The disk is full, or a limit on the size of files is reached."""


class ContentLost(Refusal):
    """What was uploaded is not on the disk any more, or is not what was uploaded."""


class TooLarge(Refusal):
    """The body is larger than the service takes."""
