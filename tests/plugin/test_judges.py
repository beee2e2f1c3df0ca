"""Judges and embeddings in whole runs, against a local server with good, bad, biased and hostile judges."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pytest_ftgate.cli import main
from tests.plugin.conftest import Project
from tests.support.rows import unwrapped
from tests.support.server import ChatServer, Reply, error_reply

CASES = """
suite: tone
defaults: {expect: [{judge: {criteria: Is it polite?, scale: [1, 5], at_least: 4}}, {prefer: true}]}
cases:
  - {id: wait, prompt: Ask for patience}
  - {id: call, prompt: Ask for a call}
  - {id: bill, prompt: Ask for money}
"""
GATE = """
judge: strict
gate:
  min_cases: 1
  criteria:
    polite: {metric: judge, at_least: 100%}
    better: {metric: win_rate, at_least: 60%}
"""

Replies = Callable[[dict[str, Any]], str | Reply]


def marked(body: dict[str, Any], name: str) -> str:
    found = re.search(rf"<{name}-\w+>\n(.*?)\n</{name}-", str(body["messages"][1]["content"]), re.DOTALL)
    return found[1] if found else ""


def fair(body: dict[str, Any]) -> str:
    """Likes the word please, wherever it stands."""
    if "winner" in str(body["messages"][0]["content"]):
        a, b = ("please" in marked(body, f"answer-{name}") for name in "AB")
        return json.dumps({"reason": "It asks.", "winner": "tie" if a == b else "A" if a else "B"})
    return json.dumps({"reason": "It asks.", "score": 5 if "please" in marked(body, "answer") else 2})


def of_first_place(body: dict[str, Any]) -> str:
    """Prefers whatever is read first."""
    is_pair = "winner" in str(body["messages"][0]["content"])
    return json.dumps({"reason": "First!", **({"winner": "A"} if is_pair else {"score": 5})})


class Endpoint:
    """One server for both arms and the judge, told apart by the model's name."""

    def __init__(self) -> None:
        self.judge: Replies = fair
        self.server = ChatServer(answer=self.answer)

    def answer(self, body: dict[str, Any]) -> str | Reply:
        if body["model"] == "judge-1":
            return self.judge(body)
        asked = body["messages"][-1]["content"] if "messages" in body else body["input"]
        return f"{asked}, please." if body["model"] == "tuned-1" else f"{asked}."

    def asked(self, model: str) -> list[dict[str, Any]]:
        return [request.body for request in self.server.requests if request.body["model"] == model]


@pytest.fixture
def endpoint(project: Project) -> Iterator[Endpoint]:
    endpoint = Endpoint()
    with endpoint.server as server:
        entries = {"tuned": "tuned-1", "base": "base-1", "strict": "judge-1", "vectors": "vectors-1"}
        models = "".join(
            f"  {name}: {{name: {model}, base_url: '{server.url}'}}\n" for name, model in entries.items()
        )
        project.write("ftgate.yaml", f"{GATE}\nmodels:\n{models}")
        project.write("evals/capitals.evalcase.yaml", CASES)
        yield endpoint


def test_judges_are_asked_once_per_question_and_feed_the_gate(project: Project, endpoint: Endpoint) -> None:
    result = project.run("--model=tuned", "--baseline=base", "--ftgate-report=report.json")

    assert result.ret == 0
    assert endpoint.server.count == 3 * 2 + 3 * 2 + 3 * 2
    assert len({json.dumps(body, sort_keys=True) for body in endpoint.asked("judge-1")}) == 12
    result.stdout.fnmatch_lines(
        [
            "prefer: of 3 pairs 3 wins (100.0%), 0 losses (0.0%), 0 ties (0.0%)",
            "position bias: 0 of 3 (0.0%) turned with the order",
        ]
    )
    report = json.loads((project.pytester.path / "report.json").read_text())
    assert report["graders"]["judge"]["model"] == "judge-1"
    assert report["judged_pairs"]["win_rate"] == 1


