"""Every figure that a worker tells of itself: name, kind, meaning. For Prometheus and the docs."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric


class Figure(NamedTuple):
    """One entry of the registry. `labels` tell its several values apart."""

    name: str
    kind: Literal["gauge", "counter"]
    meaning: str
    labels: tuple[str, ...] = ()


FIGURES: Final = (
    Figure("nightlatch_ready", "gauge", "1 while the worker reads its partitions"),
    Figure("nightlatch_partitions", "gauge", "Partitions that this worker owns", ("flow",)),
    Figure(
        "nightlatch_lag_records",
        "gauge",
        "Records not yet folded, as far as the brokers have told",
        ("topic", "partition"),
    ),
    Figure(
        "nightlatch_folded_records",
        "counter",
        "Records folded since the process started",
        ("flow",),
    ),
    Figure(
        "nightlatch_repeated_records",
        "counter",
        "Of the folded ones those left out, since they had been folded before",
        ("flow",),
    ),
    Figure(
        "nightlatch_restored_records",
        "counter",
        "Changelog records read to restore state since the process started",
    ),
    Figure(
        "nightlatch_restoring_records",
        "gauge",
        "Changelog records still to be read before the worker is ready",
    ),
    Figure("nightlatch_answer_age_seconds", "gauge", "Since the brokers last answered"),
    Figure("nightlatch_progress_age_seconds", "gauge", "Since there was progress or nothing to do"),
)


class _Collector:
    """Asks the application when it is asked."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def collect(self) -> Iterator[Metric]:
        """Yield every figure as it stands."""
        values = self._values()
        for figure in FIGURES:
            family: Any = GaugeMetricFamily if figure.kind == "gauge" else CounterMetricFamily
            metric = family(figure.name, figure.meaning, labels=figure.labels)
            for labels, value in values[figure.name].items():
                metric.add_metric(labels, value)
            yield metric

    def _values(self) -> Mapping[str, Mapping[tuple[str, ...], float]]:
        runtime, vigil, now = self._app.runtime, self._app.vigil, time.monotonic()
        lags: Mapping[tuple[str, ...], float] = {
            (tp.topic, str(tp.partition)): lag.records for tp, lag in vigil.lags.items()
        }
        return {
            "nightlatch_ready": {(): runtime.ready},
            "nightlatch_partitions": Counter((flow,) for flow, _ in runtime.partitions),
            "nightlatch_lag_records": lags,
            "nightlatch_folded_records": {
                (flow,): count for flow, count in runtime.folded_records.items()
            },
            "nightlatch_repeated_records": {
                (flow,): count for flow, count in runtime.repeated_records.items()
            },
            "nightlatch_restored_records": {(): runtime.restoring.records},
            "nightlatch_restoring_records": {(): runtime.restoring.left},
            "nightlatch_answer_age_seconds": {(): now - vigil.progress.answered},
            "nightlatch_progress_age_seconds": {(): now - vigil.progress.advanced},
        }


def exposition(app: Any) -> bytes:
    """Return all figures in Prometheus' text format."""
    registry: Any = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(app))
    text: bytes = generate_latest(registry)
    return text
