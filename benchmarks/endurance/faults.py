"""Everything that an endpoint does wrong, on raw sockets, in whole runs of one process and of two workers.

A run asks four capitals of the model. A fault meets the question about Italy each time, or the first
requests, or all of them; what has to come of it is said by its verdict.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks.endurance.raw_server import (
    Asked,
    Behaviour,
    RawServer,
    bomb,
    completion,
    error,
    hangs,
    http,
    resets,
    says,
    trickles,
)
from benchmarks.endurance.result import Result
from benchmarks.endurance.runs import KEY, Ended, ended, own_traceback, patience, verdict_of

CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo"}
WITHIN_S = 60.0
_CL = "Content-Length: 1000000\r\n"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_ROME = completion("Rome")

#: `Italy`: its question, each time. `all`: every request. `first two`: only these. `after two`: all others.
Where = Literal["Italy", "all", "first two", "after two"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is sent, where, what the verdict then is, words of the output, and the most requests allowed."""

    name: str
    sends: Behaviour
    where: Where = "Italy"
    verdict: str = "INCOMPLETE"
    words: str = ""
    most: int = 60
    timeout_s: float = 3.0


def _stopping(name: str, reply: bytes, words: str) -> Fault:
    """Found out by one request of each process, none of which is tried again."""
    return Fault(name=name, sends=says(reply), where="all", words=words, most=1)


def _passing(name: str, sends: Behaviour) -> Fault:
    return Fault(name=name, sends=sends, where="first two", verdict="SHIP", timeout_s=30.0)


def _answer(name: str, body: bytes, verdict: str) -> Fault:
    return Fault(name=name, sends=says(http(body)), verdict=verdict, most=5)


def _protocol(name: str, reply: bytes, words: str = "sent no chat completion") -> Fault:
    """No answer, and tried once more."""
    return Fault(name=name, sends=says(reply), words=words, most=5)


