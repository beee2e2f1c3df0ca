"""What a review says, for the terminal. It returns lines, never prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_ftgate.reports.inert import inert_line
from pytest_ftgate.reports.lines import Line, Segment, as_ascii, cells, line, pad, shorten, shorten_middle
from pytest_ftgate.reports.numbers import fixed, p_value, percent, percent_interval
from pytest_ftgate.reports.page import Page
from pytest_ftgate.review.questions import OVERALL
from pytest_ftgate.review.results import Agreement, Preference, Results, Ways

_MIN_WIDTH, _MAX_WIDTH = 72, 120
_MAX_PROBLEMS, _MAX_TO_DISCUSS = 20, 10
#: Below this a preference for one side is more than chance, as usual.
_UNLIKELY = 0.05


def render_review(results: Results, name: str, *, width: int, ascii_only: bool = False) -> Sequence[Line]:
    """Preference, agreement, reviewers, what to discuss, what did not count; `name` is the file written."""
    page = Page(width=min(max(width, _MIN_WIDTH), _MAX_WIDTH), ascii_only=ascii_only)
    sections = [
        list(_preferences(results, page)),
        list(_agreements(results, page)),
        list(_reviewers(results, page)),
        list(_to_discuss(results, page)),
        list(_problems(results, page)),
        list(_next(name, page)),
    ]
    lines = [row for section in sections if section for row in (*section, line())][:-1]
    return [as_ascii(row) for row in lines] if ascii_only else lines


def _preferences(results: Results, page: Page) -> Iterator[Line]:
    votes, pairs = len(results.joined.votes), len({one.pair for one in results.joined.votes})
    yield line(
        Segment("Preference", "bold"), f"  {_count(votes, 'vote')} on {_count(pairs, 'pair')}, by majority"
    )
    rows = [
        ("", "model", "baseline", "tie", "both bad", "preferred", "95% CI"),
        *(_preference(one) for one in results.preferences if _answered(one)),
    ]
    yield from _columns(rows, page)


def _preference(one: Preference) -> tuple[str, ...]:
    bounds = one.bounds
    return (
        one.question,
        str(one.wins),
        str(one.losses),
        str(one.ties - one.both_bad),
        str(one.both_bad),
        percent(one.rate),
        percent_interval(bounds) if bounds else "-",
    )


def _answered(one: Preference) -> bool:
    return one.question == OVERALL or one.wins + one.losses + one.ties > 0


def _agreements(results: Results, page: Page) -> Iterator[Line]:
    yield line(
        Segment("Agreement", "bold"), "  on the overall vote, beyond chance; words of Landis and Koch (1977)"
    )
    named = [("Krippendorff's alpha", results.alpha)]
    named += [(f"Cohen's kappa, {' and '.join(one.who)}", one) for one in results.kappas[:15]]
    yield from _columns([_agreement(label, one) for label, one in named], page)


def _agreement(label: str, one: Agreement) -> tuple[str, ...]:
    value = "n/a" if one.value is None else fixed(one.value, 2)
    bounds = f"[{fixed(one.bounds[0], 2)}, {fixed(one.bounds[1], 2)}]" if one.bounds else "-"
    words = "one label only" if one.value is None else one.words
    return label, value, bounds, _count(one.n, "pair"), words


def _reviewers(results: Results, page: Page) -> Iterator[Line]:
    yield line(Segment("Reviewers", "bold"), "  p: sign test of no preference for a side")
    rows = [("", "votes", "median s", "A", "B", "p"), *(_ways(one) for one in results.ways)]
    yield from _columns(rows, page)
    for one in results.ways:
        if one.side_p < _UNLIKELY:
            side = "A" if one.left > one.right else "B"
            yield line(Segment(f"  {one.reviewer} leans to side {side}, more than chance explains", "yellow"))


def _ways(one: Ways) -> tuple[str, ...]:
    seconds = "-" if one.seconds is None else fixed(one.seconds, 1)
    votes = f"{one.votes} of {one.asked}"
    return one.reviewer, votes, seconds, str(one.left), str(one.right), p_value(one.side_p)


def _to_discuss(results: Results, page: Page) -> Iterator[Line]:
    if not results.to_discuss:
        return
    said: dict[str, list[str]] = {}
    for one in results.joined.votes:
        said.setdefault(one.pair, []).append(f"{one.vote.key.reviewer}: {one.vote.overall.value}")
    many = _count(len(results.to_discuss), "pair")
    yield line(Segment("To discuss", "bold"), f"  {many} on which reviewers prefer different answers")
    for id_ in results.to_discuss[:_MAX_TO_DISCUSS]:
        pair = results.joined.key.pairs[id_]
        yield from page.paragraph(
            page.text(f"{pair.name}  {', '.join(said[id_])}"), first=f"  {id_}  ", indent="        "
        )
        prompt = inert_line(pair.prompt, limit=200)
        yield line("        ", Segment(shorten(page.text(prompt), page.width - 8), "dim"))
        yield from _notes(results, id_, page)
    if len(results.to_discuss) > _MAX_TO_DISCUSS:
        yield line(f"  ({len(results.to_discuss) - _MAX_TO_DISCUSS} more in the file)")


def _notes(results: Results, id_: str, page: Page) -> Iterator[Line]:
    for one in results.joined.votes:
        if one.pair == id_ and one.notes.strip():
            text = f"{one.vote.key.reviewer}: {one.notes}"
            yield from page.paragraph(
                page.text(text, limit=300), first="        ", indent="        ", style="dim"
            )


def _problems(results: Results, page: Page) -> Iterator[Line]:
    problems = [*results.joined.problems, *results.joined.missing]
    if not problems:
        return
    yield line(Segment("Not counted, or not there", "bold"))
    for problem in problems[:_MAX_PROBLEMS]:
        yield from page.paragraph(
            page.text(problem), first="  - ", indent="    ", style="yellow", max_lines=4
        )
    if len(problems) > _MAX_PROBLEMS:
        yield line(f"  ({len(problems) - _MAX_PROBLEMS} more in the file)")


def _next(name: str, page: Page) -> Iterator[Line]:
    told = (
        f"next: ftgate decide RECORD --review {name}, or pytest --ftgate-review={name} with the same answers"
    )
    yield from page.paragraph(page.text(told), indent="      ")


def _columns(rows: Sequence[Sequence[str]], page: Page) -> Iterator[Line]:
    """Rows in columns, the first to the left and the others to the right; long names give way."""
    widths = [max(cells(row[column]) for row in rows) for column in range(len(rows[0]))]
    widths[0] = min(widths[0], page.width - sum(widths[1:]) - 2 * len(widths))
    for name, *others in rows:
        first = pad(shorten_middle(name, widths[0]), widths[0])
        rest = [pad(cell, width, right=True) for cell, width in zip(others, widths[1:], strict=True)]
        yield line("  " + "  ".join([first, *rest]).rstrip())


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n:,} {noun}s"
