"""What is not loaded, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = "{'aiohttp', 'yaml', 'numpy', 'jsonschema'} & set(sys.modules)"
MODELS = """
import sys
from pathlib import Path
from pytest_ftgate.cases import Arm
from pytest_ftgate.files.config_file import ConfigFile
from pytest_ftgate.models.engine import CompletionEngine
from pytest_ftgate.models.make import make_model
from tests.support.requests import request

here = Path.cwd()
model = make_model(SPEC, Arm.MODEL, ConfigFile(), rootdir=here, environ={"OPENAI_API_KEY": "sk-0123456789"})
with CompletionEngine({Arm.MODEL: model}) as engine:
    if not SPEC.startswith("gpt"):
        assert engine.result(request()).text == "Paris"
print(sorted(HEAVY))
"""


@pytest.mark.parametrize("spec", ["gpt-5", "recorded:prod.jsonl", "python:my_bot:answer"])
def test_no_client_is_loaded_before_the_first_request_to_an_endpoint(tmp_path: Path, spec: str) -> None:
    (tmp_path / "prod.jsonl").write_text('{"id": "capital", "text": "Paris"}')
    (tmp_path / "my_bot.py").write_text("def answer(prompt):\n    return 'Paris'\n")
    code = MODELS.replace("SPEC", repr(spec)).replace("HEAVY", HEAVY)
    root = Path(__file__).parents[2]

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        check=False,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")