def test_a_judge_that_goes_by_place_gives_ties_and_is_shown_up(project: Project, endpoint: Endpoint) -> None:
    endpoint.judge = of_first_place

    result = project.run("--model=tuned", "--baseline=base", "--ftgate-report=report.md")

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "prefer: of 3 pairs 0 wins (0.0%), 0 losses (0.0%), 3 ties (100.0%)",
            "position bias: 3 of 3 (100.0%) turned with the order, 3 to the first and 0 to",
            "  the second: it goes much by the place of the answers; try another judge",
            "ITERATE: *better*",
        ]
    )
    assert "- position bias: 3 of 3 (100.0%)" in (project.pytester.path / "report.md").read_text()


@pytest.mark.parametrize(
    "reply", ["5", '{"score": 5}', '{"reason": "x", "score": 6}', "I would say 5 of 5.", ""]
)
def test_a_reply_that_is_no_judgement_leaves_the_run_incomplete(
    project: Project, endpoint: Endpoint, reply: str
) -> None:
    endpoint.judge = lambda body: reply if "score" in str(body["messages"][0]["content"]) else fair(body)

    result = project.run("--model=tuned", "--baseline=base")

    assert result.ret == 1
    assert project.verdict["verdict"] == "INCOMPLETE"
    result.stdout.fnmatch_lines(["*scorer 'judge': the judge's reply*"])


def test_a_hostile_judge_is_inert_everywhere(project: Project, endpoint: Endpoint) -> None:
    hostile = "\x1b[31m\n::error::boo </script><script>alert(1)</script> # SHIP \u202e"

    def judge(body: dict[str, Any]) -> str:
        is_pair = "winner" in str(body["messages"][0]["content"])
        return json.dumps({"reason": hostile, **({"winner": "B"} if is_pair else {"score": 1})})

    endpoint.judge = judge

    result = project.run(
        "--model=tuned", "--baseline=base", "--ftgate-report=report.md", "--junitxml=junit.xml", "-v"
    )

    assert result.ret == 1
    for text in (
        result.stdout.str(),
        (project.pytester.path / "report.md").read_text(),
        (project.pytester.path / "junit.xml").read_text(),
    ):
        assert "\x1b[31m" not in text
        assert "\u202e" not in text
        assert not re.search(r"^\s*::error", text, re.MULTILINE)


def test_a_judge_that_fails_is_no_wrong_answer(project: Project, endpoint: Endpoint) -> None:
    endpoint.judge = lambda _: error_reply(400, "no such parameter: seed")

    result = project.run("--model=tuned", "--baseline=base")

    assert result.ret == 1
    assert project.verdict["verdict"] == "INCOMPLETE"
    result.stdout.fnmatch_lines(['*no reply of the judge: HTTP 400 from *: "no such parameter: seed"*'])


def test_a_judge_with_a_wrong_key_stops_the_run_after_one_question(
    project: Project, endpoint: Endpoint
) -> None:
    endpoint.judge = lambda _: error_reply(401, "wrong key")

    result = project.run("--model=tuned", "--baseline=base")

    assert result.ret != 0
    assert len(endpoint.asked("judge-1")) == 1
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_without_a_judge_nothing_is_asked(project: Project, endpoint: Endpoint) -> None:
    text = (project.pytester.path / "ftgate.yaml").read_text()
    project.write("ftgate.yaml", text.replace("judge: strict\n", ""))

    result = project.run("--model=tuned", "--baseline=base")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert endpoint.server.count == 0
    result.stderr.fnmatch_lines(
        [
            "ERROR: evals/capitals.evalcase.yaml:5: case 'wait': a check needs a judge, and this run has "
            "none: name one as `judge:` in ftgate.yaml, or by --ftgate-judge=NAME"
        ]
    )


