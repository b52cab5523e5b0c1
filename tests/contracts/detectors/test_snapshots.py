"""What an alert stands on is enough to work it out again, and holds nobody else's data."""

from collections.abc import Iterator
from functools import cache
from typing import Literal

import msgspec
import pytest

from detectors.assessments import Alert
from detectors.engine import Engine, Observed
from detectors.errors import IncompatibleState
from detectors.heat.indicators import Kind
from detectors.heat.sightings import Sightings, came_with
from detectors.intelligence import IndicatorTable
from detectors.policy import Policy
from detectors.population import Population
from detectors.profiles import digest
from detectors.replaying import replay
from detectors.snapshots import Snapshot
from streams.across_accounts import AcrossAccounts
from streams.codec import encode_alert
from tests.contracts.detectors.traffic import POLICY, traffic
from tests.support.intelligence import KEY, report

# A budget of half of all days, and a low bar before it is known, so that there is much to work out.
_WIDE = Policy(profile_cache=200, alert_budget=0.5, alert_floor=0.001, medium_risk=0.05)


class _Kept:
    """A detector over the tests' traffic: its alerts, its state, and what it kept of each alert."""

    def __init__(
        self, policy: Policy, *, keep: bool, intelligence: IndicatorTable | None = None
    ) -> None:
        self.store: dict[bytes, bytes | None] = {}
        read = self.store.get
        others = AcrossAccounts(read)
        self.engine = Engine(
            policy,
            read,
            others.table,
            Sightings(1),
            intelligence=intelligence,
            keep_snapshots=keep,
        )
        self.alerts: list[Alert] = []
        self.snapshots: list[Snapshot] = []
        for at in range(0, len(traffic()), 50):
            self._run(traffic()[at : at + 50], others)

    def _run(self, run: tuple[Observed, ...], others: AcrossAccounts) -> None:
        self.alerts += [o.alert for o in self.engine.process(run) if o.alert is not None]
        self.alerts += others.go_round(self.engine)
        self.snapshots += self.engine.snapshots()
        self.store.update(self.engine.changes())
        self.store.update(others.changes())


@cache
def kept(policy: Policy) -> _Kept:
    """Return one policy's run with snapshots."""
    return _Kept(policy, keep=True)


def _through_json(snapshot: Snapshot) -> Snapshot:
    return msgspec.json.decode(msgspec.json.encode(snapshot), type=Snapshot)


@pytest.mark.parametrize("policy", [POLICY, _WIDE], ids=["shipped", "wide"])
def test_every_alert_is_worked_out_again_to_the_byte(policy: Policy) -> None:
    """Risk, reasons, techniques and all, from the snapshot's bytes alone; notices' too."""
    run = kept(policy)
    assert len(run.alerts) == len(run.snapshots) > 5
    for alert, snapshot in zip(run.alerts, run.snapshots, strict=True):
        again = replay(_through_json(snapshot)).alert
        assert again is not None
        assert encode_alert(again) == encode_alert(alert)


def test_what_others_had_reported_is_kept_with_the_alert() -> None:
    """Their word and how far it was believed then, of the sources that had named something."""
    held = IndicatorTable([KEY])
    for one in traffic():
        for met in came_with(one.event, one.facts):
            # Whoever names everybody is not listened to.
            if met.kind != Kind.SHAPE and met.key % 5 == 0:
                names = ("shop-b", "police") if met.key % 2 else ("shop-c",)
                for name in names:
                    said = {"valid_from": 1_780_000_000.0, "valid_until": 1_811_000_000.0}
                    held.take(report(Kind(met.kind), met.value, name, keyed=True, **said))
    run = _Kept(_WIDE, keep=True, intelligence=held)
    told = [
        snapshot
        for alert, snapshot in zip(run.alerts, run.snapshots, strict=True)
        if any(reason.code == "shared_intelligence" for reason in alert.reasons)
    ]
    assert len(told) > 5
    for alert, snapshot in zip(run.alerts, run.snapshots, strict=True):
        again = replay(_through_json(snapshot)).alert
        assert again is not None
        assert encode_alert(again) == encode_alert(alert)


def test_the_traffic_has_alerts_of_every_kind() -> None:
    """The test above is worth its name: events of all types, first victims, campaigns' members."""
    given = [snapshot.given for snapshot in kept(_WIDE).snapshots]
    assert any(g.login for g in given)
    assert any(g.order for g in given)
    assert any(g.notice for g in given)


def test_keeping_snapshots_changes_nothing_else() -> None:
    """The same alerts and the same state to the byte, with or without."""
    bare = _Kept(POLICY, keep=False)
    assert bare.snapshots == []
    assert bare.alerts == kept(POLICY).alerts
    assert bare.store == kept(POLICY).store


def test_a_snapshot_holds_no_other_account() -> None:
    """Neither an id nor the digest that counts remember their last accounts by."""
    accounts = {observed.event.account_id for observed in traffic()}
    for snapshot in kept(_WIDE).snapshots:
        own = snapshot.account_id
        text = msgspec.json.encode(snapshot).decode()
        raw = b"".join(snapshot.entries.values()).decode("latin-1")
        assert not any(other in text or other in raw for other in accounts if other != own)
        for remembered in _remembered(snapshot):
            assert remembered == digest(own)


@pytest.mark.parametrize("order", ["little", "big"])
def test_the_state_in_a_snapshot_remembers_no_other_account(
    order: Literal["little", "big"],
) -> None:
    """Nor does what is stored of an engine hold another's digest: whose event was the last is cut.

    Counts are stored in little-endian order, numbers in profiles and cases in big-endian.
    """
    accounts = {observed.event.account_id for observed in traffic()}
    for snapshot in kept(_WIDE).snapshots:
        others = [digest(other).to_bytes(4, order) for other in accounts - {snapshot.account_id}]
        for name, entry in snapshot.entries.items():
            assert not any(other in entry for other in others), name


def _remembered(snapshot: Snapshot) -> Iterator[int | float]:
    for name, cells in snapshot.cells.items():
        if name in Population(dict[bytes, bytes]().get).owners:
            yield from (value for at, value in cells.values.items() if at % 4 >= 2)


def test_another_state_leads_to_another_alert() -> None:
    """Working it out again is more than copying what was published."""
    snapshot = next(
        s
        for s in kept(POLICY).snapshots
        if (s.given.order or s.given.login) and any(key.startswith("a:") for key in s.entries)
    )
    without = {k: v for k, v in snapshot.entries.items() if not k.startswith("a:")}
    again = replay(msgspec.structs.replace(snapshot, entries=without)).alert
    then = replay(snapshot).alert
    assert then is not None
    assert again is None or encode_alert(again) != encode_alert(then)


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 2},
        {"entries": {"p:account-days:0": b"\x01"}},
        {"entries": {"m:calibration": b""}},
    ],
)
def test_a_snapshot_of_another_shape_is_refused(wrong: dict[str, object]) -> None:
    """One error, whatever is wrong with it."""
    with pytest.raises(IncompatibleState):
        replay(msgspec.structs.replace(kept(POLICY).snapshots[0], **wrong))
