from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.errors import ConfigError
from pytest_ftgate.files.config_file import ConfigFile
from pytest_ftgate.files.model_entries import Kind, ModelEntry
from pytest_ftgate.models import Model
from pytest_ftgate.models.make import make_model
from tests.models.asking import answer_of
from tests.support.requests import request
from tests.support.server import ChatServer

KEYS = {"OPENAI_API_KEY": "sk-openai-0123456789", "VLLM_KEY": "vllm-0123456789"}


@pytest.fixture(autouse=True)
def own_imports() -> Iterator[None]:
    """What a test imports, and where from, is forgotten afterwards."""
    path, modules = sys.path[:], set(sys.modules)
    yield
    sys.path[:] = path
    for name in sys.modules.keys() - modules:
        if not name.startswith(("pytest_ftgate", "tests")) and "bot" in name:
            del sys.modules[name]


def entry(name: str = "tuned", kind: Kind = "openai", **fields: Any) -> ModelEntry:
    given = {"model": "acme/support"} if kind == "openai" else {}
    return ModelEntry(**{"name": name, "kind": kind, "line": 1, **given, **fields})


def made(
    spec: str,
    *entries: ModelEntry,
    rootdir: Path = Path("/nowhere"),
    environ: Mapping[str, str] = KEYS,
    arm: Arm = Arm.MODEL,
    path: str | None = None,
) -> Model:
    config = ConfigFile(path=path, models={one.name: one for one in entries})
    return make_model(spec, arm, config, rootdir=rootdir, environ=environ)


