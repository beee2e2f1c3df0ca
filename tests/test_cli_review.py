"""`ftgate review` as people call it: export, vote, apply, and let the gate count it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pytest_ftgate.cli import main
from pytest_ftgate.record import Choice, Record, parse_record, record_lines
from pytest_ftgate.review.instructions import DEFAULT
from pytest_ftgate.review.key import Key, parse_key
from tests.support.records import case, gate_of, record, trials
from tests.support.reviews import record_of, votes_json

GATE = gate_of("people", metric="human_preference", at_least="60%")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")  # messages on one line


def ftgate(*args: str) -> Result:
    return CliRunner().invoke(main, args, catch_exceptions=False)


def write(made: Record, name: str = "run.jsonl") -> None:
    Path(name).write_text("".join(f"{row}\n" for row in record_lines(made)), encoding="utf-8")


def key_in(folder: str = "batch") -> Key:
    return parse_key((Path(folder) / "key.json").read_text(encoding="utf-8"), "key.json")


def vote_all(said: Choice, *reviewers: str) -> None:
    """The files that the pages of these reviewers would save."""
    for reviewer in reviewers:
        made = votes_json(key_in(), reviewer, lambda _: said)
        Path(f"votes-{reviewer}.json").write_text(json.dumps(made), encoding="utf-8")


def test_a_batch_has_a_folder_for_reviewers_and_a_key_that_is_not_in_it() -> None:
    write(record_of(8))

    done = ftgate("review", "export", "run.jsonl", "--pairs", "5", "--seed", "s", "-o", "batch")

    assert done.exit_code == 0
    assert done.stdout == (
        "5 pairs of 8 with different answers, for reviewer-1 (5), reviewer-2 (5), reviewer-3 (5)\n"
        "send: batch/for-reviewers/NAME.html (or the .csv) to each reviewer\n"
        "keep: batch/key.json, which says whose answers they are\n"
        "next: ftgate review apply batch votes-*.json -o review.json\n"
    )
    names = sorted(path.relative_to("batch").as_posix() for path in Path("batch").rglob("*.*"))
    kinds = ("csv", "html", "jsonl")
    assert names == [
        *(f"for-reviewers/reviewer-{number}.{kind}" for number in (1, 2, 3) for kind in kinds),
        "key.json",
    ]
    assert sorted(path.name for path in Path().iterdir()) == ["batch", "run.jsonl"]


def test_nothing_for_reviewers_holds_the_seed_an_id_of_a_case_or_an_arm() -> None:
    write(record_of(8))
    ftgate("review", "export", "run.jsonl", "--seed", "the-secret-seed", "-o", "batch")

    for path in Path("batch/for-reviewers").iterdir():
        # Our own style and script may say `align-items: baseline`.
        text = re.sub(r"<(style|script)>.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for secret in ("the-secret-seed", "c001", "baseline", "run-1", "model"):
            assert secret not in text, (path, secret)


def test_the_same_seed_writes_the_same_batch_and_none_writes_others() -> None:
    write(record_of(8))
    for folder, seed in (("a", ["--seed", "s"]), ("b", ["--seed", "s"]), ("c", []), ("d", [])):
        ftgate("review", "export", "run.jsonl", *seed, "-o", folder)

    keys = [Path(folder, "key.json").read_text(encoding="utf-8") for folder in "abcd"]
    assert keys[0] == keys[1]
    assert len({*keys}) == 3
    assert len(key_in("c").seed) == 32


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["--reviewer", "a/b"],
            "--reviewer 'a/b': up to 40 letters, digits, _ . and - are needed: files are called so",
        ),
        (
            ["--reviewer", "Ada", "--reviewer", "ada", "--per-item", "1"],
            "--reviewer: two have the same name: Ada, ada",
        ),
        (["--reviewer", "ada"], "--per-item 3 needs as many reviewers, and named are 1: name more of them"),
        (
            ["--criterion", "1st"],
            "--criterion '1st': a name of 1 to 40 letters, digits, spaces, _ and - is needed",
        ),
        (["--criterion", "Notes"], "--criterion 'Notes' has a meaning of its own: choose another name"),
        (["--criterion", "tone", "--criterion", "Tone"], "--criterion 'Tone' is given twice"),
        (["--instructions", "no.md"], "--instructions no.md can't be read: No such file or directory"),
        (
            ["--instructions", "empty.md"],
            "--instructions empty.md is empty: write what reviewers should know",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_options_is_said_and_nothing_is_written(args: list[str], message: str) -> None:
    write(record_of(2))
    Path("empty.md").write_text(" \n", encoding="utf-8")

    done = ftgate("review", "export", "run.jsonl", "-o", "batch", *args)

    assert (done.exit_code, done.stderr) == (2, f"ftgate: {message}\n")
    assert not Path("batch").exists()


def test_a_batch_is_never_written_over() -> None:
    write(record_of(2))
    ftgate("review", "export", "run.jsonl", "--seed", "s", "-o", "batch")
    before = Path("batch/key.json").read_text(encoding="utf-8")

    done = ftgate("review", "export", "run.jsonl", "-o", "batch")

    assert (done.exit_code, done.stderr) == (
        2,
        "ftgate: batch is there already and is left as it is: votes on it need its key. "
        "Name another folder\n",
    )
    assert Path("batch/key.json").read_text(encoding="utf-8") == before


def test_those_who_vote_are_named_and_share_the_pairs() -> None:
    write(record_of(6))
    names = [word for name in ("ada", "ben", "cleo") for word in ("--reviewer", name)]

    done = ftgate("review", "export", "run.jsonl", *names, "--per-item", "2", "-o", "batch")

    assert (
        done.stdout.splitlines()[0] == "6 pairs of 6 with different answers, for ada (4), ben (4), cleo (4)"
    )


def test_a_place_where_nothing_can_be_written_is_named() -> None:
    write(record_of(1))
    Path("file").write_text("", encoding="utf-8")

    done = ftgate("review", "export", "run.jsonl", "-o", "file/batch")

    assert done.exit_code == 2
    assert done.stderr.startswith("ftgate: can't write file/")
    assert sorted(path.name for path in Path().iterdir()) == ["file", "run.jsonl"]


def test_what_leaves_nothing_to_compare_is_said() -> None:
    cases = [case("a"), case("b")]
    write(record(cases, [*trials(cases[0]), *trials(cases[1], "P", "E")]))

    done = ftgate("review", "export", "run.jsonl", "-o", "batch")

    assert (done.exit_code, done.stderr) == (
        2,
        "ftgate: nothing to compare: 1 case has two equal answers, 1 case was not answered by both arms\n",
    )


def test_instructions_and_criteria_are_the_teams_own() -> None:
    write(record_of(2))
    printed = ftgate("review", "instructions").stdout
    assert printed == DEFAULT
    Path("ours.md").write_text(
        "# House rules\n\n- <b>Be</b> kind\n- Be quick\n\nThank you.\n", encoding="utf-8"
    )

    ftgate(
        "review", "export", "run.jsonl", "-o", "batch", "--instructions", "ours.md",
        "--criterion", "Tone of voice", "--criterion", "safety",
    )  # fmt: skip

    page = Path("batch/for-reviewers/reviewer-1.html").read_text(encoding="utf-8")
    assert "<h2>House rules</h2>" in page
    assert "<li>&lt;b&gt;Be&lt;/b&gt; kind</li><li>Be quick</li>" in page
    assert key_in().questions == ("tone_of_voice", "safety")
    header = Path("batch/for-reviewers/reviewer-1.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert header.endswith('"overall","tone_of_voice","safety","notes","altered"')


def test_the_overall_vote_may_be_all_that_is_asked() -> None:
    write(record_of(2))

    ftgate("review", "export", "run.jsonl", "-o", "batch", "--overall-only")

    assert key_in().questions == ()


def test_votes_that_were_applied_are_counted_by_decide() -> None:
    write(record_of(4, gate=GATE))
    ftgate("review", "export", "run.jsonl", "-o", "batch")
    vote_all(Choice.MODEL, "reviewer-1", "reviewer-2")

    applied = ftgate(
        "review", "apply", "batch", "votes-reviewer-1.json", "votes-reviewer-2.json", "-o", "r.json"
    )
    without = ftgate("decide", "run.jsonl")
    done = ftgate("decide", "run.jsonl", "--review", "r.json", "--report", "all.jsonl", "--verdict", "v.json")

    assert applied.exit_code == 0
    assert "missing: 4 of 4 votes of reviewer-3: p001, p002, p003, p004" in applied.stdout
    assert (without.exit_code, done.exit_code) == (1, 0)
    assert "8 votes of 2 reviewers on 4 cases: 4 won, 0 lost, 0 tied; 100.0%" in done.stdout
    held = parse_record(Path("all.jsonl").read_text(encoding="utf-8").splitlines(), "all.jsonl")
    assert len(held.votes) == 8
    again = ftgate("decide", "all.jsonl", "--verdict", "w.json")
    assert again.exit_code == 0
    assert Path("v.json").read_bytes() == Path("w.json").read_bytes()


def test_a_preference_for_the_baseline_does_not_ship() -> None:
    write(record_of(4, gate=GATE))
    ftgate("review", "export", "run.jsonl", "-o", "batch")
    vote_all(Choice.BASELINE, "reviewer-1")
    ftgate("review", "apply", "batch", "votes-reviewer-1.json", "-o", "r.json")

    done = ftgate("decide", "run.jsonl", "--review", "r.json")

    assert done.exit_code == 1
    assert "ITERATE" in done.stdout


def test_no_vote_that_counts_is_refused_with_all_that_is_wrong() -> None:
    write(record_of(1))
    ftgate("review", "export", "run.jsonl", "--per-item", "1", "-o", "batch")
    made = votes_json(key_in(), "reviewer-1", lambda _: Choice.MODEL)
    made["votes"][0]["overall"] = "C"
    Path("votes.json").write_text(json.dumps(made), encoding="utf-8")

    done = ftgate("review", "apply", "batch", "votes.json", "-o", "r.json")

    assert (done.exit_code, done.stderr) == (
        2,
        "ftgate: no vote counts:\n"
        "ftgate: votes.json: vote 1: impossible: overall is 'C', and can be one of A, B, tie, both bad\n"
        "ftgate: missing: 1 of 1 votes of reviewer-1: p001\n",
    )
    assert not Path("r.json").exists()


def test_a_table_in_another_encoding_is_read() -> None:
    write(record_of(1))
    ftgate("review", "export", "run.jsonl", "--per-item", "1", "-o", "batch")
    text = Path("batch/for-reviewers/reviewer-1.csv").read_text(encoding="utf-8-sig")
    filled = text.replace('"","","","","","",""', '"Tie","","","","","Größe",""')
    assert filled != text
    Path("votes.csv").write_bytes(filled.encode("cp1252"))

    done = ftgate("review", "apply", "batch", "votes.csv", "-o", "r.json")

    assert done.exit_code == 0
    (vote,) = json.loads(Path("r.json").read_text(encoding="utf-8"))["votes"]
    assert (vote["overall"], vote["notes"]) == ("tie", "Größe")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["gone", "votes.json", "-o", "r.json"],
            "gone is no batch of `ftgate review export`: gone/key.json: No such file or directory",
        ),
        (["batch", "gone.json", "-o", "r.json"], "votes gone.json can't be read: No such file or directory"),
        (
            ["batch", "votes.json", "-o", "votes.json"],
            "votes.json is named twice: a file can't be read and written, or written twice",
        ),
        (
            ["batch", "votes.json", "-o", "notes.txt"],
            "notes.txt holds no review and is left as it is: name another file, or delete it first",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_files_is_said(args: list[str], message: str) -> None:
    write(record_of(1))
    ftgate("review", "export", "run.jsonl", "--per-item", "1", "-o", "batch")
    vote_all(Choice.MODEL, "reviewer-1")
    Path("votes-reviewer-1.json").rename("votes.json")
    Path("notes.txt").write_text("mine", encoding="utf-8")

    done = ftgate("review", "apply", *args)

    assert (done.exit_code, done.stderr) == (2, f"ftgate: {message}\n")


def test_decide_refuses_a_review_that_is_none_and_leaves_no_older_verdict() -> None:
    write(record_of(1))
    Path("r.json").write_text("{}", encoding="utf-8")
    Path("v.json").write_text('{"verdict": "SHIP"}', encoding="utf-8")

    done = ftgate("decide", "run.jsonl", "--review", "r.json", "--verdict", "v.json")

    assert (done.exit_code, done.stderr) == (
        2,
        "ftgate: r.json is not a review that `ftgate review apply` wrote (ftgate.review/1)\n",
    )
    assert json.loads(Path("v.json").read_text(encoding="utf-8"))["verdict"] == "INCOMPLETE"
