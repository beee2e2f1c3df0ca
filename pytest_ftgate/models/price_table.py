"""Public prices of models (the extra `cost`): a table that others keep, bundled with it, read offline.

The table is loaded when first asked, and not at all for a model on the user's own machine.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_ftgate.models.price import Price

if TYPE_CHECKING:
    from decimal import Decimal

    from genai_prices.types import ModelPrice, TieredPrices

_NAME = "genai-prices"
#: How OpenAI and Azure mark what was tuned. The price of its base model is not its price.
_TUNED_PREFIX, _TUNED_INFIX = "ft:", ".ft-"


def listed_price(model: str, base_url: str) -> Price | None:
    """The public price of a model of this id, by whose API is at this address.

    None without the extra, and for what the table does not know: an unknown price is never 0.
    """
    if _is_own(base_url):
        return None
    try:
        import genai_prices  # noqa: PLC0415  (an extra; loads pydantic)
    except ImportError:
        return None
    try:
        found = genai_prices.calc_price(
            genai_prices.Usage(input_tokens=0, output_tokens=0), model, provider_api_url=base_url
        )
    except (LookupError, ValueError):
        return None
    if _is_tuned(model) and not _is_tuned(found.model.id):
        return None
    return _price(found.model_price, f"{_NAME} {genai_prices.__version__}")


def _is_own(base_url: str) -> bool:
    """Whether this is a host without a domain: nobody sells its answers."""
    host = urlsplit(base_url).hostname or ""
    try:
        return bool(ip_address(host))
    except ValueError:
        return "." not in host


def _is_tuned(model: str) -> bool:
    return model.lower().startswith(_TUNED_PREFIX) or _TUNED_INFIX in model.lower()


def _price(listed: ModelPrice, source: str) -> Price | None:
    """Both prices of text; None where the table lacks one (embeddings, sound)."""
    if listed.input_mtok is None or listed.output_mtok is None:
        return None
    (asked, first), (answered, second) = _base(listed.input_mtok), _base(listed.output_mtok)
    limit = min((start for start in (first, second) if start is not None), default=None)
    return Price(input=asked, output=answered, source=source, most_input=limit)


def _base(price: Decimal | TieredPrices) -> tuple[float, int | None]:
    """What a call costs that is not a very long one, and from how many tokens on it costs something else."""
    from genai_prices.types import TieredPrices  # noqa: PLC0415

    if not isinstance(price, TieredPrices):
        return float(price), None
    return float(price.base), min((tier.start for tier in price.tiers), default=None)
