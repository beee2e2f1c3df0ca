"""How large the HTML report of many cases is, and how long Chromium takes for it."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from pytest_ftgate.reports.html import render_html
from tests.reports.samples import Category, assessment, record
from tests.support.browser import browser

_WORDS = "Your parcel PX220914 left Lisbon and reaches you by noon on Friday. "


def main(cases: int) -> None:
    """Prints megabytes, and seconds: to write, to the verdict, to the filter, of two searches."""
    names = [f"category {number:02}" for number in range(20)]
    each = cases // 20
    whole = record([Category(name, both=each - 40, regressed=20, fixed=10, neither=10) for name in names])
    trials = tuple(
        replace(one, completion=replace(one.completion, text=_WORDS * 8))
        for one in whole.trials
        if one.completion
    )
    started = time.perf_counter()
    text = "".join(render_html(assessment(replace(whole, trials=trials))))
    print(
        f"{cases} cases: {len(text.encode()) / 1e6:.1f} MB, written in {time.perf_counter() - started:.1f} s"
    )
    with tempfile.TemporaryDirectory() as folder, browser() as running:
        path = Path(folder) / "run.html"
        path.write_text(text, encoding="utf-8")
        page = running.new_page()
        started = time.perf_counter()
        page.goto(path.as_uri(), wait_until="commit")
        page.wait_for_selector("h1")
        print(f"verdict after {time.perf_counter() - started:.2f} s")
        page.wait_for_selector("#filter:not([hidden])")
        print(f"filter there after {time.perf_counter() - started:.2f} s")
        for words in ("noon friday", "category-07-123"):
            took = page.evaluate(_SEARCH, words)
            print(f"search for {words!r}: {took / 1000:.2f} s, {page.locator('#count').inner_text()}")


#: Milliseconds until the list is painted.
_SEARCH = """(words) => new Promise((done) => {
    const started = performance.now();
    const text = document.getElementById("text");
    text.value = words;
    text.dispatchEvent(new Event("input"));
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - started)));
})"""


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
