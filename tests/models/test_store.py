from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.cases import Arm, EvalCase, Expectation, Turn
from pytest_ftgate.completions import Completion, ToolCall, Usage
from pytest_ftgate.errors import FatalModelError, ModelError, StoreError
from pytest_ftgate.models import Request
from pytest_ftgate.models.answer_store.answer_key import AnswerKeys
from pytest_ftgate.models.answer_store.session import Reuse, Session
from pytest_ftgate.models.answer_store.store import AnswerStore, Mine, Theirs
from pytest_ftgate.models.endpoints.openai_endpoint import OpenAIEndpoint
from pytest_ftgate.models.endpoints.settings import EndpointSettings
from pytest_ftgate.models.functions.python_function import PythonFunction
from tests.models.asking import KEY
from tests.support.requests import request

WHOLE = Completion(
    text='Grüße\n\\ud800 "x" \x7f\u2028',
    tool_calls=(
        ToolCall(name="f", arguments={"a": [1, 2.5, None]}),
        ToolCall(name="g", arguments=None, text="("),
    ),
    finish_reason="stop",
    refusal="no",
    usage=Usage(input_tokens=0, output_tokens=7),
    latency_s=0.1 + 0.2,
    time_to_first_token_s=1e-9,
    logprobs=(-0.1, -1e-300),
    cost=0.0,
    model="served",
    fingerprint="fp",
    created=1763655224.123456,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


class Stores:
    """Makes the stores of several processes, and closes them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.made: list[AnswerStore] = []

    def __call__(self, owner: str = "gw0", *, lease_s: float = 60.0, **session: Any) -> AnswerStore:
        made = Session(**{"id": "one", "plan": "plan", "reuse": Reuse.RESUME, **session})
        self.made.append(AnswerStore(self.path, made, owner=owner, lease_s=lease_s))
        return self.made[-1]


@pytest.fixture
def stores(path: Path) -> Iterator[Stores]:
    made = Stores(path)
    yield made
    for store in made.made:
        store.close()


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_the_first_that_claims_a_request_sends_it(stores: Stores) -> None:
    first, second = stores("gw0"), stores("gw1")

    assert first.claim(["a", "b"]) == {"a": Mine(), "b": Mine()}
    states = second.claim(["b", "c"])

    assert states["c"] == Mine()
    assert isinstance(states["b"], Theirs)
    assert 50 < states["b"].until - time.monotonic() <= 60
    assert first.claim(["a"]) == {"a": Mine()}


def test_an_answer_is_the_same_in_every_process(stores: Stores) -> None:
    first, second = stores("gw0"), stores("gw1")
    first.claim(["a"])

    first.keep({"a": WHOLE})

    assert second.claim(["a"]) == {"a": WHOLE}
    assert second.outcomes(["a", "b"]) == {"a": WHOLE}


def test_errors_are_told_to_the_other_processes(stores: Stores) -> None:
    stores("gw0").keep(
        {"a": ModelError("too long, \ud800", kind="status"), "b": FatalModelError("wrong key", kind="status")}
    )

    found = stores("gw1").claim(["a", "b"])

    assert [(type(one), str(one), getattr(one, "kind", "")) for one in found.values()] == [
        (ModelError, "too long, \ud800", "status"),
        (FatalModelError, "wrong key", "status"),
    ]


def test_news_come_once_and_only_of_what_is_wanted(stores: Stores) -> None:
    first, second = stores("gw0"), stores("gw1")
    second.open()

    first.keep({"a": Completion(text="A"), "b": Completion(text="B")})

    assert second.news({"a", "c"}) == {"a": Completion(text="A")}
    assert second.news({"a", "b"}) == {}
    first.keep({"c": Completion(text="C")})
    assert second.news({"c"}) == {"c": Completion(text="C")}


def test_fatal_errors_are_news_to_everybody_who_comes_later_too(stores: Stores) -> None:
    stores("gw0").keep({"a": FatalModelError("wrong key", kind="status")})

    (found,) = stores("gw1").news(set()).values()

    assert isinstance(found, FatalModelError)


def test_a_process_is_not_told_its_own_outcomes(stores: Stores) -> None:
    store = stores()

    store.keep({"a": WHOLE})

    assert store.news({"a"}) == {}


def test_of_two_outcomes_the_first_counts_for_everybody(stores: Stores) -> None:
    first, second = stores("gw0"), stores("gw1")
    first.keep({"a": Completion(text="first")})

    kept = second.keep({"a": Completion(text="second"), "b": Completion(text="b")})

    assert kept == {"a": Completion(text="first"), "b": Completion(text="b")}
    assert first.outcomes(["a"]) == {"a": Completion(text="first")}


def test_other_runs_are_not_served(stores: Stores) -> None:
    stores(id="before", plan="another").keep({"a": WHOLE})

    store = stores(id="now")

    assert store.outcomes(["a"]) == {}
    assert store.claim(["a"]) == {"a": Mine()}
    assert store.news({"a"}) == {}


def test_claims_of_a_process_that_is_not_heard_of_are_free(stores: Stores) -> None:
    dead, alive = stores("gw0", lease_s=1.0), stores("gw1")
    dead.claim(["a", "b"])
    dead.keep({"b": WHOLE})
    assert alive.abandoned(["a", "b", "c"], 9) == ["c"]

    end = time.monotonic() + 60
    while not alive.abandoned(["a"], 9) and time.monotonic() < end:
        time.sleep(0.01)

    assert alive.abandoned(["a", "b", "c"], 9) == ["a", "c"]
    assert alive.abandoned(["a", "b", "c"], 1) == ["a"]
    assert alive.claim(["a", "b"]) == {"a": Mine(), "b": WHOLE}


def test_a_process_that_is_heard_of_keeps_its_claims(stores: Stores) -> None:
    first, second = stores("gw0", lease_s=0.3), stores("gw1")
    first.claim(["a"])

    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        first.beat()
        time.sleep(0.01)

    assert isinstance(second.claim(["a"])["a"], Theirs)


def test_a_process_lets_go_of_its_claims_when_it_ends(stores: Stores) -> None:
    first, second = stores("gw0"), stores("gw1")
    first.claim(["a"])

    first.close()

    assert second.claim(["a"]) == {"a": Mine()}


def test_a_process_that_is_known_to_be_dead_is_forgotten_at_once(stores: Stores) -> None:
    controller, dead, alive = stores("controller"), stores("gw0"), stores("gw1")
    dead.claim(["a"])

    controller.forget("gw0")

    assert alive.claim(["a"]) == {"a": Mine()}


def test_a_changed_row_is_no_answer_and_is_remarked(stores: Stores, path: Path) -> None:
    first, second = stores("gw0"), stores("gw1")
    first.claim(["a", "b"])
    first.keep({"a": Completion(text="wrong"), "b": Completion(text="b")})
    change(path, "UPDATE answers SET completion = replace(completion, 'wrong', 'right')")

    states = second.claim(["a", "b"])

    assert states == {"a": Mine(), "b": Completion(text="b")}
    assert second.remarks() == (f"1 answer was changed in {path} by somebody else, and asked again",)
    assert first.remarks() == ()
    assert second.keep({"a": Completion(text="again")}) == {"a": Completion(text="again")}


def test_a_row_that_moved_to_another_key_is_no_answer(stores: Stores, path: Path) -> None:
    stores("gw0").keep({"a": WHOLE})
    change(path, "UPDATE answers SET key = 'b'")

    assert stores("gw1").outcomes(["a", "b"]) == {}


def test_an_answer_that_is_no_json_is_an_error(stores: Stores) -> None:
    store = stores()

    kept = store.keep({"a": Completion(latency_s=float("nan")), "b": WHOLE})

    what = "the answer can't be kept: Out of range float values are not JSON compliant"
    assert str(kept["a"]).removesuffix(": nan") == what  # Python 3.12 adds the value
    assert kept["b"] == WHOLE
    assert isinstance(stores("gw1").outcomes(["a"])["a"], ModelError)


def test_many_keys_at_once(stores: Stores) -> None:
    keys = [str(number) for number in range(1234)]
    first, second = stores("gw0"), stores("gw1")

    assert set(first.claim(keys).values()) == {Mine()}
    second.open()
    first.keep({key: Completion(text=key) for key in keys})

    assert second.news(set(keys)) == {key: Completion(text=key) for key in keys}
    assert len(second.outcomes(keys)) == 1234


def test_it_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite", Session(id="one"), owner="gw0")

    store.claim(["a"])

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    store.close()
    assert modes == dict.fromkeys(["answers.sqlite", "answers.sqlite-wal", "answers.sqlite-shm"], 0o600)


def test_nothing_is_made_before_it_is_needed(path: Path, stores: Stores) -> None:
    stores()

    assert not path.exists()


def test_its_own_folder_is_ignored_by_git(tmp_path: Path) -> None:
    for name in (".ftgate", "other"):
        store = AnswerStore(tmp_path / name / "answers.sqlite", Session(id="one"), owner="gw0")
        store.open()
        store.close()

    assert (tmp_path / ".ftgate" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert not (tmp_path / "other" / ".gitignore").exists()


def test_a_gitignore_of_the_users_stays(tmp_path: Path) -> None:
    own = tmp_path / ".ftgate" / ".gitignore"
    own.parent.mkdir()
    own.write_text("# mine\n", encoding="utf-8")

    store = AnswerStore(own.with_name("answers.sqlite"), Session(id="one"), owner="gw0")
    store.open()
    store.close()

    assert own.read_text(encoding="utf-8") == "# mine\n"


LEFT = (
    "It was left as it is: move it away, and the next run makes a new one, "
    "or run with --ftgate-cache=off, which keeps no answers"
)


def refused(store: AnswerStore) -> str:
    with pytest.raises(StoreError) as caught:
        store.open()
    return str(caught.value)


def test_a_newer_store_is_refused_and_stays(path: Path, stores: Stores) -> None:
    stores("gw0").open()
    stores.made.pop().close()
    change(path, "PRAGMA user_version = 7")
    before = path.read_bytes()

    assert refused(stores()) == (
        f"{path}: written by a newer release of pytest-ftgate (its version 7, this one knows 2). "
        f"Update pytest-ftgate. {LEFT}"
    )
    assert path.read_bytes() == before


def test_a_file_that_is_no_store_is_refused_and_stays(path: Path, stores: Stores) -> None:
    path.write_bytes(b"not a database" * 100)

    assert refused(stores()) == f"{path}: damaged, or no answer store (file is not a database). {LEFT}"
    assert path.read_bytes() == b"not a database" * 100


def test_a_damaged_store_is_refused_and_stays(path: Path, stores: Stores) -> None:
    store = stores()
    store.keep({str(n): WHOLE for n in range(100)})
    store.close()
    content = path.read_bytes()
    damaged = content[:4096] + b"\xff" * (len(content) - 4096)
    path.write_bytes(damaged)

    stores.made.clear()
    other = AnswerStore(path, Session(id="one"), owner="gw1")
    with pytest.raises(StoreError) as caught:
        other.claim(["a"])
    with suppress(StoreError):
        other.close()

    assert (
        str(caught.value) == f"{path}: damaged, or no answer store (database disk image is malformed). {LEFT}"
    )


def test_another_programs_database_is_refused_and_stays(path: Path, stores: Stores) -> None:
    change(path, "CREATE TABLE bookmarks (url)")

    assert refused(stores()) == f"{path}: a SQLite file of another program. {LEFT}"


def test_a_link_is_refused(path: Path, stores: Stores, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "elsewhere")

    assert refused(stores()) == f"{path}: a link, through which nothing is written. Put the file itself there"
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_can_not_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / ".ftgate").write_text("a file", encoding="utf-8")
    path = tmp_path / ".ftgate" / "answers.sqlite"

    assert refused(AnswerStore(path, Session(id="one"), owner="gw0")) == not_writable(path, "File exists")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    tmp_path.chmod(0o500)

    message = refused(AnswerStore(path, Session(id="one"), owner="gw0"))

    tmp_path.chmod(0o700)
    assert message == not_writable(path, "Permission denied")


def test_a_folder_in_the_files_place_is_named(path: Path, stores: Stores) -> None:
    path.mkdir()

    assert refused(stores()) == not_writable(path, "Is a directory")


def not_writable(path: Path, why: str) -> str:
    return (
        f"{path}: answers can't be kept there ({why}). Make {path.parent} a folder that can be written, "
        "or run with --ftgate-cache=off, which keeps no answers"
    )


WRITER = """
import sys, time
from pathlib import Path
from pytest_ftgate.completions import Completion
from pytest_ftgate.models.answer_store.session import Session
from pytest_ftgate.models.answer_store.store import AnswerStore

path, owner, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = AnswerStore(path, Session(id="one"), owner=owner)
sys.stdin.readline()
for number in range(count):
    store.keep({f"{owner} {number}": Completion(text=str(number))})
    print(number, flush=True)
"""


def writer(path: Path, owner: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), owner, str(count)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_sixteen_processes_write_without_a_lock_error(path: Path, stores: Stores) -> None:
    writers = [writer(path, f"gw{number}", 500) for number in range(16)]

    for process in writers:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    errors = [process.communicate()[1] for process in writers]

    assert errors == [""] * 16
    keys = [f"gw{owner} {number}" for owner in range(16) for number in range(500)]
    assert stores().outcomes(keys).keys() == set(keys)


def test_what_was_acknowledged_survives_a_kill(path: Path, stores: Stores) -> None:
    process = writer(path, "gw0", 10**9)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    for _ in range(50):
        process.stdout.readline()

    process.kill()

    said = process.communicate()[0].splitlines()
    acknowledged = 50 + sum(line.isdigit() for line in said)
    keys = [f"gw0 {number}" for number in range(acknowledged)]
    assert stores("gw1").outcomes(keys) == {f"gw0 {n}": Completion(text=str(n)) for n in range(acknowledged)}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_opens_the_store_again(path: Path) -> None:
    # In a process of its own: forking one that has threads is another problem.
    script = """
import os, sys
from pathlib import Path
from pytest_ftgate.completions import Completion
from pytest_ftgate.models.answer_store.session import Session
from pytest_ftgate.models.answer_store.store import AnswerStore

store = AnswerStore(Path(sys.argv[1]), Session(id="one"), owner="gw0")
store.keep({"parent": Completion(text="p")})
child = os.fork()
if not child:
    store.keep({"child": Completion(text="c")})
    store.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
store.keep({"after": Completion(text="a")})
print(*sorted(store.outcomes(["parent", "child", "after"])))
"""
    run = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )

    assert (run.stdout, run.stderr) == ("after child parent\n", "")


# Keys


def key_of(asked: Request, **settings: Any) -> str:
    given = {"base_url": "http://localhost:1/v1", "api_key": KEY, **settings}
    made = OpenAIEndpoint(EndpointSettings(name="tuned", model=given.pop("model", "ft"), **given))
    return AnswerKeys("session").of(made, asked)


def test_a_key_depends_on_everything_that_is_asked_and_on_who_is_asked() -> None:
    case: dict[str, Any] = {"params": {"seed": 1}}
    perplexity = Expectation(scorer="perplexity", options={"at_most": 5})
    keys = [
        key_of(request(**case)),
        key_of(request(prompt="Capital of Spain?", **case)),
        key_of(request(id="other", **case)),
        key_of(request(suite="other", **case)),
        key_of(request(arm=Arm.BASELINE, **case)),
        key_of(request(repeat=2, **case)),
        key_of(request(params={"seed": 2})),
        key_of(request(params={"seed": "1"})),
        key_of(request(params={"seed": 1, "temperature": 0})),
        key_of(request(tools=({"type": "function"},), **case)),
        key_of(request(expect=(perplexity,), **case)),
        key_of(request(**case), revision="step-2"),
        key_of(request(**case), model="ft-2"),
        key_of(request(**case), deployment="blue"),
        key_of(request(**case), base_url="http://localhost:2/v1"),
        key_of(request(**case), base_url="http://localhost:1/v2"),
        key_of(request(**case), base_url="http://localhost:1/v1?weights=2"),
        key_of(request(**case), query={"api-version": "2"}),
        key_of(request(**case), headers={"X-Weights": "step-2"}),
        key_of(request(**case), params={"temperature": 1}),
        key_of(request(**case), system="Be brief."),
        key_of(request(**case), stream=True),
        key_of(request(**case), api="responses"),
        key_of(request(turns=(Turn(user="And of Spain?"),), **case)),
        key_of(Request(case=request(**case).case, arm=Arm.MODEL, via="folder")),
    ]

    assert len(set(keys)) == len(keys)


def test_a_key_does_not_depend_on_what_is_not_asked() -> None:
    plain = request(params={"a": 1, "b": 2})
    moved = request(params={"b": 2, "a": 1}, path="elsewhere.evalcase.yaml", line=99, tags=("slow",))

    assert key_of(plain) == key_of(moved)


def test_a_renewed_key_is_no_other_question() -> None:
    assert key_of(request(), api_key=KEY) == key_of(request(), api_key=KEY[::-1])
    assert key_of(request(), headers={"X-Api-Key": "a"}) == key_of(request(), headers={"X-Api-Key": "b"})


def test_answers_of_code_that_nothing_tells_apart_belong_to_their_session() -> None:
    def answer(prompt: str) -> str:
        return prompt

    plain, tagged = PythonFunction("app", answer), PythonFunction("app", answer, revision="3")
    one, other = AnswerKeys("one"), AnswerKeys("other")

    assert one.of(plain, request()) != other.of(plain, request())
    assert one.of(plain, request()) == AnswerKeys("one").of(plain, request())
    assert one.of(tagged, request()) == other.of(tagged, request())
    assert one.of(tagged, request()) != one.of(PythonFunction("app", answer, revision="4"), request())


texts = st.text(max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
asked_requests = st.builds(
    Request,
    case=st.builds(
        EvalCase,
        suite=texts,
        id=texts,
        path=st.just("x"),
        line=st.just(1),
        messages=st.lists(
            st.fixed_dictionaries({"role": texts, "content": texts}), min_size=1, max_size=2
        ).map(tuple),
        tools=st.lists(st.dictionaries(texts, values, max_size=1), max_size=1).map(tuple),
        params=st.dictionaries(st.sampled_from(["seed", "temperature", ""]), values, max_size=2),
    ),
    arm=st.sampled_from(Arm),
    repeat=st.integers(1, 3),
)


def content_of(asked: Request) -> str:
    case = asked.case
    parts = [case.suite, case.id, asked.arm, asked.repeat, case.messages, case.tools, case.params]
    return json.dumps(parts, sort_keys=True)


@given(asked_requests, asked_requests)
def test_keys_are_equal_exactly_if_the_requests_are(one: Request, other: Request) -> None:
    assert (key_of(one) == key_of(other)) == (content_of(one) == content_of(other))


@given(asked_requests)
def test_a_key_survives_a_copy(one: Request) -> None:
    copied = Request(
        case=EvalCase(
            **{name: getattr(one.case, name) for name in ("suite", "id", "path", "line")},
            **json.loads(
                json.dumps({name: getattr(one.case, name) for name in ("messages", "tools", "params")})
            ),
        ),
        arm=one.arm,
        repeat=one.repeat,
    )

    assert key_of(copied) == key_of(one)
