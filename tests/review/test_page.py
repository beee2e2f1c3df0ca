"""The page of a reviewer as people use it: in a real browser, from disk, with keys alone, on a phone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ftgate.record import Choice
from pytest_ftgate.reports.answers import Call, Turn
from pytest_ftgate.reports.inert import inert_text
from pytest_ftgate.review.ballots import parse_votes
from pytest_ftgate.review.instructions import DEFAULT, parse_instructions
from pytest_ftgate.review.joining import join
from pytest_ftgate.review.key import Key
from pytest_ftgate.review.pairs import Pair, pairs_of
from pytest_ftgate.review.render import render_page
from tests.support.browser import Watch
from tests.support.hostile import HOSTILE
from tests.support.reviews import blind, record_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

#: So long that only scrolling, and breaking words, keeps it in its place.
LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 40 + "\n\nA line.\n" * 200
CALL = Call(name="get_weather", arguments=(("city", '"Tokyo"'), ("unit", '"celsius"')))


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of somebody who has never seen the page."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as made:
        yield made


def written(folder: Path, pairs: Sequence[Pair], instructions: str = DEFAULT) -> tuple[str, Key]:
    """Where the page of the one reviewer lies, and the key of the batch."""
    _, (sheet,), key = blind(pairs, ["ada"], 1)
    path = folder / "ada.html"
    path.write_text(render_page(sheet, parse_instructions(instructions)), encoding="utf-8")
    return path.as_uri(), key


def opened(context: BrowserContext, url: str) -> tuple[Page, Watch]:
    page = context.new_page()
    watch = Watch(page)
    page.goto(url)
    return page, watch


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def saved(page: Page, tmp_path: Path) -> str:
    """The file that the page writes at `s`."""
    with page.expect_download() as download:
        press(page, "s")
    assert download.value.suggested_filename == "votes-ada.json"
    path = tmp_path / "votes.json"
    download.value.save_as(path)
    return path.read_text(encoding="utf-8")


def three(**changed: object) -> list[Pair]:
    made = list(pairs_of(record_of(3)).pairs)
    return [replace(one, **changed) for one in made] if changed else made  # type: ignore[arg-type]


def test_votes_are_given_and_saved_with_the_keyboard_alone(context: BrowserContext, tmp_path: Path) -> None:
    url, key = written(tmp_path, three())
    page, watch = opened(context, url)

    press(page, "Enter")  # Start has the focus
    press(page, "1", "1", "2", "3", "4", "Enter")  # overall, then the four criteria
    press(page, "2", "ArrowDown", "3", "n")
    page.keyboard.type("both 1 and 2 are short")
    press(page, "Escape", "Enter", "4", "Enter")

    assert page.locator("#end-title").inner_text() == "All done. Thank you!"
    text = saved(page, tmp_path)
    joined = join(key, parse_votes(text, "votes-ada.json"))
    assert (joined.problems, joined.missing) == ((), ())
    by_pair = {one.pair: one for one in joined.votes}
    first, second, third = (by_pair[one.id] for one in key.placed["ada"])
    assert (first.side, second.side, third.side) == ("A", "B", "both bad")
    assert first.vote.overall == (Choice.MODEL if key.placed["ada"][0].a == "model" else Choice.BASELINE)
    assert [*first.criteria] == ["correctness", "format_adherence", "helpfulness", "safety"]
    assert (first.criteria["safety"], first.criteria["format_adherence"]) == (Choice.TIE, Choice.BOTH_BAD)
    assert (second.criteria, second.notes) == ({"helpfulness": Choice.TIE}, "both 1 and 2 are short")
    assert all(one.seconds is not None for one in joined.votes)
    assert not watch.seen


def test_a_tab_that_was_closed_half_way_loses_nothing(context: BrowserContext, tmp_path: Path) -> None:
    url, _ = written(tmp_path, three())
    page, _ = opened(context, url)
    press(page, "Enter", "2", "1", "n")
    page.keyboard.type("why")
    press(page, "Escape", "Enter")
    page.close()

    page, watch = opened(context, url)

    assert page.locator("#title").inner_text() == "Pair 2 of 3"
    assert page.locator("#count").inner_text() == "1 of 3"
    press(page, "p")
    assert (
        page.get_by_role("group", name="Overall, which is better?").get_by_label("B", exact=True).is_checked()
    )
    assert page.get_by_role("group", name="Correctness").get_by_label("A", exact=True).is_checked()
    assert page.get_by_label("Notes").input_value() == "why"
    assert not watch.seen


def test_other_batches_and_reviewers_keep_their_votes_apart(context: BrowserContext, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    url, _ = written(one, three())
    page, _ = opened(context, url)
    press(page, "Enter", "1")

    url, _ = written(other, three(model=(Turn(text="another answer"),)))
    page, _ = opened(context, url)

    assert page.locator("#count").inner_text() == "0 of 3"


def test_undo_takes_back_the_last_votes_one_by_one_where_they_were_given(
    context: BrowserContext, tmp_path: Path
) -> None:
    url, _ = written(tmp_path, three())
    page, watch = opened(context, url)
    overall = page.get_by_role("group", name="Overall, which is better?")
    press(page, "Enter", "1", "ArrowUp", "2", "Enter", "3")

    press(page, "u")
    assert page.locator("#count").inner_text() == "1 of 3"
    press(page, "u")
    assert page.locator("#title").inner_text() == "Pair 1 of 3"
    assert overall.get_by_label("A", exact=True).is_checked()
    page.get_by_role("button", name="Undo").click()

    assert overall.locator("input:checked").count() == 0
    assert page.get_by_role("button", name="Undo").is_disabled()
    assert page.locator("#said").inner_text() == "Undone: pair 1, overall"
    assert not watch.seen


def test_help_leads_back_to_where_it_was_asked_for(context: BrowserContext, tmp_path: Path) -> None:
    url, _ = written(tmp_path, three())
    page, _ = opened(context, url)
    press(page, "Enter", "1", "?")
    assert page.get_by_role("heading", name="How to judge").is_visible()

    press(page, "Enter")

    assert page.locator("#title").inner_text() == "Pair 1 of 3"
    press(page, "Enter", "Enter", "Enter", "p")
    assert page.locator("#title").inner_text() == "Pair 3 of 3"


def test_differences_are_marked_on_request_in_texts_and_tables(
    context: BrowserContext, tmp_path: Path
) -> None:
    osaka = replace(CALL, arguments=(("city", '"Osaka"'), ("unit", '"celsius"')))
    model = (Turn(text="Within 30 days, with the receipt.", calls=(CALL,)),)
    baseline = (Turn(text="Within 14 days, with the receipt.", calls=(osaka,)),)
    url, _ = written(tmp_path, three(model=model, baseline=baseline)[:1])
    page, watch = opened(context, url)
    press(page, "Enter")
    assert page.locator("mark").count() == 0

    press(page, "d")

    assert sorted(page.locator("mark").all_inner_texts()) == ["14", "30", "Osaka", "Tokyo"]
    assert page.get_by_role("button", name="Differences").get_attribute("aria-pressed") == "true"
    press(page, "d")
    assert page.locator("mark").count() == 0
    assert not watch.seen


def test_votes_are_given_with_the_mouse_and_named_for_screen_readers(
    context: BrowserContext, tmp_path: Path
) -> None:
    url, key = written(tmp_path, three(model=(Turn(calls=(CALL,)),))[:1])
    page, watch = opened(context, url)

    page.get_by_role("button", name="Start").click()
    assert page.get_by_role("heading", name="Pair 1 of 1").is_visible()
    assert page.get_by_role("region", name="Prompt").inner_text() == "Question 0?"
    assert page.get_by_role("table", name="Calls get_weather").get_by_role("row").all_inner_texts() == [
        'city\t"Tokyo"',
        'unit\t"celsius"',
    ]
    page.get_by_role("group", name="Overall").get_by_role("radio", name="Tie").check()
    page.get_by_role("group", name="Safety").get_by_role("radio", name="Both bad").check()
    assert page.locator("#said").inner_text() == "Safety: Both bad"
    assert page.get_by_role("progressbar", name="Pairs with a vote").get_attribute("value") == "1"
    page.get_by_role("button", name="Finish").click()

    (vote,) = json.loads(saved(page, tmp_path))["votes"]
    assert (vote["overall"], vote["criteria"]) == ("tie", {"safety": "both bad"})
    assert not watch.seen
    assert key.placed


def test_no_text_is_anything_but_text(context: BrowserContext, tmp_path: Path) -> None:
    (made,) = pairs_of(record_of(1)).pairs
    pairs = [
        replace(
            made,
            case=f"c{number:03}",
            category=text[:200],
            prompt=text,
            model=(
                Turn(text=text, refusal=text, calls=(Call(name=text, arguments=((text, text),), text=text),)),
            ),
            baseline=(Turn(text=text + "other"), Turn(text=text)),
        )
        for number, text in enumerate(HOSTILE)
    ]
    url, key = written(tmp_path, pairs, "\n\n".join(HOSTILE[:-4]))
    texts = {id_: pair.prompt for id_, pair in key.pairs.items()}
    page, watch = opened(context, url)
    tags = "[...new Set([...document.querySelectorAll('#pair *')].map(one => one.tagName))].sort().join(' ')"

    press(page, "Enter", "d")
    for one in key.placed["ada"]:
        assert page.locator("#prompt").evaluate("box => box.textContent") == inert_text(texts[one.id])
        assert not {"SCRIPT", "IMG", "A", "DETAILS", "FAILURE"} & set(page.evaluate(tags).split())
        press(page, "1", "Enter")

    assert page.locator("#end-title").inner_text() == "All done. Thank you!"
    assert not watch.seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_a_phone_and_a_desk_by_day_and_by_night(
    browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    call = Call(name="f" * 90, arguments=(("k" * 90, "v" * 300),), text="t" * 300)
    pairs = three(model=(Turn(text=LONG, calls=(call,)),), baseline=(Turn(text=LONG),), prompt=LONG)
    url, _ = written(tmp_path, [*pairs[:1], replace(pairs[1], category="c" * 90)])
    with browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme) as context:  # type: ignore[arg-type]
        page, watch = opened(context, url)
        for keys in ((), ("Enter",), ("d",), ("1", "Enter"), ("Enter",)):
            press(page, *keys)
            assert page.evaluate("document.documentElement.scrollWidth") == width
        page.locator("#end-back").click()
        answer = page.locator("#a")
        assert answer.evaluate("box => box.scrollHeight > box.clientHeight && box.clientHeight < 740")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 20, 26)"
        assert dark is (scheme == "dark")
        assert not watch.seen


def test_a_browser_that_keeps_nothing_says_so_and_still_saves(
    context: BrowserContext, tmp_path: Path
) -> None:
    url, _ = written(tmp_path, three()[:1])
    page = context.new_page()
    page.add_init_script("Storage.prototype.setItem = Storage.prototype.getItem = () => { throw 1; };")
    page.goto(url)

    press(page, "Enter", "1")

    assert page.get_by_role("alert").inner_text() == (
        "This browser can't keep your votes. Save them to a file before you close this page."
    )
    assert len(json.loads(saved(page, tmp_path))["votes"]) == 1


def test_without_scripts_the_page_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    url, _ = written(tmp_path, three())
    with browser.new_context(java_script_enabled=False) as context:
        page, _ = opened(context, url)

        assert "fill in the table of the same name (.csv)" in page.locator("noscript").inner_text()
