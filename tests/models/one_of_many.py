"""One process of a run, as a program: it asks, and prints what it was told. Used by `test_sharing`.

Its argument is JSON: store, url, owner, share (number and count), cases, and what to consume of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_ftgate.cases import Arm
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models import Request
from pytest_ftgate.models.answer_store.session import Session
from pytest_ftgate.models.answer_store.store import AnswerStore
from pytest_ftgate.models.engine import CompletionEngine
from pytest_ftgate.models.place import Place
from tests.models.asking import QUICK, chat
from tests.support.requests import requests


def main() -> None:
    """Prints "ready", waits for a line, then prints one line per answer, and at the end what is remarked."""
    given = json.loads(sys.argv[1])
    number, count = given["share"]
    # Within this time the client is imported, too, by several processes at once.
    patient = replace(QUICK, timeout_s=60.0)
    limit = given.get("limit")
    models = {
        arm: chat(given["url"], name=arm.value, model=arm.value, retry=patient, concurrency=limit)
        for arm in Arm
    }
    store = AnswerStore(
        Path(given["store"]), Session(id="one"), owner=given["owner"], lease_s=given.get("lease_s", 60)
    )
    groups = [[one, Request(case=one.case, arm=Arm.BASELINE)] for one in requests(given["cases"])]
    print("ready", flush=True)
    sys.stdin.readline()
    with CompletionEngine(
        models,
        concurrency=given.get("concurrency", 8),
        store=store,
        place=Place(number=number, count=count),
        mine=lambda request: int(request.case.id) % count == number,
    ) as engine:
        engine.prefetch(groups)
        consume(
            engine, [request for group in groups[slice(*given.get("items", [None]))] for request in group]
        )
        if given.get("finish"):
            engine.finish()


def consume(engine: CompletionEngine, asked: Sequence[Request]) -> None:
    for request in asked:
        row: dict[str, Any] = {"id": request.case.id, "arm": request.arm}
        try:
            row["completion"] = engine.result(request).as_json()
        except ModelError as error:
            row["error"] = [type(error).__name__, error.kind, str(error)]
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