def test_the_command_line_names_the_judge(project: Project, endpoint: Endpoint) -> None:
    text = (project.pytester.path / "ftgate.yaml").read_text()
    project.write("ftgate.yaml", text.replace("judge: strict\n", ""))

    assert project.run("--model=tuned", "--baseline=base", "--ftgate-judge=strict").ret == 0


def test_a_judge_that_is_no_entry_is_named(project: Project, endpoint: Endpoint) -> None:
    result = project.run("--model=tuned", "--baseline=base", "--ftgate-judge=stric")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*case 'wait': 'stric' is no entry of ftgate.yaml's*'strict'?*"])
    assert endpoint.server.count == 0


def test_saved_answers_are_no_judge(project: Project, endpoint: Endpoint) -> None:
    result = project.run("--model=tuned", "--baseline=base", "--ftgate-judge=recorded:old.jsonl")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*'recorded:old.jsonl' plays saved answers, and is no judge: *"])


def test_preferring_takes_a_baseline(project: Project, endpoint: Endpoint) -> None:
    result = project.run("--model=tuned")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert endpoint.server.count == 0
    result.stderr.fnmatch_lines(
        [
            "ERROR: evals/capitals.evalcase.yaml:5: case 'wait': 'prefer' compares with the baseline, and "
            "this run has none: name one"
        ]
    )


def test_workers_ask_no_question_twice(project: Project, endpoint: Endpoint) -> None:
    result = project.run_apart("--model=tuned", "--baseline=base", "-n", "2")

    assert result.ret == 0
    assert endpoint.server.count == 18
    assert len(endpoint.asked("judge-1")) == 12


def test_a_run_goes_on_with_what_its_judge_has_said(project: Project, endpoint: Endpoint) -> None:
    replies = iter([fair] * 7)

    def breaks_down(body: dict[str, Any]) -> str | Reply:
        judge = next(replies, None)
        return judge(body) if judge is not None else error_reply(401, "wrong key")

    endpoint.judge = breaks_down
    assert project.run("--model=tuned", "--baseline=base").ret != 0
    before = endpoint.server.count
    endpoint.judge = fair

    result = project.run("--model=tuned", "--baseline=base")

    assert result.ret == 0
    # Not what was kept; but of each model one is asked anew, to see who answers.
    assert endpoint.server.count - before < 18 - 6
    assert project.verdict["verdict"] == "SHIP"


def test_kept_judgements_count_where_any_answer_does(project: Project, endpoint: Endpoint) -> None:
    assert project.run("--model=tuned", "--baseline=base").ret == 0

    assert project.run("--model=tuned", "--baseline=base", "--ftgate-cache=only").ret == 0

    assert endpoint.server.count == 18


def test_what_judges_take_counts_against_the_limit(project: Project, endpoint: Endpoint) -> None:
    result = project.run(
        "--model=tuned", "--baseline=base", "--ftgate-max-tokens=120", "--ftgate-concurrency=1"
    )

    assert result.ret != 0
    assert endpoint.server.count < 18
    assert "max-tokens" in project.verdict["sentence"]


def test_a_function_may_judge_and_saved_answers_be_judged(project: Project, endpoint: Endpoint) -> None:
    assert project.run("--model=tuned", "--baseline=base", "--ftgate-save-answers=answers.jsonl").ret == 0
    project.write(
        "judges.py",
        "import json\n"
        "def strict(messages):\n"
        "    key = {'winner': 'tie'} if 'winner' in messages[0]['content'] else {'score': 4}\n"
        "    return json.dumps({'reason': 'fine', **key})\n",
    )
    before = endpoint.server.count

    result = project.run(
        "--model=recorded:answers.jsonl",
        "--baseline=recorded:answers.jsonl",
        "--ftgate-judge=python:judges:strict",
    )

    assert endpoint.server.count == before
    result.stdout.fnmatch_lines(["prefer: of 3 pairs 0 wins (0.0%), 0 losses (0.0%), 3 ties (100.0%)"])