FAULTS = (
    # 60: connections
    Fault(name="hang", sends=hangs),
    Fault(name="hang of all", sends=hangs, where="all"),
    Fault(name="slow-loris headers", sends=trickles(_HEAD, b"X-A: b\r\n", 0.1)),
    Fault(
        name="dribble for ever", sends=trickles(_HEAD + _CL.encode() + b"\r\n", b" ", 0.1), words="timeout_s"
    ),
    Fault(name="dribble of all", sends=trickles(_HEAD + _CL.encode() + b"\r\n", b" ", 0.1), where="all"),
    Fault(name="half a body", sends=says(http(_ROME, length=2 * len(_ROME)), close=True)),
    Fault(name="reset before headers", sends=resets()),
    Fault(name="reset in the body", sends=resets(http(_ROME)[:-20])),
    Fault(name="dropped before headers", sends=says(b"", close=True)),
    _passing("two resets", resets()),
    _passing("two drops", says(b"", close=True)),
    Fault(name="garbage for a status line", sends=says(b"BANANA / ???\r\n\r\n", close=True)),
    Fault(name="headers for ever", sends=trickles(_HEAD, b"X-A: " + b"b" * 8000 + b"\r\n", 0.01)),
    Fault(name="a length that lies", sends=says(http(_ROME, length=5), close=True)),
    Fault(name="down half-way", sends=resets(), where="after two"),
    # 61: no answers
    _protocol("html", http(b"<html>hi</html>")),
    _protocol("empty body", http(b"")),
    _protocol("204", b"HTTP/1.1 204 No Content\r\n\r\n"),
    _protocol("null", http(b"null")),
    _protocol("an array", http(b"[1, 2]")),
    _protocol("an error with status 200", http(error("overloaded"))),
    _protocol("no choices", http(b'{"choices": []}')),
    _protocol("bad JSON", http(b'{"choices": nul')),
    _protocol("latin-1", http("déjà vu".encode("latin-1"))),
    _protocol("an escape sequence", http(b"\x1b[31m::error::pwned")),
    _protocol("deeply nested JSON", http(b"[" * 100_000)),
    _answer("a byte order mark", b"\xef\xbb\xbf" + _ROME, "SHIP INCOMPLETE"),
    # 62: size
    Fault(name="gzip bomb", sends=says(bomb(200_000_000)), words="longer than", most=4),
    Fault(name="a long answer", sends=says(http(completion("x" * 10_000_000))), words="longer than", most=4),
    Fault(
        name="endless stream",
        sends=trickles(
            _HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b" " * 65536 + b"\r\n", 0
        ),
        words="longer than",
        most=4,
    ),
    _protocol("garbage for gzip", http(b"no gzip", "200 OK", "Content-Encoding: gzip"), ""),
    # 63: redirects
    Fault(
        name="a redirect",
        sends=says(http(b"", "307 Temporary Redirect", "Location: https://elsewhere.example/v1")),
        words="elsewhere.example",
        most=4,
    ),
    # 53-55: fatal
    _stopping("401", http(error(f"wrong key {KEY}"), "401 Unauthorized"), "TUNED_KEY"),
    _stopping("403", http(error("forbidden"), "403 Forbidden"), "403"),
    _stopping("404", http(error("no such model"), "404 Not Found"), "404"),
    _stopping("no quota", http(error("no quota", "insufficient_quota"), "429 Too Many Requests"), "quota"),
    Fault(
        name="401 half-way",
        sends=says(http(error("expired"), "401 Unauthorized")),
        where="after two",
        words="401",
    ),
    # 56-58: passing troubles
    *(
        _passing(f"two {status}", says(http(b"busy", f"{status} Busy")))
        for status in (408, 409, 425, 429, 500, 502, 503, 529)
    ),
    *(
        _passing(f"Retry-After {wish}", says(http(b"busy", "429 Busy", f"Retry-After: {wish}")))
        for wish in ("0", "-5", "NaN", "soon", "Thu, 01 Jan 1970 00:00:00 GMT")
    ),
    *(
        Fault(
            name=f"Retry-After {wish}",
            sends=says(http(b"busy", "429 Busy", f"Retry-After: {wish}")),
            where="all",
            most=4,
        )
        for wish in ("130", "1e999", "Fri, 01 Jan 2100 00:00:00 GMT")
    ),
    Fault(name="500 each time", sends=says(http(b"oops", "500 Oops"))),
    Fault(name="503 to all", sends=says(http(b"oops", "503 Oops")), where="all"),
    Fault(name="429 to all", sends=says(http(b"oops", "429 Oops")), where="all"),
    Fault(name="503 half-way", sends=says(http(b"oops", "503 Oops")), where="after two"),
    # 59
    Fault(
        name="400 that wants a retry",
        sends=says(http(error("no"), "400 Bad Request", "x-should-retry: true")),
        words="400",
        most=4,
    ),
    # 66: odd answers
    _answer("length", completion("Rome", "length"), "ITERATE"),
    _answer("content_filter", completion(None, "content_filter"), "ITERATE"),
    Fault(
        name="400 content_filter",
        sends=says(http(error("filtered", "content_filter"), "400 Bad Request")),
        verdict="ITERATE",
        most=4,
    ),
    _answer("a refusal", completion(None, refusal="I can't."), "ITERATE"),
    _answer("no content", completion(None), "ITERATE INCOMPLETE"),
    _answer("an unknown finish reason", completion("Rome", "banana"), "SHIP"),
    _answer("a list of texts", completion([{"type": "text", "text": "Rome"}]), "SHIP"),
    _protocol("a number for a text", http(completion(7))),
    _answer("a number for a finish reason", completion("Rome", 7), "SHIP INCOMPLETE"),
    _answer("a lone surrogate", completion("\ud800Rome"), "ITERATE"),
)


@dataclass(slots=True)
class Tally:
    runs: int = 0
    ships: int = 0
    longest_s: float = 0.0
    longest: str = ""
    verdicts: dict[str, int] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)


