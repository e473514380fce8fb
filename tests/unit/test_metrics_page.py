"""docs/metrics.md has each metric that `status --output prometheus` prints, and no other."""

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from launcher.paths import PROJECT
from tests.unit.results import glanced, names


def row(metric: Metric) -> str:
    sample = metric.samples[0]
    labels = ", ".join(f"`{label}`" for label in sample.labels)
    return f"| `{sample.name}` | {metric.type} | {labels} | {metric.documentation} |".replace("|  |", "| |")


def test_each_metric_stands_there_with_its_type_its_labels_and_what_it_is() -> None:
    rows = [line for line in (PROJECT / "docs/metrics.md").read_text().splitlines() if line.startswith("| `")]
    text = str(glanced(names(4, "short")).form("prometheus"))
    assert rows == [row(metric) for metric in text_string_to_metric_families(text)]