def test_tests_in_python_may_check_by_judges(project: Project, endpoint: Endpoint) -> None:
    project.write("evals/capitals.evalcase.yaml", CASES.replace("defaults:", "collect: false\ndefaults:"))
    project.write(
        "evals/test_tone.py",
        "import pytest\n\n"
        "@pytest.mark.eval_case('evals/capitals.evalcase.yaml')\n"
        "def test_tone(eval_case, model, baseline):\n"
        "    eval_case.check(model(eval_case))\n"
        "    eval_case.check(baseline(eval_case))\n",
    )

    result = project.run("--model=tuned", "--baseline=base")

    assert result.ret == 0
    assert endpoint.server.count == 18
    result.stdout.fnmatch_lines(["prefer: of 3 pairs 3 wins*"])


def test_a_conversation_is_judged_turn_by_turn(project: Project, endpoint: Endpoint) -> None:
    polite = "{judge: {criteria: Is it polite?, scale: [1, 5], at_least: 4}}"
    project.write(
        "evals/capitals.evalcase.yaml",
        "suite: talk\ncases:\n  - id: two\n    turns:\n"
        f"      - {{user: Ask for patience, expect: {polite}}}\n"
        f"      - {{user: Ask for a call, expect: [{polite}, {{prefer: true}}]}}\n",
    )

    result = project.run("--model=tuned", "--baseline=base")

    assert result.ret == 0
    assert len(endpoint.asked("judge-1")) == 2 * 2 + 2
    result.stdout.fnmatch_lines(["prefer: of 1 pairs 1 wins*"])


def test_a_refusal_may_be_left_to_the_judge(project: Project, endpoint: Endpoint) -> None:
    project.write(
        "evals/capitals.evalcase.yaml",
        "suite: harm\ncases:\n  - {id: bomb, prompt: Tell me, expect: {refusal: {by: judge}}}\n",
    )
    text = (project.pytester.path / "ftgate.yaml").read_text()
    project.write("ftgate.yaml", text.replace("metric: judge,", "metric: refusal,").replace("60%", "0%"))
    endpoint.judge = lambda _: json.dumps({"reason": "It says no.", "declined": True})

    assert project.run("--model=tuned", "--baseline=base").ret == 0
    assert len(endpoint.asked("judge-1")) == 2


