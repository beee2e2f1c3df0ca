"""A key is in no byte of what a run prints and writes, whatever path it takes and however it is encoded."""

from __future__ import annotations

import base64
import html
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.plugin.catalogue import GATE, Catalogue, catalogue_of
from tests.plugin.conftest import Project
from tests.support.server import ChatServer, Reply, error_reply

KEY = "sk-canary-5up3r/s3cr3t+k3y"
PASSWORD = "p4ss/w0rd+0f-the-gateway"
REPORTS = (
    *("--junitxml=out.xml", "-ojunit_logging=all", "--ftgate-report=out.json", "--ftgate-report=out.jsonl"),
    *("--ftgate-report=out.md", "--ftgate-save-answers=answers.jsonl"),
)
LOUD = ("-l", "--full-trace", "-vv", "-rA", "--showlocals")

#: A user's own code, which knows the key from the environment, and tells it in all ways it can.
BOTS = """
import logging, os
KEY = os.environ["TUNED_KEY"]

def answers(prompt):
    logging.getLogger("bots").warning("logged %s", KEY)
    return {"text": f"said {KEY}", "tool_calls": [{"name": KEY, "arguments": {KEY: [KEY]}}],
            "refusal": KEY, "model": KEY, "finish_reason": KEY}

def raises(prompt):
    raise ValueError(f"401 for {KEY}")

async def raises_later(prompt):
    raise SystemExit(KEY)
"""
CONFTEST = """
import os, pytest
from pytest_ftgate import Score
from pytest_ftgate.scorers.spec import ScorerSpec
KEY = os.environ["TUNED_KEY"]

def tells(options, subject):
    return Score(scorer="tells", value=0.0, passed=False, explanation=f"tells: {KEY}", details={"key": KEY})

def breaks(options, subject):
    raise ValueError(KEY)

def pytest_ftgate_scorers(config):
    return {
        "tells": ScorerSpec(name="tells", score=tells, doc="tells"),
        "breaks": ScorerSpec(name="breaks", score=breaks, doc="breaks"),
    }

@pytest.fixture
def broken():
    key = KEY
    raise RuntimeError(f"no connection with {key}")
"""
TESTS = """
import os, sys, warnings, logging, pytest

mark = pytest.mark.eval_case(id="a", prompt="x", expect="Paris")

@mark
def test_assert(eval_case, model):
    key = os.environ["TUNED_KEY"]
    answer = model(eval_case)
    eval_case.check(answer)
    print(key)
    print(key, file=sys.stderr)
    warnings.warn(key)
    logging.error(key)
    assert key in "nothing", key

@pytest.mark.eval_case(id="b", prompt="x", expect="Paris")
def test_raise(eval_case, model):
    key = os.environ["TUNED_KEY"]
    try:
        raise ValueError(key)
    except ValueError as error:
        raise RuntimeError(key) from error

@pytest.mark.eval_case(id="c", prompt="x", expect="Paris")
def test_fail(eval_case, model):
    pytest.fail(os.environ["TUNED_KEY"], pytrace=False)

@pytest.mark.eval_case(id="d", prompt="x", expect="Paris")
def test_fixture(eval_case, model, broken):
    pass

@pytest.mark.eval_case(id="e", prompt="x", expect="Paris")
def test_skip(eval_case, model):
    pytest.skip(os.environ["TUNED_KEY"])

@pytest.mark.eval_case(id="f", prompt="x", expect="Paris")
def test_judge(eval_case, model, record_property):
    record_property("key", os.environ["TUNED_KEY"])
    with eval_case.judge(model(os.environ["TUNED_KEY"])):
        assert not os.environ["TUNED_KEY"]

def test_ordinary():
    key = os.environ["TUNED_KEY"]
    assert not key
"""
CASES = """
cases:
  - {id: plain, prompt: x, expect: Paris}
  - {id: tool, prompt: x, expect: {tool_call: {name: f, arguments: {a: 1}}}}
  - {id: tells, prompt: x, expect: {tells: true}}
  - {id: breaks, prompt: x, expect: {breaks: true}}
"""


@pytest.fixture
def catalogue(empty_project: Project) -> Catalogue:
    made = catalogue_of(empty_project)
    made.put("bots.py", BOTS)
    made.put("conftest.py", CONFTEST)
    made.write(sound=CASES)
    return made


def forms_of(secret: str) -> Iterator[bytes]:
    """Whatever could be turned back into the secret, or into more than a vendor's prefix of it."""
    escaped = json.dumps(secret)[1:-1]
    texts = {secret, quote(secret), quote(secret, safe=""), escaped, escaped.replace("/", "\\/")}
    texts |= {html.escape(secret), secret.encode().hex(), secret[:12], secret[-8:]}
    for before in (b"", b"a", b"ab"):
        # The middle of what base64 makes of it, which is the same whatever stands around it.
        texts.add(base64.b64encode(before + secret.encode()).decode()[4:-4])
    return (text.encode() for text in texts)


def run(catalogue: Catalogue, *args: str, **environ: str) -> bytes:
    """Runs pytest apart, checks all that it printed and wrote, and returns what it printed."""
    command = [sys.executable, "-m", "pytest", *REPORTS, *args]
    environment = os.environ | {"TUNED_KEY": KEY, "OPENAI_LOG": "debug"} | environ
    summary = catalogue.path / "summary.md"
    environment["GITHUB_STEP_SUMMARY"] = str(summary)

    done = subprocess.run(command, cwd=catalogue.path, env=environment, capture_output=True, check=False)

    printed = done.stdout + done.stderr
    assert done.returncode != 0
    assert b"INTERNALERROR" not in printed
    written = {path: path.read_bytes() for path in catalogue.path.rglob("*") if path.is_file()}
    for secret in (KEY, PASSWORD):
        for form in forms_of(secret):
            assert form not in printed
            assert [path.name for path, data in written.items() if form in data] == []
    return printed


