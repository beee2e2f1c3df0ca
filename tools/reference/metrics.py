"""The page of metrics: what a criterion can name, from the table that the gate measures by."""

from __future__ import annotations

from typing import get_args

from pytest_ftgate.gates.builtin_metrics import BUILTIN_METRICS
from pytest_ftgate.gates.criteria import Compare
from pytest_ftgate.gates.metrics import FAMILIES, Metric, entry_metric, mean_metric, metric_of
from tools.reference.markdown import code, table

_HEAD = """# Metrics

What `metric:` of a [criterion](../gate.md#criteria) can name. *Counts* says what `n` and `min_cases`
are of. A rate has its threshold as
`85%` or `0.85`; seconds and other numbers as they are. *Nothing to measure* is what the report says
then. Your own:
[hooks](../hooks.md#checks-and-metrics).

"""
_COMPARED = "\n## Compare\n\nWhat `compare:` may say: {}. The default is `value`, the model's own number.\n"


def metrics_page() -> str:
    """Every built-in metric, families of metrics, and how they are compared."""
    families = [_row(f"{prefix}K", metric_of([f"{prefix}3"], {})) for prefix in FAMILIES if "pass" in prefix]
    entries = [
        _row("NAME of a check", entry_metric(["NAME"])),
        _row("mean:NAME", mean_metric("NAME")),
    ]
    rows = [_row(name, metric) for name, metric in BUILTIN_METRICS.items()]
    heads = ("metric", "what it is", "unit", "compare", "counts", "nothing to measure")
    compares = ", ".join(map(code, get_args(Compare)))
    return _HEAD + table(heads, [*rows, *families, *entries]) + _COMPARED.format(compares)


def _row(name: str, metric: Metric) -> tuple[str, ...]:
    compares = ", ".join(map(code, metric.compares))
    unit = "coefficient" if metric.is_coefficient else metric.unit
    return (code(name), metric.doc, unit, compares, metric.noun, metric.nothing)
