"""How long an endpoint keeps all requests waiting, and what people are told of it. No I/O.

It is looked at about once a second, so times are right to about a second. They are the loop's clock, in
seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from pytest_ftgate.models.endpoints.door import Closed
from pytest_ftgate.models.endpoints.endpoint import Endpoint

#: What is over sooner is not worth a line.
NOTICE_S = 5.0


class Delay(StrEnum):
    """Why requests wait."""

    OUTAGE = "outage"
    THROTTLED = "throttled"


#: After so long without it, it is another one: an endpoint that limits requests does so all the time.
_APART_S = {Delay.OUTAGE: 30.0, Delay.THROTTLED: 600.0}


class Notice(NamedTuple):
    """A line for people, said once; processes that notice the same have the same `about`.

    `lasts`: the requests still wait, so that somebody may want to stop.
    """

    about: str
    text: str
    lasts: bool


class Delays:
    """Owned by a retry loop, whose loop's thread alone calls it.

    `is_paced` says that the next request waits only for the endpoint's pace.
    """

    def __init__(self, host: str, endpoint: Endpoint) -> None:
        self._host = host
        self._endpoint = endpoint
        self.is_paced = False
        self.outages = 0
        self._lasted_s = dict.fromkeys(Delay, 0.0)
        self._last_seen: dict[Delay, float] = {}
        self._looked_at: float | None = None
        #: Since when the door has been closed for one reason.
        self._closed: tuple[Delay, float] | None = None
        self._told: set[Delay] = set()
        #: Since when there has been a delay of which people were told that it lasts.
        self._open_since: float | None = None

    def look(self, now: float) -> list[Notice]:
        """Takes the time since the last look, and gives what there is to say."""
        passed_s = 0.0 if self._looked_at is None else now - self._looked_at
        self._looked_at = now
        delay = self._delay()
        if delay is not None:
            self._note(delay, now)
            self._lasted_s[delay] += passed_s
        return self._notices(now)

    def row(self) -> dict[str, Any] | None:
        """Builtins for the process that decides; None where nobody waited for long."""
        if sum(self._lasted_s.values()) < NOTICE_S:
            return None
        return {
            "host": self._host,
            "outages": self.outages,
            "outage_s": self._lasted_s[Delay.OUTAGE],
            "refusals": self._endpoint.refusals,
            "throttled_s": self._lasted_s[Delay.THROTTLED],
        }

    def _delay(self) -> Delay | None:
        closed = self._endpoint.door.closed
        if closed is None:
            return Delay.THROTTLED if self.is_paced else None
        return Delay.THROTTLED if closed is Closed.BUSY else Delay.OUTAGE

    def _note(self, delay: Delay, now: float) -> None:
        last = self._last_seen.get(delay)
        if last is None or now - last > _APART_S[delay]:
            self.outages += delay is Delay.OUTAGE
            self._told.discard(delay)
        self._last_seen[delay] = now

    def _notices(self, now: float) -> list[Notice]:
        door, delay = self._endpoint.door, self._delay()
        if not door.is_closed or delay is None:
            self._closed = None
            return self._over(now)
        if self._closed is None or self._closed[0] is not delay:
            self._closed = (delay, now)
        since = self._closed[1]
        if delay in self._told or now - since < NOTICE_S:
            return []
        self._told.add(delay)
        self._open_since = since if self._open_since is None else self._open_since
        why = _short(str(door.why), self._host)
        what = "is unavailable" if delay is Delay.OUTAGE else "takes no more requests now"
        text = f"{self._host} {what} ({why}): waiting up to {duration(door.left_s(now))} more"
        return [Notice(f"{self._host} {delay}", text, lasts=True)]

    def _over(self, now: float) -> list[Notice]:
        if self._open_since is None:
            return []
        lasted_s, self._open_since = now - self._open_since, None
        text = f"{self._host} answers again, after {duration(lasted_s)}"
        return [Notice(f"{self._host} is back", text, lasts=False)]


def delays_of(model: object) -> Delays | None:
    """Those of a model that is an endpoint of ours, whatever stands around it; None of any other."""
    delays = getattr(model, "delays", None)
    return delays if isinstance(delays, Delays) else None


def delay_remarks(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the verdict says of the delays of all processes and arms: a sentence for each host and kind.

    They waited at the same time, so the longest counts; each was refused by itself.
    """
    remarks = []
    for host in sorted({str(row["host"]) for row in rows}):
        here = [row for row in rows if row["host"] == host]
        outages, refusals = max(row["outages"] for row in here), sum(row["refusals"] for row in here)
        outage_s, throttled_s = (max(row[name] for row in here) for name in ("outage_s", "throttled_s"))
        if outages and outage_s >= NOTICE_S:
            count = "1 outage" if outages == 1 else f"{outages} outages"
            remarks.append(f"{host} was unavailable for {duration(outage_s)} in {count}")
        if throttled_s >= NOTICE_S:
            answered = "1 request was" if refusals == 1 else f"{refusals:,} requests were"
            refused = f"{answered} answered 429, " if refusals else ""
            remarks.append(f"{host} throttled: {refused}{duration(throttled_s)} of waiting")
    return remarks


def duration(seconds: float) -> str:
    """To the second, in the two largest units that it fills: `45 s`, `3 min 12 s`, `2 h 5 min`."""
    left = round(seconds)
    parts: list[str] = []
    for unit, size in (("h", 3600), ("min", 60), ("s", 1)):
        number, left = divmod(left, size)
        if number or (unit == "s" and not parts):
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2])


def _short(why: str, host: str) -> str:
    """`HTTP 503`, `Connection refused`: an error without its host and without what the host said."""
    head = why.partition(f" from {host}")[0].rstrip(",")
    return head.removeprefix(f"{host} can't be reached: ")
