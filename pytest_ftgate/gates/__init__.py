"""The gate: criteria, their results, and the verdict. Pure computation, exact where it decides."""

from pytest_ftgate.gates.builtin_metrics import BUILTIN_METRICS
from pytest_ftgate.gates.config import DEFAULT_CRITERIA, parse_gate
from pytest_ftgate.gates.criteria import Criterion, CriterionResult, Gate, GateError, Status
from pytest_ftgate.gates.deciding import undecidable
from pytest_ftgate.gates.estimates import Unbounded
from pytest_ftgate.gates.metrics import Metric
from pytest_ftgate.gates.samples import Sampled
from pytest_ftgate.gates.verdict import Assessment, Verdict, Word, assess, judged_cases, unjudged

__all__ = [
    "BUILTIN_METRICS",
    "DEFAULT_CRITERIA",
    "Assessment",
    "Criterion",
    "CriterionResult",
    "Gate",
    "GateError",
    "Metric",
    "Sampled",
    "Status",
    "Unbounded",
    "Verdict",
    "Word",
    "assess",
    "judged_cases",
    "parse_gate",
    "undecidable",
    "unjudged",
]
