"""One call of pytest as the answer store knows it, and which answers of earlier ones count for it. Light."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: What a request gets that has no stored answer where none may be asked for.
NOT_STORED = "no stored answer, and --ftgate-cache=only sends nothing"


class Reuse(StrEnum):
    """Which answers of earlier sessions count; the values of `--ftgate-cache`."""

    RESUME = "resume"
    USE = "use"
    ONLY = "only"
    REFRESH = "refresh"
    OFF = "off"

    @property
    def takes_any(self) -> bool:
        """Whether any stored answer will do, whenever and in whatever run it was given."""
        return self in (Reuse.USE, Reuse.ONLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One call of pytest, the same for all its processes.

    `plan` is a digest of what is asked and who is asked: an unfinished run with an equal one is gone on with,
    if its last answer is no older than `max_age_s` seconds. `models` says who answers, for people.
    """

    id: str
    plan: str = ""
    reuse: Reuse = Reuse.REFRESH
    max_age_s: float = 3600.0
    models: str = ""
