from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.errors import FileError
from pytest_ftgate.files.config_file import ConfigFile, read_config
from pytest_ftgate.files.model_entries import ModelEntry

ReadConfig = Callable[[str], ConfigFile]

WHOLE = """\
model: tuned
baseline: prod
judge: judge
roles: {general: {baseline: base}}
models:
  tuned:
    name: acme/support-8b-lora
    base_url: http://localhost:8000/v1
    api_key_env: VLLM_KEY
    revision: 010
    headers: {X-Team: 007}
    timeout_s: 30
    retry_budget_s: 3600
    concurrency: 4
    price: {input: 0.5, output: 2}
    api: chat
  base: {name: llama-3.1-8b, base_url_env: BASE_URL,
    system: {file: prompts/base.txt}, params: {max_tokens: null, n: 400}}
  prod: {recorded: 'baselines/prod.jsonl#baseline'}
  my_app: {python: 'my_app.bot:answer', concurrency: 1}
  judge: {name: gpt-5, system: Be strict.}
gate:
  min_cases: 10
  criteria:
    tone: {metric: pass_rate, at_least: 85%, optional: true}
    exact: {metric: [exact_match, contains], at_least: 0.850}
"""


@pytest.fixture
def config_of(tmp_path: Path) -> ReadConfig:
    def read(source: str) -> ConfigFile:
        (tmp_path / "ftgate.yaml").write_text(source)
        return read_config(None, tmp_path)

    return read


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    assert read_config(None, tmp_path) == ConfigFile()


@pytest.mark.parametrize("source", ["", "# nothing\n", "models: null\ngate: ~\n"])
def test_an_empty_file_says_nothing(config_of: ReadConfig, source: str) -> None:
    assert config_of(source) == ConfigFile(path="ftgate.yaml")


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        read_config(tmp_path / "gate.yaml", tmp_path)

    assert str(caught.value) == "gate.yaml:1:1: the file does not exist"


def test_everything_is_read(config_of: ReadConfig, tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "base.txt").write_bytes(b"Be brief.\r\nAlways.\r\n")

    config = config_of(WHOLE)

    assert (config.path, config.model, config.baseline, config.judge, config.embeddings) == (
        "ftgate.yaml", "tuned", "prod", "judge", None,
    )  # fmt: skip
    assert config.roles == {"general": {"baseline": "base"}}
    assert config.models == {
        "tuned": ModelEntry(
            name="tuned",
            kind="openai",
            line=7,
            model="acme/support-8b-lora",
            base_url="http://localhost:8000/v1",
            api_key_env="VLLM_KEY",
            revision="010",
            headers={"X-Team": "007"},
            timeout_s=30.0,
            retry_budget_s=3600.0,
            concurrency=4,
            price={"input": 0.5, "output": 2.0},
            api="chat",
        ),
        "base": ModelEntry(
            name="base",
            kind="openai",
            line=17,
            model="llama-3.1-8b",
            base_url_env="BASE_URL",
            system="Be brief.\nAlways.",
            params={"max_tokens": None, "n": 400},
        ),
        "prod": ModelEntry(
            name="prod",
            kind="recorded",
            line=19,
            recorded=tmp_path.resolve() / "baselines" / "prod.jsonl",
            arm=Arm.BASELINE,
        ),
        "my_app": ModelEntry(
            name="my_app", kind="python", line=20, python="my_app.bot:answer", concurrency=1
        ),
        "judge": ModelEntry(name="judge", kind="openai", line=21, model="gpt-5", system="Be strict."),
    }


def test_the_gate_keeps_numbers_as_they_were_written(config_of: ReadConfig) -> None:
    gate = config_of("gate:" + WHOLE.partition("gate:")[2]).gate

    assert gate == {
        "min_cases": "10",
        "criteria": {
            "tone": {"metric": "pass_rate", "at_least": "85%", "optional": True},
            "exact": {"metric": ["exact_match", "contains"], "at_least": "0.850"},
        },
    }