def all_written(catalogue: Catalogue) -> bool:
    names = (
        "out.xml",
        "out.json",
        "out.jsonl",
        "out.md",
        "answers.jsonl",
        "summary.md",
        ".ftgate/verdict.json",
    )
    return all((catalogue.path / name).exists() for name in names)


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "workers"])
@pytest.mark.parametrize("bot", ["answers", "raises", "raises_later"])
def test_a_users_code_that_tells_the_key_by_all_means(
    catalogue: Catalogue, bot: str, workers: list[str]
) -> None:
    if workers:
        pytest.importorskip("xdist")
    catalogue.put("test_python.py", TESTS)

    printed = run(catalogue, f"--model=python:bots:{bot}", *LOUD, *workers)

    assert b"[redacted]" in printed
    assert all_written(catalogue)
    if bot == "answers" and workers:
        assert (catalogue.path / ".ftgate/answers.sqlite").exists()


def test_a_module_that_tells_the_key_when_it_is_imported(catalogue: Catalogue) -> None:
    catalogue.put("test_broken.py", "import os\nkey = os.environ['TUNED_KEY']\nraise ValueError(key)\n")

    printed = run(catalogue, "--model=python:bots:answers", *LOUD)

    assert b"[redacted]" in printed


def test_a_model_that_tells_the_key_when_it_is_imported(catalogue: Catalogue) -> None:
    catalogue.put("bots.py", "import os\nraise ValueError(os.environ['TUNED_KEY'])\n")

    printed = run(catalogue, "--model=python:bots:answers", *LOUD)

    assert b"ValueError: [redacted]" in printed


def test_a_hook_that_ends_the_session_with_the_key(catalogue: Catalogue) -> None:
    catalogue.put(
        "conftest.py",
        "import os, pytest\ndef pytest_runtest_setup(item):\n    pytest.exit(os.environ['TUNED_KEY'], 3)\n",
    )
    catalogue.write(sound="cases:\n  - {id: plain, prompt: x, expect: Paris}\n")

    run(catalogue, "--model=python:bots:answers", *LOUD)


def encoded_answers() -> Iterator[str]:
    yield "".join(f"\\u{ord(character):04x}" for character in KEY)
    yield KEY.replace("/", "\\/")
    yield quote(KEY, safe="").lower()
    yield KEY.encode().hex()
    yield html.escape(KEY)
    yield f"the key ends in {KEY[-8:]} and begins with {KEY[:12]}"
    for before in ("", "a", "ab"):
        yield base64.b64encode(f"{before}Authorization: Bearer {KEY}, and more".encode()).decode()


@pytest.mark.parametrize("status", [200, 400, 401])
def test_a_gateway_that_echoes_the_key_in_all_encodings(catalogue: Catalogue, status: int) -> None:
    written = ", ".join(encoded_answers())
    answer = (
        '{"model": "@", "system_fingerprint": "@", "choices": [{"finish_reason": "@", "message": '
        '{"content": "@", "refusal": "@", "tool_calls": '
        '[{"function": {"name": "@", "arguments": "{\\"@\\": \\"@\\"}"}}]}}]}'
    )
    body = answer if status == 200 else '{"error": {"message": "wrong: @", "code": "@"}}'
    reply = Reply(status=status, body=body.replace("@", written).encode())
    with ChatServer(answer=lambda _: reply) as server:
        entry = f"{{name: tuned-1, base_url: '{server.url}', api_key_env: TUNED_KEY}}"
        catalogue.put("ftgate.yaml", f"{GATE}models:\n  tuned: {entry}\n")

        run(catalogue, "--model=tuned", "-vv", "-l", "--full-trace")

        assert server.count >= 1


def test_a_redirect_and_headers_that_hold_the_key(catalogue: Catalogue) -> None:
    headers = {"location": f"http://127.0.0.1:9/{quote(KEY)}?token={KEY}", "retry-after": KEY, "x-key": KEY}
    with ChatServer(answer=lambda _: Reply(status=307, body=KEY.encode(), headers=headers)) as server:
        entry = f"{{name: tuned-1, base_url: '{server.url}', api_key_env: TUNED_KEY}}"
        catalogue.put("ftgate.yaml", f"{GATE}models:\n  tuned: {entry}\n")

        printed = run(catalogue, "--model=tuned", "-vv")

    assert b"redirected to" in printed


def test_a_password_in_the_address_of_an_endpoint_that_another_arm_uses(catalogue: Catalogue) -> None:
    """A function of the user's knows the baseline's address, and quotes it."""
    catalogue.put("bots.py", "import os\ndef tells(prompt):\n    return 'asked ' + os.environ['GATEWAY']\n")
    with ChatServer(answer=lambda _: error_reply(403, f"{PASSWORD} is no password of user")) as server:
        catalogue.put(
            "ftgate.yaml",
            f"{GATE}models:\n  base: {{name: base-1, base_url_env: GATEWAY, api_key_env: TUNED_KEY}}\n",
        )
        host = server.url.removeprefix("http://")
        address = f"http://user:{quote(PASSWORD, safe='')}@{host}"

        run(catalogue, "--model=python:bots:tells", "--baseline=base", "-vv", GATEWAY=address)