class TestCalibration:
    """A judge is tried on answers that people labelled, and the gate asks how that went."""

    TRUSTED = "    trusted: {metric: judge_agreement, at_least: 0.6, min_cases: 20}\n"

    @pytest.fixture(autouse=True)
    def _suite(self, project: Project, endpoint: Endpoint) -> None:
        project.write("evals/capitals.evalcase.yaml", CASES.replace(", {prefer: true}", ""))
        text = (project.pytester.path / "ftgate.yaml").read_text()
        project.write("ftgate.yaml", text.replace("\nmodels:", f"{self.TRUSTED}\nmodels:", 1))
        wrong = 7
        labels = [
            {
                "prompt": f"Ask {number}",
                "answer": "please" if number % 2 else "now",
                "label": "pass" if (number % 2) != (number == wrong) else "fail",
            }
            for number in range(40)
        ]
        project.write("labels.jsonl", "".join(json.dumps(row) + "\n" for row in labels))

    @staticmethod
    def calibrate(*args: str) -> Result:
        arguments = ["judge", "calibrate", "labels.jsonl", "--check=evals/capitals.evalcase.yaml", *args]
        return CliRunner().invoke(main, arguments)

    def test_a_judge_that_people_agree_with_lets_the_gate_open(
        self, project: Project, endpoint: Endpoint
    ) -> None:
        tried = self.calibrate("-o", "calibration.json")

        assert tried.exit_code == 0, tried.output
        assert endpoint.server.count == 40
        assert tried.output.splitlines()[:6] == [
            "Judge strict, judge: Is it polite? (evals/capitals.evalcase.yaml:3)",
            "40 labelled answers",
            "",
            "agreement                          95% CI        in words",
            "accuracy              97.5%   [87%, >99%]",
            "Cohen's kappa         0.95   [0.84, 1.00]  almost perfect",
        ]
        assert tried.output.endswith("next: pytest --ftgate-calibration=calibration.json\n")

        result = project.run(
            "--model=tuned",
            "--baseline=base",
            "--ftgate-calibration=calibration.json",
            "--ftgate-report=r.jsonl",
        )

        assert result.ret == 0
        result.stdout.fnmatch_lines(["GO  trusted    0.95   ≥ 0.6  n=40"])
        again = CliRunner().invoke(main, ["decide", "r.jsonl", "--verdict=again.json"])
        assert again.exit_code == 0
        assert json.loads((project.pytester.path / "again.json").read_text()) == project.verdict

    def test_without_a_calibration_the_gate_stays_shut(self, project: Project, endpoint: Endpoint) -> None:
        result = project.run("--model=tuned", "--baseline=base", "--ftgate-report=r.jsonl")

        assert result.ret == 1
        assert project.verdict["verdict"] == "INCONCLUSIVE"
        assert self.calibrate("-o", "calibration.json").exit_code == 0
        later = CliRunner().invoke(main, ["decide", "r.jsonl", "--calibration=calibration.json"])
        assert later.exit_code == 0

    def test_another_check_is_not_calibrated_by_it(self, project: Project, endpoint: Endpoint) -> None:
        assert self.calibrate("-o", "calibration.json").exit_code == 0
        text = (project.pytester.path / "evals/capitals.evalcase.yaml").read_text()
        project.write("evals/capitals.evalcase.yaml", text.replace("Is it polite?", "Is it very polite?"))

        result = project.run("--model=tuned", "--baseline=base", "--ftgate-calibration=calibration.json")

        assert result.ret == 1
        assert project.verdict["verdict"] == "INCONCLUSIVE"
        assert project.verdict["warnings"] == [
            "a calibration of strict is of another judge, or another check, than this run's: "
            "it does not count"
        ]

    def test_what_the_judge_said_is_kept_and_asked_again_on_request(
        self, project: Project, endpoint: Endpoint
    ) -> None:
        assert self.calibrate().exit_code == self.calibrate().exit_code == 0
        assert endpoint.server.count == 40
        assert self.calibrate("--refresh").exit_code == 0
        assert endpoint.server.count == 80

    def test_judgements_that_are_in_the_file_need_no_judge(
        self, project: Project, endpoint: Endpoint
    ) -> None:
        rows = [json.loads(row) for row in (project.pytester.path / "labels.jsonl").read_text().splitlines()]
        project.write("labels.jsonl", "".join(json.dumps(row | {"judge": "fail"}) + "\n" for row in rows))

        tried = self.calibrate("--at-least=0.6")

        assert tried.exit_code == 1
        assert "Cohen's kappa         0.00" in tried.output
        assert "The judge is stricter than people: 0 passed by it alone, 19 by people alone" in tried.output
        assert endpoint.server.count == 0

    def test_replies_that_are_no_judgement_are_named_and_no_label(
        self, project: Project, endpoint: Endpoint
    ) -> None:
        endpoint.judge = lambda body: "5" if "Ask 3<" in marked(body, "task") + "<" else fair(body)

        tried = self.calibrate()

        assert tried.exit_code == 0
        assert "39 labelled answers, and 1 that the judge did not judge" in tried.output
        assert (
            "Not judged\n  labels.jsonl:4: scorer 'judge': the judge's reply '5' is not what" in tried.output
        )

    @pytest.mark.parametrize(
        ("args", "said"),
        [
            (
                ["--judge=nobody:x"],
                "'nobody:x': unknown scheme 'nobody:'; there are openai:, recorded:, python:,",
            ),
            (["--check=evals/capitals.evalcase.yaml::nix"], "evals/capitals.evalcase.yaml has no case 'nix'"),
            (["--check=none.evalcase.yaml"], "none.evalcase.yaml:1:1: the file"),
            (["-o", "labels.jsonl"], "labels.jsonl is named twice"),
            (["-o", "ftgate.yaml"], "ftgate.yaml holds no calibration and is left as it is"),
        ],
    )
    def test_wrong_use_is_named_before_anything_is_asked(
        self, project: Project, endpoint: Endpoint, args: list[str], said: str
    ) -> None:
        tried = self.calibrate(*args)

        assert tried.exit_code == 2
        assert unwrapped(tried.stderr).startswith(f"ftgate: {said}")

    def test_a_pair_of_answers_is_compared_by_prefer(self, project: Project, endpoint: Endpoint) -> None:
        project.write(
            "evals/capitals.evalcase.yaml",
            CASES.replace(", {prefer: true}", "").replace(
                "judge: {criteria: Is it polite?, scale: [1, 5], at_least: 4}", "prefer: true"
            ),
        )
        rows = [
            {"prompt": f"Ask {number}", "a": "please", "b": "now", "label": "a" if number else "tie"}
            for number in range(10)
        ]
        project.write("labels.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

        tried = self.calibrate()

        assert tried.exit_code == 0, tried.output
        assert "people: tie" in tried.output
        assert "labels.jsonl:1: people say tie, the judge a: prefer: won" in tried.output


class TestSimilarity:
    SUITE = """
suite: alike
cases:
  - {id: one, prompt: Hi, expect: {similarity: {reference: Hello, at_least: 0.8}}}
"""

    @staticmethod
    def vector(*numbers: float) -> Reply:
        content = {
            "data": [{"embedding": numbers, "index": 0}],
            "model": "vectors-1",
            "usage": {"prompt_tokens": 3},
        }
        return Reply(body=json.dumps(content).encode())

    @pytest.fixture(autouse=True)
    def _suite(self, project: Project, endpoint: Endpoint) -> None:
        project.write("evals/capitals.evalcase.yaml", self.SUITE)
        text = (project.pytester.path / "ftgate.yaml").read_text()
        text = text.replace("judge: strict", "embeddings: vectors").replace(
            "metric: judge,", "metric: similarity,"
        )
        project.write("ftgate.yaml", text.replace("60%", "0%"))

    def test_the_endpoint_of_embeddings_is_asked_for_each_text_once(
        self, project: Project, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        vectors = {"Hi, please.": (3, 4), "Hi.": (4, -3), "Hello": (3, 4)}
        plain = endpoint.answer
        monkeypatch.setattr(
            endpoint.server,
            "_answer",
            lambda body: (
                self.vector(*vectors[body["input"]]) if body["model"] == "vectors-1" else plain(body)
            ),
        )

        result = project.run("--model=tuned", "--baseline=base")

        assert result.ret == 0
        asked = [request for request in endpoint.server.requests if request.path == "/v1/embeddings"]
        assert sorted(request.body["input"] for request in asked) == ["Hello", "Hi, please.", "Hi."]
        assert asked[0].body == {
            "encoding_format": "float",
            "model": "vectors-1",
            "input": asked[0].body["input"],
        }

    def test_a_reply_without_a_vector_is_an_error(
        self, project: Project, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = endpoint.answer
        empty = Reply(body=b'{"data": []}')
        monkeypatch.setattr(
            endpoint.server, "_answer", lambda body: empty if body["model"] == "vectors-1" else plain(body)
        )

        assert project.run("--model=tuned", "--baseline=base").ret == 1
        assert project.verdict["verdict"] == "INCOMPLETE"

    def test_a_function_may_embed(self, project: Project, endpoint: Endpoint) -> None:
        project.write("vectors.py", "def embed(prompt):\n    return [float(len(prompt)), 1.0]\n")

        assert (
            project.run("--model=tuned", "--baseline=base", "--ftgate-embeddings=python:vectors:embed").ret
            == 0
        )