def refusal(spec: str, *entries: ModelEntry, **given: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        made(spec, *entries, **given)
    return str(caught.value)


@pytest.mark.parametrize(
    "spec", ["ft:gpt-4o-mini:acme::abc", "gpt-4o-mini", "acme/llama-3.1-8b", "openai:gpt-4o-mini"]
)
def test_a_bare_id_is_a_model_of_openai(spec: str) -> None:
    model_id = spec.removeprefix("openai:")

    assert made(spec).describe() == {
        "name": model_id,
        "kind": "openai",
        "model": model_id,
        "host": "https://api.openai.com/v1",
    }


def test_an_id_with_a_colon_may_follow_openai() -> None:
    assert made("openai:llama3:8b").describe()["model"] == "llama3:8b"


def test_the_base_url_of_the_environment_counts() -> None:
    with ChatServer() as server:
        model = made("gpt-5", environ={**KEYS, "OPENAI_BASE_URL": server.url})
        answer_of(model)

    assert server.requests[0].headers["authorization"] == "Bearer sk-openai-0123456789"


def test_an_entry_brings_its_endpoint_key_headers_parameters_and_system_message() -> None:
    with ChatServer() as server:
        tuned = entry(
            base_url=server.url,
            api_key_env="VLLM_KEY",
            headers={"X-Team": "support"},
            params={"temperature": 1},
            system="Be kind.",
            revision="step-4200",
            timeout_s=5.0,
            concurrency=3,
            price={"input": 2.0, "output": 8.0},
        )
        model = made("tuned", tuned)
        answer = answer_of(model)

    sent = server.requests[0]
    assert sent.headers["authorization"] == "Bearer vllm-0123456789"
    assert sent.headers["x-team"] == "support"
    assert (sent.body["model"], sent.body["temperature"]) == ("acme/support", 1)
    assert sent.body["messages"][0] == {"role": "system", "content": "Be kind."}
    assert model.concurrency == 3
    assert answer.cost == pytest.approx((10 * 2 + 5 * 8) / 1e6)
    assert model.describe()["revision"] == "step-4200"


def test_the_key_of_openai_goes_to_no_other_host() -> None:
    with ChatServer() as server:
        answer_of(made("tuned", entry(base_url=server.url)))

    assert "authorization" not in server.requests[0].headers


def test_an_entry_without_url_is_asked_where_openai_is() -> None:
    with ChatServer() as server:
        answer_of(made("tuned", entry(), environ={**KEYS, "OPENAI_BASE_URL": server.url}))

    assert server.requests[0].headers["authorization"] == "Bearer sk-openai-0123456789"


def test_an_entrys_url_may_come_from_the_environment() -> None:
    with ChatServer() as server:
        answer_of(made("tuned", entry(base_url_env="TUNED_URL"), environ={"TUNED_URL": server.url}))

    assert server.count == 1


@pytest.mark.parametrize(
    ("spec", "entries", "environ", "said"),
    [
        ("gpt-5", [], {}, "model 'gpt-5': no key: the environment variable OPENAI_API_KEY is not set"),
        (
            "tund",
            [entry()],
            {},
            "'tund' is no entry of ftgate.yaml's `models:`. Did you mean 'tuned'? "
            "For an OpenAI model of that id write openai:tund",
        ),
        (
            "baselines/prod.jsonl",
            [],
            {},
            "'baselines/prod.jsonl' looks like a file: "
            "to play saved answers write recorded:baselines/prod.jsonl",
        ),
        (
            "tuned",
            [entry(base_url="http://h/v1", api_key_env="VLLM_KEY")],
            {"VLLM_KEY": " "},
            "model 'tuned': no key: the environment variable VLLM_KEY is not set",
        ),
        (
            "gpt-5",
            [],
            {"OPENAI_API_KEY": "sk-\u00e9\u00e9\u00e9\u00e9\u00e9"},
            "model 'gpt-5': the key in OPENAI_API_KEY holds characters that no header may hold",
        ),
        (
            "tuned",
            [entry(base_url_env="URL")],
            KEYS,
            "model 'tuned': base_url_env names URL, which is not set",
        ),
        (
            "tuned",
            [entry(base_url_env="URL")],
            {"URL": "localhost:8000"},
            "URL: not an http(s) URL, such as http://localhost:8000/v1",
        ),
        (
            "opnai:gpt-5",
            [],
            KEYS,
            "'opnai:gpt-5': unknown scheme 'opnai:' (did you mean 'openai'?); there are openai:, recorded:, "
            "python:, those of plugins. For a model whose id holds a colon, write openai:opnai:gpt-5",
        ),
        (
            "llama3:8b",
            [entry()],
            KEYS,
            "'llama3:8b': unknown scheme 'llama3:'; there are openai:, recorded:, python:, those of plugins, "
            "and names in ftgate.yaml (tuned). For a model whose id holds a colon, write openai:llama3:8b",
        ),
        (
            "python:",
            [],
            KEYS,
            "'python:': nothing follows the colon; "
            "write python:module:function, such as python:my_app.bot:answer",
        ),
        (
            "python:bot",
            [],
            KEYS,
            "python:bot: write python:module:function, such as python:my_app.bot:answer",
        ),
        (
            "tuned",
            [entry(price={"input": 1.0}, base_url="http://h/v1")],
            KEYS,
            "model 'tuned': 'price' needs both 'input' and 'output', per million tokens",
        ),
    ],
)
def test_a_model_that_can_not_be_made_says_why(
    spec: str, entries: list[ModelEntry], environ: Mapping[str, str], said: str
) -> None:
    assert refusal(spec, *entries, environ=environ) == said


def test_a_proxy_of_the_environment_is_used() -> None:
    with ChatServer() as proxy:
        environ = {**KEYS, "http_proxy": proxy.url.removesuffix("/v1"), "no_proxy": "localhost"}
        answer_of(made("tuned", entry(base_url="http://llm.example/v1"), environ=environ))

    assert proxy.requests[0].headers["host"] == "llm.example"


def test_a_host_of_no_proxy_is_asked_directly() -> None:
    with ChatServer() as server:
        environ = {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
        answer_of(made("tuned", entry(base_url=server.url), environ=environ))

    assert server.count == 1


def saved(folder: Path, *arms: str) -> None:
    rows = [{"id": "capital", "text": arm, "arm": arm} for arm in arms]
    (folder / "prod.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_saved_answers_are_played_from_the_rootdir(tmp_path: Path) -> None:
    saved(tmp_path, "model", "baseline")

    model = made("recorded:prod.jsonl", rootdir=tmp_path, arm=Arm.BASELINE)

    assert answer_of(model).text == "baseline"
    assert model.name == "recorded:prod.jsonl"


def test_the_arm_to_play_may_be_named(tmp_path: Path) -> None:
    saved(tmp_path, "model", "baseline")

    assert answer_of(made("recorded:prod.jsonl#model", rootdir=tmp_path, arm=Arm.BASELINE)).text == "model"


def test_an_entry_may_play_saved_answers(tmp_path: Path) -> None:
    saved(tmp_path, "model", "baseline")
    prod = entry("prod", "recorded", recorded=tmp_path / "prod.jsonl", arm=Arm.MODEL)

    model = made("prod", prod, rootdir=tmp_path, arm=Arm.BASELINE)

    assert answer_of(model).text == "model"
    assert model.describe() == {"name": "prod", "kind": "recorded", "file": "prod.jsonl"}


def bot(
    folder: Path, code: str = "def answer(prompt):\n    return prompt[::-1]\n", name: str = "bot"
) -> None:
    (folder / f"{name}.py").write_text(code)


def test_a_function_is_imported_from_the_rootdir(tmp_path: Path) -> None:
    bot(tmp_path, name="bot_a")

    model = made("python:bot_a:answer", rootdir=tmp_path)

    assert answer_of(model, request("abc")).text == "cba"
    assert model.describe() == {
        "name": "python:bot_a:answer",
        "kind": "python",
        "function": "python:bot_a:answer",
    }


def test_a_function_is_imported_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    bot(tmp_path / "conf", "def answer(params):\n    return str(params)\n", name="bot_b")
    app = entry("app", "python", python="bot_b:answer", params={"top_p": 1}, concurrency=4)

    model = made("app", app, rootdir=tmp_path, path="conf/ftgate.yaml")

    assert (answer_of(model).text, model.concurrency) == ("{'top_p': 1}", 4)


def test_a_method_may_be_named(tmp_path: Path) -> None:
    bot(
        tmp_path, "class Bot:\n    @staticmethod\n    def answer(prompt):\n        return 'x'\n", name="bot_c"
    )

    assert answer_of(made("python:bot_c:Bot.answer", rootdir=tmp_path)).text == "x"


def test_a_module_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusal("python:bot_nowhere.sub:answer", rootdir=tmp_path) == (
        f"python:bot_nowhere.sub:answer: there is no module 'bot_nowhere' in {tmp_path} or on sys.path"
    )


def test_a_function_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    bot(tmp_path, name="bot_d")

    assert refusal("python:bot_d:anser", rootdir=tmp_path) == (
        "python:bot_d:anser: bot_d has no 'anser' (did you mean 'answer'?)"
    )


def test_something_that_is_no_function_is_named(tmp_path: Path) -> None:
    bot(tmp_path, "answer = 42\n", name="bot_e")

    assert (
        refusal("python:bot_e:answer", rootdir=tmp_path)
        == "python:bot_e:answer: that is a int, not a function"
    )


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        (
            "bot_f",
            "import bot_that_is_missing\n",
            "ModuleNotFoundError: No module named 'bot_that_is_missing'",
        ),
        ("bot_g", "raise RuntimeError('no config')\n", "RuntimeError: no config"),
    ],
)
def test_a_module_that_breaks_on_import_is_named_with_the_line(
    tmp_path: Path, name: str, code: str, said: str
) -> None:
    bot(tmp_path, code, name=name)

    assert refusal(f"python:{name}:answer", rootdir=tmp_path) == (
        f"python:{name}:answer: importing {name} raised {said} ({tmp_path / name}.py:1)"
    )
