"""Three reviewers that do not exist: writes their votes on a batch, so that the example has some.

    python reviews/voters.py run.jsonl batch/key.json

They like what passed its checks, mostly, and disagree as people do. Real votes come from a batch's pages.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

#: How often each of them sees it otherwise, in percent.
WAYWARD = {"ada": 6, "ben": 12, "cleo": 18}
VOTES = Path(__file__).parent / "votes"


def drawn(*words: str) -> int:
    """A number from 0 to 99, always the same for the same words."""
    return int.from_bytes(hashlib.sha256("/".join(words).encode()).digest()[:4], "big") % 100


def passed(record: Path) -> dict[tuple[str, str, str], bool]:
    """Whether a case passed, by suite, case and arm."""
    found: dict[tuple[str, str, str], bool] = {}
    for line in record.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row.get("kind") == "trial":
            key = row["suite"], row["case"], row["arm"]
            found[key] = found.get(key, True) and row["outcome"] == "passed"
    return found


def preferred(reviewer: str, pair: str, model: bool, baseline: bool) -> str:
    """What this reviewer says of a pair, once it is known which of its answers passed."""
    chance = drawn(reviewer, pair)
    if chance < WAYWARD[reviewer]:
        return ("model", "baseline", "tie")[chance % 3]
    if model == baseline:
        return "tie" if model else "both bad"
    return "model" if model else "baseline"


def votes(reviewer: str, key: dict, outcomes: dict[tuple[str, str, str], bool]) -> list[dict]:
    made = []
    for seen in key["reviewers"][reviewer]:
        pair = key["pairs"][seen["id"]]
        model, baseline = (outcomes[pair["suite"], pair["case"], arm] for arm in ("model", "baseline"))
        choice = preferred(reviewer, seen["id"], model, baseline)
        side = {seen["a"]: "A"}.get(choice, "B") if choice in ("model", "baseline") else choice
        vote = {
            "id": seen["id"],
            "digest": seen["digest"],
            "overall": side,
            "criteria": {"correctness": side},
        }
        made.append(vote | {"notes": "", "seconds": 6.0 + drawn(reviewer, seen["id"], "seconds") / 5})
    return made


def main(record: str, key_file: str) -> None:
    key = json.loads(Path(key_file).read_text(encoding="utf-8"))
    outcomes = passed(Path(record))
    for reviewer in WAYWARD:
        content = {"schema": "ftgate.votes/1", "batch": key["batch"], "reviewer": reviewer}
        rows = ",\n".join(json.dumps(vote) for vote in votes(reviewer, key, outcomes))
        text = json.dumps(content)[:-1] + f', "votes": [\n{rows}\n]}}\n'
        (VOTES / f"{reviewer}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
