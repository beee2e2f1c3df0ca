"""Public prices: found for what is sold by whom, in the table as it is bundled with the package."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import genai_prices
import pytest
from genai_prices.data_snapshot import DataSnapshot, set_custom_snapshot
from genai_prices.types import ClauseEquals, ModelInfo, ModelPrice, Provider, Tier, TieredPrices

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Usage
from pytest_ftgate.errors import ConfigError
from pytest_ftgate.files.config_file import ConfigFile
from pytest_ftgate.files.model_entries import Kind, ModelEntry
from pytest_ftgate.models.endpoints.proxy import Proxy
from pytest_ftgate.models.make import Foreseen, foresee_model
from pytest_ftgate.models.price import Price
from pytest_ftgate.models.price_table import listed_price
from tests.models.asking import answer_of, chat
from tests.support.server import ChatServer

OPENAI = "https://api.openai.com/v1"
AZURE = "https://acme.openai.azure.com/openai/deployments/support"
SOURCE = f"genai-prices {genai_prices.__version__}"


@pytest.fixture
def shop() -> Iterator[None]:
    """A table of our own, of a seller at shop.example."""
    tiered = TieredPrices(base=Decimal(2), tiers=[Tier(start=1000, price=Decimal(4))])
    prices = {
        "plain": ModelPrice(input_mtok=Decimal(2), output_mtok=Decimal(8)),
        "tiered": ModelPrice(input_mtok=tiered, output_mtok=Decimal(8)),
        "embedding": ModelPrice(input_mtok=Decimal(2)),
    }
    models = [
        ModelInfo(id=name, match=ClauseEquals(equals=name), prices=price) for name, price in prices.items()
    ]
    provider = Provider(
        id="shop", name="Shop", api_pattern=r"http://shop\.example", provider_match=None, models=models
    )
    set_custom_snapshot(DataSnapshot(providers=[provider], from_auto_update=False))
    yield
    set_custom_snapshot(None)


@pytest.mark.parametrize("base_url", [OPENAI, AZURE])
def test_a_model_of_openai_has_its_public_price_at_azure_too(base_url: str) -> None:
    found = listed_price("gpt-4o-mini", base_url)

    assert found is not None
    assert 0 < found.input < found.output
    assert (found.source, found.most_input) == (SOURCE, None)


@pytest.mark.parametrize(
    ("model", "base_url"),
    [("ft:gpt-4o-mini-2024-07-18:acme::abc123", OPENAI), ("gpt-4o-mini-2024-07-18.ft-0123456789ab", AZURE)],
)
def test_a_tuned_model_costs_what_tuned_ones_of_its_base_cost(model: str, base_url: str) -> None:
    tuned, base = listed_price(model, base_url), listed_price("gpt-4o-mini", base_url)

    assert tuned is not None
    assert base is not None
    assert tuned.input > base.input
    assert tuned.output > base.output


@pytest.mark.parametrize(
    ("model", "base_url"),
    [
        ("ft:nobodys-base-model:acme::abc123", OPENAI),  # no price, and not that of another model
        ("acme/support-8b", OPENAI),
        ("text-embedding-3-small", OPENAI),
        ("gpt-4o-mini", "https://llm.acme.example/v1"),
        ("gpt-4o-mini", "http://localhost:8000/v1"),
        ("gpt-4o-mini", "http://127.0.0.1:8000/v1"),
        ("gpt-4o-mini", "http://vllm/v1"),
    ],
)
def test_what_the_table_does_not_know_has_no_price(model: str, base_url: str) -> None:
    assert listed_price(model, base_url) is None


@pytest.mark.usefixtures("shop")
def test_a_call_of_another_price_band_has_an_unknown_cost_and_never_a_wrong_one() -> None:
    found = listed_price("tiered", "http://shop.example/v1")

    assert found == Price(input=2.0, output=8.0, source=SOURCE, most_input=1000)
    assert found.of(Usage(input_tokens=1000, output_tokens=1)) == pytest.approx(2008 / 1e6)
    assert found.of(Usage(input_tokens=1001, output_tokens=1)) is None


@pytest.mark.usefixtures("shop")
def test_half_a_price_is_none() -> None:
    assert listed_price("embedding", "http://shop.example/v1") is None


@pytest.mark.usefixtures("shop")
def test_answers_of_a_public_model_have_their_cost_and_its_source_is_said() -> None:
    with ChatServer() as server:
        proxy = Proxy(variable="HTTP_PROXY", url=server.url.removesuffix("/v1"))
        model = chat("http://shop.example/v1", model="plain", proxy=proxy)
        before, answer = model.remarks(), answer_of(model)

    assert before == ()
    assert answer.cost == pytest.approx((10 * 2 + 5 * 8) / 1e6)
    assert model.remarks() == (f"tuned: price from {SOURCE}: $2 in, $8 out per million tokens",)


@pytest.mark.usefixtures("shop")
def test_an_entrys_own_price_wins() -> None:
    with ChatServer() as server:
        proxy = Proxy(variable="HTTP_PROXY", url=server.url.removesuffix("/v1"))
        own = Price(input=1, output=1)
        model = chat("http://shop.example/v1", model="plain", proxy=proxy, price=own)
        answer = answer_of(model)

    assert answer.cost == pytest.approx(15 / 1e6)
    assert model.remarks() == ()


def test_a_model_that_nobody_sells_has_no_cost() -> None:
    with ChatServer() as server:
        model = chat(server.url, model="gpt-4o-mini")

        assert answer_of(model).cost is None


def foreseen(spec: str, *entries: ModelEntry, rootdir: Path = Path("/nowhere")) -> Foreseen:
    config = ConfigFile(path=None, models={one.name: one for one in entries})
    return foresee_model(spec, Arm.MODEL, config, rootdir=rootdir, environ={})


def entry(name: str, kind: Kind = "openai", **fields: object) -> ModelEntry:
    return ModelEntry(**{"name": name, "kind": kind, "line": 1, **fields})  # type: ignore[arg-type]


def test_what_a_model_costs_is_foreseen_without_a_key() -> None:
    own = entry("tuned", model="gpt-4o-mini", price={"input": 1.0, "output": 2.0})
    azure = entry("hosted", model="gpt-4o-mini", deployment="d", azure_endpoint="https://a.openai.azure.com")
    elsewhere = entry("later", model="gpt-4o-mini", base_url_env="NOT_SET_YET")

    public = listed_price("gpt-4o-mini", OPENAI)
    assert public is not None
    assert foreseen("gpt-4o-mini") == Foreseen(kind="openai", price=public)
    assert foreseen("tuned", own).price == Price(input=1.0, output=2.0)
    assert foreseen("hosted", azure).price == listed_price("gpt-4o-mini", AZURE)
    assert foreseen("later", elsewhere) == Foreseen(kind="openai")
    assert foreseen("python:no_such_module:answer") == Foreseen(kind="python")


def test_a_name_that_is_none_is_foreseen_as_such() -> None:
    with pytest.raises(ConfigError) as caught:
        foreseen("tund", entry("tuned", model="x"))

    assert str(caught.value) == (
        "'tund' is no entry of ftgate.yaml's `models:`. Did you mean 'tuned'? "
        "For an OpenAI model of that id write openai:tund"
    )


LOADED = """
import sys
if BLOCKED:
    sys.modules["genai_prices"] = None
from pytest_ftgate.models.price_table import listed_price
own = listed_price("gpt-4o-mini", "http://localhost:8000/v1")
assert own is None and "pydantic" not in sys.modules
print(listed_price("gpt-4o-mini", "https://api.openai.com/v1") is None)
"""


@pytest.mark.parametrize(("blocked", "unknown"), [(True, "True\n"), (False, "False\n")])
def test_the_table_is_an_extra_and_is_loaded_for_public_models_only(blocked: bool, unknown: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.replace("BLOCKED", str(blocked))],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.stdout, done.stderr) == (unknown, "")
