"""The HTML report as people use it: in a real browser, with scripts and without, on screen and paper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ftgate.completions import Completion
from pytest_ftgate.gates import Assessment, assess, parse_gate
from pytest_ftgate.reports.html import render_html
from tests.reports.samples import SUITE, Category, assessment, record, tuned_suite
from tests.reports.test_html import everywhere
from tests.support.browser import Watch
from tests.support.hostile import HOSTILE

playwright = pytest.importorskip("playwright.sync_api", reason="pip install -e '.[dev]' brings it")
expect = playwright.expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def written(folder: Path, made: Assessment) -> str:
    path = folder / "run.html"
    path.write_text("".join(render_html(made)), encoding="utf-8")
    return path.as_uri()


def opened(browser: Browser, url: str) -> tuple[Page, Watch]:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    watch = Watch(page)
    page.goto(url)
    page.wait_for_selector("#filter:not([hidden])")
    return page, watch


def judged() -> Assessment:
    """The suite under a gate with a criterion of its own, which reads some of the cases."""
    criteria = {"holds": {"metric": "pass_rate", "role": "general", "at_least": "90%"}}
    return assess(record(SUITE), parse_gate({"criteria": criteria}))


def test_cases_are_filtered_by_outcome_category_and_text(browser: Browser, tmp_path: Path) -> None:
    page, watch = opened(browser, written(tmp_path, tuned_suite()))
    assert page.locator("#count").inner_text() == "30"

    page.select_option("#kind", "fixed")
    assert page.locator("#count").inner_text() == "4 of 30"
    page.select_option("#category", "adversarial")
    assert page.locator("#list .id").all_text_contents() == ["adversarial-04", "adversarial-05"]
    page.fill("#text", "paris ADVERSARIAL-05")
    expect(page.locator("#list .case")).to_have_count(1)
    page.fill("#text", "nowhere")
    page.wait_for_selector("#none:not([hidden])")
    page.click("button[type=reset]")
    expect(page.locator("#count")).to_have_text("30")
    assert not watch.seen


def test_names_and_numbers_above_lead_to_their_cases(browser: Browser, tmp_path: Path) -> None:
    page, watch = opened(browser, written(tmp_path, judged()))

    page.click("#rates a:text-is('adversarial')")
    expect(page.locator("#count")).to_have_text("6 of 30")
    expect(page.locator("#category")).to_have_value("adversarial")
    page.click("#criteria tr:has-text('holds') a")
    expect(page.locator("#count")).to_have_text("5 of 30")
    expect(page.locator("#category")).to_have_value("")
    page.click("#changes h3:has-text('Regressions') a")
    expect(page.locator("#kind")).to_have_value("regression")
    page.go_back()
    expect(page.locator("#criterion")).to_have_value("holds")
    assert not watch.seen


def test_address_and_list_agree_wherever_one_goes(browser: Browser, tmp_path: Path) -> None:
    page, watch = opened(browser, written(tmp_path, judged()))
    count, link = page.locator("#count"), page.locator("#rates a:text-is('adversarial')")

    link.click()
    expect(count).to_have_text("6 of 30")
    page.go_back()
    expect(count).to_have_text("30")
    link.click()
    page.evaluate("scrollTo(0, 0)")
    link.click()
    expect(page.locator("#filter")).to_be_in_viewport()
    page.fill("#text", "05")
    expect(count).to_have_text("1 of 30")
    page.click("nav a:text-is('Every case')")
    expect(count).to_have_text("30")
    page.evaluate("location.hash = 'cases?category=nope'")
    expect(page.locator("#none")).to_have_text("No case has the category “nope”.")
    expect(count).to_have_text("0 of 30")
    page.select_option("#kind", "fixed")
    expect(count).to_have_text("4 of 30")
    assert not watch.seen


def test_a_link_leads_to_values_that_can_not_be_chosen(browser: Browser, tmp_path: Path) -> None:
    many = assessment(record([Category(f"c{number:04}", both=1) for number in range(600)]))
    page, watch = opened(browser, f"{written(tmp_path, many)}#cases?category=c0599")

    expect(page.locator("#count")).to_have_text("1 of 600")
    expect(page.locator("#category")).to_have_value("c0599")
    assert not watch.seen


def test_very_many_hits_are_marked_up_to_a_bound(browser: Browser, tmp_path: Path) -> None:
    whole = record([Category("simple", both=8)])
    long = [replace(one, completion=Completion(text="a " * 9000)) for one in whole.trials]
    page, watch = opened(browser, written(tmp_path, assessment(replace(whole, trials=tuple(long)))))

    page.fill("#text", "a")
    page.wait_for_url("**text=a")
    page.evaluate("document.querySelectorAll('#list details').forEach((one) => { one.open = true; })")
    expect(page.locator("#list .body")).to_have_count(8)

    assert page.evaluate("CSS.highlights.get('found').size") == 2000
    assert not watch.seen


def test_the_filter_stands_in_the_address(browser: Browser, tmp_path: Path) -> None:
    url = written(tmp_path, tuned_suite())
    page, watch = opened(browser, url)
    page.select_option("#category", "adversarial")
    page.fill("#text", "rome & more")
    page.press("#text", "Enter")
    assert page.url == f"{url}#cases?text=rome+%26+more&category=adversarial"

    other, seen = opened(browser, page.url)
    expect(other.locator("#text")).to_have_value("rome & more")
    expect(other.locator("#category")).to_have_value("adversarial")
    other.click("button[type=reset]")
    expect(other.locator("#count")).to_have_text("30")
    assert other.url == f"{url}#cases"
    assert not watch.seen + seen.seen


def test_what_was_searched_for_is_marked_also_in_what_is_opened_later(
    browser: Browser, tmp_path: Path
) -> None:
    page, watch = opened(browser, written(tmp_path, tuned_suite()))
    marked = "[...(CSS.highlights.get('found') || [])].map(String)"

    page.fill("#text", "adversarial-05 CAPITAL")
    expect(page.locator("#count")).to_have_text("1 of 30")
    assert page.evaluate(marked) == ["adversarial-05"]
    page.click("#list .case summary")
    expect(page.locator("#list .body")).to_have_count(1)
    assert "capital" in page.evaluate(marked)
    page.fill("#text", "")
    expect(page.locator("#count")).to_have_text("30")
    assert page.evaluate(marked) == []
    assert not watch.seen


def test_a_link_opens_its_case_and_nothing_hides_it(browser: Browser, tmp_path: Path) -> None:
    url = written(tmp_path, tuned_suite())
    page, watch = opened(browser, f"{url}#case-tools/simple-03")
    assert page.locator("#list details[open] .id").all_text_contents() == ["simple-03"]
    assert page.locator("#list details[open] .answer").first.inner_text() == "Paris"

    page.select_option("#kind", "fixed")
    page.evaluate("location.hash = 'case-tools/simple-05'")
    expect(page.locator("#list details[open] .id")).to_have_text("simple-05")
    page.evaluate("location.hash = 'case-facts/capitals-04'")
    expect(page.locator("#changes details:has(summary:focus) .id")).to_have_text("capitals-04")
    assert not watch.seen


def test_a_link_to_a_case_deep_in_the_list_brings_it_to_the_top(browser: Browser, tmp_path: Path) -> None:
    many = assessment(record([Category("simple", both=300, regressed=70, neither=100)]))
    url = written(tmp_path, many)

    page, watch = opened(browser, f"{url}#case-tools/simple-299")
    top = page.evaluate(
        "new Promise((done) => { let frames = 12; const look = () => frames-- ? requestAnimationFrame(look)"
        " : done(document.querySelector('#list details[open]').getBoundingClientRect().top); look(); })"
    )
    assert 0 < top < 300

    assert page.locator("#list details[open] .id").inner_text() == "simple-299"
    assert not watch.seen


def test_on_paper_every_case_is_a_row_and_afterwards_all_is_as_before(
    browser: Browser, tmp_path: Path
) -> None:
    page, _ = opened(browser, written(tmp_path, tuned_suite()))
    before = page.locator("#changes details[open]").count()
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")

    assert page.locator("#fallback tbody tr").count() == 30
    assert page.locator("#fallback tbody tr").last.is_visible()
    assert page.locator("#list").is_hidden()
    assert page.locator("#changes details[open]").count() == page.locator("#changes details").count()

    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    assert page.locator("#changes details[open]").count() == before
    assert page.locator("#fallback").is_hidden()


def test_without_scripts_verdict_flips_and_cases_are_there(browser: Browser, tmp_path: Path) -> None:
    url = written(tmp_path, tuned_suite())
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(url)

        assert page.locator("h1").inner_text().split() == ["✕", "ITERATE"]
        assert page.locator("#changes .answer").first.is_visible()
        assert page.locator("#fallback tbody tr").count() == 30
        assert page.locator("#filter").is_hidden()


def test_on_paper_changes_are_unfolded_and_tools_are_gone(browser: Browser, tmp_path: Path) -> None:
    page, _ = opened(browser, written(tmp_path, tuned_suite()))
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")

    assert page.locator("nav").is_hidden()
    assert page.locator("#filter").is_hidden()
    assert all(one.is_visible() for one in page.locator("#changes .answer").all())


@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_nothing_is_wider_than_the_screen(browser: Browser, tmp_path: Path, width: int) -> None:
    page, _ = opened(browser, written(tmp_path, tuned_suite()))
    page.set_viewport_size({"width": width, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_texts_run_nothing_and_ask_for_nothing(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    watch = Watch(page)
    for text in HOSTILE:
        page.goto(written(tmp_path, everywhere(text)))
        page.wait_for_selector("#filter:not([hidden])")
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        expect(page.locator("#list .body")).to_have_count(4)
        assert not watch.seen, text