def complaints_of(config_of: ReadConfig, source: str) -> list[str]:
    with pytest.raises(FileError) as caught:
        config_of(source)
    return [str(mistake).removeprefix("ftgate.yaml:") for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("modle: x", ["1:1: unknown key 'modle'. Did you mean 'model'?"]),
        ("- x", ["1:1: ftgate.yaml takes a mapping, and this is a list"]),
        ("model: ''", ["1:8: 'model' is empty"]),
        ("roles: {genral: {}}", ["1:9: unknown key 'genral'. Did you mean 'general'?"]),
        ("roles: {general: {judge: x}}", ["1:19: unknown key 'judge'. Keys: baseline, model"]),
        (
            "models: {'a b/': {name: x}}",
            [
                "1:10: the name of a model 'a b/' has /: letters, digits, '_', '.', '-' and single "
                "spaces are allowed"
            ],
        ),
        (
            "models: {a: {}}",
            [
                "1:13: the model 'a' needs 'name' (the API's model id), 'recorded' (a file) or "
                "'python' (module:function)"
            ],
        ),
        (
            "models: {a: {name: x, recorded: y}}",
            ["1:23: the model 'a' has 'name' and 'recorded': it is one of them"],
        ),
        ("models: {a: {recorded: y, params: {}}}", ["1:27: 'params' does not go with 'recorded'"]),
        ("models: {a: {name: x, base_ur: y}}", ["1:23: unknown key 'base_ur'. Did you mean 'base_url'?"]),
        (
            "models: {a: {recorded: 'y#prod'}}",
            ["1:24: after '#' stands the arm, 'model' or 'baseline', and this is 'prod'"],
        ),
        (
            "models: {a: {recorded: ../y.jsonl}}",
            [
                "1:24: '../y.jsonl' is outside the rootdir: paths are relative to the file they "
                "stand in, and stay in the rootdir"
            ],
        ),
        (
            "models: {a: {python: 'os system'}}",
            ["1:22: 'python' takes 'module:function', and this is 'os system'"],
        ),
        (
            "models: {a: {name: x, base_url: localhost}}",
            ["1:33: 'base_url' takes http://… or https://…, and this is 'localhost'"],
        ),
        (
            "models: {a: {name: x, base_url: 'http://h', base_url_env: B}}",
            ["1:45: 'base_url' and 'base_url_env' exclude each other"],
        ),
        (
            "models: {a: {name: x, timeout_s: 0}}",
            ["1:34: 'timeout_s' takes a number above 0, and this is '0'"],
        ),
        (
            "models: {a: {name: x, retry_budget_s: -1}, b: {python: 'm:f', retry_budget_s: 1}}",
            [
                "1:39: 'retry_budget_s' takes a number above 0, and this is '-1'",
                "1:63: 'retry_budget_s' does not go with 'python'",
            ],
        ),
        (
            "models: {a: {name: x, concurrency: 1.5}}",
            ["1:36: 'concurrency' takes a whole number of at least 1, and this is '1.5'"],
        ),
        (
            "models: {a: {name: x, price: {input: -1}}}",
            ["1:38: the price of input takes a number of at least 0, and this is '-1'"],
        ),
        ("models: {a: {name: x, api: respones}}", ["1:28: 'api' is 'respones'. Did you mean 'responses'?"]),
        ("models: {a: {name: x, stream: 1}}", ["1:31: 'stream' takes true or false, and this is '1'"]),
        (
            "models: {a: {name: x, azure_endpoint: 'https://h', base_url_env: B, api_version: 2024-10-21}}",
            ["1:23: 'base_url_env' and 'azure_endpoint' exclude each other"],
        ),
        (
            "models: {a: {name: x, azure_endpoint: 'https://h'}}",
            [
                "1:23: the endpoint needs 'api_version', such as 2024-10-21; "
                "for https://NAME.openai.azure.com/openai/v1/ write 'base_url' instead"
            ],
        ),
        (
            "models: {a: {name: x, base_url: 'https://h', api_version: 2024-10-21}}",
            [
                "1:46: 'api_version' goes with 'azure_endpoint'; "
                "for https://NAME.openai.azure.com/openai/v1/ write 'base_url' instead"
            ],
        ),
        (
            "models: {a: {name: x, azure_endpoint: 'https://h/openai/v1', api_version: v1}}",
            [
                "1:39: 'azure_endpoint' ends with the host: https://NAME.openai.azure.com; "
                "for https://NAME.openai.azure.com/openai/v1/ write 'base_url' instead",
                "1:75: 'api_version' is a date such as 2024-10-21, and this is 'v1'",
            ],
        ),
        (
            "models: {a: {python: 'a:b', stream: true}}",
            ["1:29: 'stream' does not go with 'python'"],
        ),
        ("models: {a: {name: x, headers: {'a b': c}}}", ["1:33: 'a b' is no name of a header"]),
        ("models: {a: {name: x, headers: {a: é}}}", ["1:36: the header 'a' is not printable ASCII"]),
        (
            "models: {a: {name: x, params: {t: .nan}}}",
            ["1:35: '.nan' is no finite number: quote it if it is text"],
        ),
        ("models: {a: {name: x, system: {fil: y}}}", ["1:32: unknown key 'fil'. Did you mean 'file'?"]),
        (
            "model: ''\nmodels: {a: {name: ''}, b: {nam: y}}",
            [
                "1:8: 'model' is empty",
                "2:20: 'name' is empty",
                "2:28: the model 'b' needs 'name' (the API's model id), 'recorded' (a file) or "
                "'python' (module:function)",
            ],
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(config_of: ReadConfig, source: str, expected: list[str]) -> None:
    assert complaints_of(config_of, source) == expected


@pytest.mark.parametrize(
    "entry",
    [
        "api_key: sk-canary-4711",
        "api_key_env: 'sk-canary-4711'",
        "headers: {Authorization: Bearer sk-canary-4711}",
        "headers: {api-key: sk-canary-4711}",
        'headers: {X-Any: "sk-canary-4711\\n"}',
        "base_url: 'https://user:sk-canary-4711@host/v1'",
        "base_url: 'https://host/v1?token=sk-canary-4711'",
        "api_version: 2024-10-21, azure_endpoint: 'https://host?key=sk-canary-4711'",
        "base_url: 'https://[sk-canary-4711/v1'",
    ],
)
def test_a_secret_in_the_file_is_refused_and_never_repeated(config_of: ReadConfig, entry: str) -> None:
    (message,) = complaints_of(config_of, f"models:\n  a: {{name: x, {entry}}}\n")

    assert "canary" not in message


def test_a_key_in_the_file_is_refused_with_the_remedy(config_of: ReadConfig) -> None:
    assert complaints_of(config_of, "models: {a: {name: x, api_key: y}}") == [
        "1:23: 'api_key' is refused: keys never stand in a file: name the variable that holds it, "
        "'api_key_env: …'"
    ]


@pytest.mark.parametrize(
    ("gate", "place"),
    [
        ("gate:\n  min_cases: none\n", "2:3"),
        ("gate:\n  min_caes: 3\n", "2:3"),
        ("gate:\n  criteria:\n    tone: {metric: pass_rate, at_least: 5000}\n", "3:31"),
        ("gate:\n  criteria:\n    tone: {metric: pass_rate, at_least: 85%, compare: dleta}\n", "3:46"),
        ("gate:\n  criteria:\n    tone: {at_least: 85%}\n", "3:5"),
    ],
)
def test_a_mistake_in_the_gate_stands_at_its_line(config_of: ReadConfig, gate: str, place: str) -> None:
    (message,) = complaints_of(config_of, gate)

    assert message.startswith(f"{place}: ")


def test_every_mistake_of_the_gate_is_told_at_its_own_key(config_of: ReadConfig) -> None:
    source = (
        "modells: {}\n"
        "gate:\n"
        "  min_case: 1\n"
        "  criteria:\n"
        "    a: {metric: pass_rat, at_least: 50%}\n"
        "    b: {metric: pass_rate, at_least: }\n"
    )

    assert complaints_of(config_of, source) == [
        "1:1: unknown key 'modells'. Did you mean 'models'?",
        "3:3: min_case: unknown key 'min_case'. Did you mean 'min_cases'?",
        "5:9: criteria.a.metric: unknown metric 'pass_rat'. Did you mean 'pass_rate'?",
        "6:28: criteria.b.at_least: the number is missing: write e.g. 85% or 0.85",
    ]


def test_a_base_url_ends_before_the_api(tmp_path: Path) -> None:
    (tmp_path / "ftgate.yaml").write_text(
        "models: {m: {name: m, base_url: 'http://h/v1/chat/completions'}}\n"
    )

    with pytest.raises(FileError) as refused:
        read_config(None, tmp_path)

    assert "'base_url' ends before /chat/completions, which is added to it: leave that out" in str(
        refused.value
    )
