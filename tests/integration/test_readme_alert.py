"""The README's alert is one of the story that the demonstration tells."""

import inspect
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from detectors.assessments import Alert
from detectors.engine import Observed
from detectors.simulation import Story, lookup_rows
from streams.backtesting import RUN_LENGTH, PrequentialEngine, runs
from streams.cli import demo
from streams.codec import decode
from streams.configuration import load
from streams.enrichment import Enricher
from streams.presentation import alert_view
from streams.simulated_files import write_rows
from tests.support.readme import README


def raised(told: Story, given: dict[str, Any], folder: Path) -> Iterator[Alert]:
    """What one engine raises on the demonstration's events, in the order of their delivery."""
    lookup = folder / "networks.csv"
    with lookup.open("wb") as file:
        write_rows(file, lookup_rows(given["seed"]))
    overrides = {"detection_alert_budget": given["budget"]}
    engine = PrequentialEngine(load(environ={}, overrides=overrides).settings.policy())
    facts = Enricher([lookup]).facts
    for run in runs([*told.history, *told.live], RUN_LENGTH):
        events = [
            decode(orjson.dumps(e.event), type_=None, timestamp=e.time, fallback_id="-")
            for e in run
        ]
        outcomes = engine.process([Observed(event, facts(event)) for event in events])
        yield from (outcome.alert for outcome in outcomes if outcome.alert is not None)


def parts(shown: str) -> tuple[str, set[str]]:
    """An alert's head and its reasons, without figures that hang on what else a worker has seen.

    Those are the risk, the shares of it, and the tries: the demonstration's worker counts by
    partition, and hears of other accounts a moment later than one engine that has them all.
    """
    steadily = re.sub(r"(?<=risk )[\d.]+|\d+(?= of the latest)|\d+(?= tries| accounts)", "#", shown)
    head, *reasons = re.split(r"\d+%", " ".join(steadily.split()))
    return head.strip(), {reason.strip() for reason in reasons}


def test_the_readmes_alert_is_one_of_the_demonstrations(tmp_path: Path) -> None:
    """The same case, moment, reasons and values; the order comes, and is answered, as it says."""
    section = README.read_text().split("<!-- alert -->")[1].split("<!-- /alert -->")[0]
    words, shown, _ = section.split("```")
    account = re.findall(r"account (\w+)", shown)[0]
    given = {
        name: option.default for name, option in inspect.signature(demo.command).parameters.items()
    }
    told = demo._invent(given["seed"], given["accounts"], given["days"])
    (hijack,) = (one for one in told.hijacks if one.account_id == account)
    assert hijack.family == "spraying"
    assert "being sprayed over" in words
    assert hijack.ordered is not None
    assert f"orders {hijack.ordered - hijack.accessed:.0f} seconds later" in " ".join(words.split())
    first, *later = (one for one in raised(told, given, tmp_path) if one.account_id == account)
    console = Console(width=100, record=True, file=StringIO())
    console.print(alert_view(first))
    assert parts(shown) == parts(console.export_text())
    assert "With the order, the alert asks to lock the account" in " ".join(words.split())
    asked = [(one.action, bool(one.order_ids)) for one in later]
    assert asked[-1] == ("lock_account", True)
    assert all((action == "lock_account") == ordered for action, ordered in asked)