def run(quick: bool, seed: int) -> Result:
    """All faults in both ways; `quick` takes every fourth, one half of them with workers."""
    tally = Tally()
    chosen = [(fault, spread) for fault in FAULTS for spread in (False, True)]
    if quick:
        chosen = [(fault, bool(number % 2)) for number, fault in enumerate(FAULTS[seed % 4 :: 4])]
    for fault, spread in chosen:
        with tempfile.TemporaryDirectory() as folder:
            _play(fault, spread, Path(folder), tally)
    figures: dict[str, int | float | str] = {"faults": len(FAULTS), "runs": tally.runs}
    figures |= {f"of these {verdict}": count for verdict, count in sorted(tally.verdicts.items())}
    figures |= {
        "false SHIPs": tally.ships,
        "longest run in seconds": tally.longest_s,
        "which was": tally.longest,
    }
    return Result(name="faults", figures=figures, missed=tally.missed)


def _play(fault: Fault, spread: bool, folder: Path, tally: Tally) -> None:
    behave = Faulty(fault)
    with RawServer(behave) as server:
        _write_project(folder, server.url, fault.timeout_s)
        args = ["--model=tuned", "--ftgate-run-id=this", *(["-n2"] if spread else [])]
        ended_run = ended(folder, *args, within_s=WITHIN_S)
        count = server.count
    tally.runs += 1
    if ended_run.wall_s > tally.longest_s:
        tally.longest_s, tally.longest = ended_run.wall_s, f"{fault.name}{', -n 2' if spread else ''}"
    found = verdict_of(folder)
    said = str(found and found["verdict"])
    tally.verdicts[said] = tally.verdicts.get(said, 0) + 1
    tally.ships += said == "SHIP" and "SHIP" not in fault.verdict
    for missed in _missed(fault, ended_run, said, count, most=fault.most * (2 if spread else 1)):
        tally.missed.append(f"{fault.name}{', -n 2' if spread else ''}: {missed}")
    if not behave.struck:
        tally.missed.append(f"{fault.name}: it was never met")


class Faulty:
    """Answers rightly, but where the fault is."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._requests = 0
        self.struck = 0

    async def __call__(self, writer: asyncio.StreamWriter, asked: Asked) -> None:
        self._requests += 1
        prompt = str(asked["messages"][-1]["content"])
        strikes: dict[str, Callable[[], bool]] = {
            "Italy": lambda: "Italy" in prompt,
            "all": lambda: True,
            "first two": lambda: self._requests <= 2,
            "after two": lambda: self._requests > 2,
        }
        if strikes[self._fault.where]():
            self.struck += 1
            await self._fault.sends(writer, asked)
        else:
            city = next(city for land, city in CAPITALS.items() if land in prompt)
            writer.write(http(completion(city)))


def _write_project(folder: Path, url: str, timeout_s: float) -> None:
    entry = f"name: tuned, base_url: '{url}', api_key_env: TUNED_KEY, {patience(timeout_s, 2 * timeout_s)}"
    gate = "gate: {min_cases: 1, criteria: {right: {metric: pass_rate, at_least: 100%}}}\n"
    (folder / "ftgate.yaml").write_text(f"{gate}models:\n  tuned: {{{entry}}}\n", encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    cases = [
        f"  - {{id: {land}, prompt: 'Capital of {land}?', expect: {city}}}\n"
        for land, city in CAPITALS.items()
    ]
    (folder / "capitals.evalcase.yaml").write_text("cases:\n" + "".join(cases), encoding="utf-8")


def _missed(fault: Fault, run: Ended, said: str, count: int, most: int) -> Iterator[str]:
    if said not in fault.verdict.split():
        yield f"the verdict is {said}, not {fault.verdict}: {run.output[-400:]!r}"
    if run.status is None:
        yield f"still running after {WITHIN_S:g} s"
    elif (run.status == 0) != (said == "SHIP"):
        yield f"exit status {run.status} with {said}"
    if fault.words not in run.output:
        yield f"{fault.words!r} is not in the output: {run.output[-400:]!r}"
    if count > most:
        yield f"{count} requests, {most} would do"
    if KEY in run.output:
        yield "the key is in the output"
    if "\x1b" in run.output:
        yield "an escape sequence of the endpoint is in the output"
    if (traceback := own_traceback(run.output)) is not None:
        yield f"a traceback of ours: {traceback[:200]}"
