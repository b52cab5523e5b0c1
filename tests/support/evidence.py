"""A case of evidence without a broker: the hand-made shop's hijack, folded by the product."""

import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from detectors.engine import Engine
from detectors.events import EventType
from detectors.intelligence import IndicatorReport, IndicatorTable
from detectors.models.prior import SHIPPED, Prior
from detectors.policy import Policy
from detectors.snapshots import Snapshot
from streams.dead_letters import DeadLetters, DeadLetterShare
from streams.enrichment import Enricher
from streams.evidence.case import Case, case_of
from streams.evidence.contents import files_of
from streams.evidence.crime_record import Reporter
from streams.evidence.gathering import Gathered, Received, Revision, event_of
from streams.evidence.marking import published
from streams.evidence.packing import signed
from streams.evidence.records import decode_evidence
from streams.processor import FraudProcessor, Outputs, Source
from streams.runtime.interfaces import Record
from tests.integration import shop_traffic
from tests.integration.shop_traffic import Happening
from tests.support.intelligence import KEY as GROUP_KEY

MADE_AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_POLICY = Policy()
_TYPES: dict[str, EventType] = {
    "logins": "login",
    "orders": "order",
    "account_changes": "account_change",
}


def processor(
    *reports: IndicatorReport, policy: Policy = _POLICY, prior: Prior = SHIPPED
) -> FraudProcessor:
    """A processor of the shop's topics that keeps what its alerts stand on; others may report."""
    told = IndicatorTable([GROUP_KEY])
    assert all(map(told.take, reports))
    return FraudProcessor(
        Engine(policy, lambda _: None, intelligence=told, prior=prior, keep_snapshots=True),
        Enricher(()),
        sources={name: Source(type_) for name, type_ in _TYPES.items()},
        outputs=Outputs(alerts="alerts", observations="observations", evidence="evidence"),
        dead_letters=DeadLetters("dead-letters", DeadLetterShare(1, 100), list(_TYPES)),
        max_record_bytes=1_048_576,
    )


def records() -> list[Record]:
    """All that happened, as it was received; the customer sends a gift while the case is open."""
    return [
        Record(h.source, 1, offset, h.moment.timestamp(), h.key, h.value)
        for offset, h in enumerate(map(_as_a_gift, shop_traffic.everything()))
    ]


def _as_a_gift(happening: Happening) -> Happening:
    if happening.fields["event_id"] != "orders-customer-7-35":
        return happening
    fields = {**happening.fields, "shipping_address_id": "address-of-a-friend"}
    return happening._replace(fields=fields)


@cache
def gathered(
    *reports: IndicatorReport, policy: Policy = _POLICY, prior: Prior = SHIPPED
) -> Gathered:
    """What belongs to the shop's one case; others may have reported something of it."""
    folding = processor(*reports, policy=policy, prior=prior)
    sends = folding.fold([folding.prepare(record) for record in records()])
    revisions = [published(s.value or b"") for s in sends if s.topic == "alerts"]
    kept = [decode_evidence(send.value) for send in sends if send.topic == "evidence"]
    alert = revisions[-1].alert
    events = [
        Received(record, type_, event)
        for record in records()
        if (event := event_of(record, type_ := _TYPES[record.topic], limit=10**6)) is not None
        and event.event_id in alert.event_ids
    ]
    return Gathered(
        alert.alert_id, None, _own(revisions, alert.alert_id), _by(kept), tuple(events), ()
    )


def _own(revisions: list[Revision], alert_id: str) -> tuple[Revision, ...]:
    return tuple(revision for revision in revisions if revision.alert.alert_id == alert_id)


def _by(kept: list[Snapshot]) -> dict[tuple[str, int], Snapshot]:
    return {(snapshot.alert_id, snapshot.revision): snapshot for snapshot in kept}


@cache
def case() -> Case:
    """The shop's one case, in order."""
    return case_of(gathered())


@cache
def pack_files() -> dict[str, bytes]:
    """The files of its pack, signed by `KEY`."""
    reporter = Reporter("Fernwick & Sons", "fraud desk <fraud@fernwick.example>", "0 GBP")
    files = files_of(case(), reporter, MADE_AT)
    return signed(files, case().gathered.id, KEY, MADE_AT)


def accounts_in(files: Mapping[str, bytes]) -> set[str]:
    """The shop's customers who are in a pack, in the events' and snapshots' own encodings too."""
    raw = [
        b64decode(orjson.loads(line)[part])
        for line in files["events.ndjson"].splitlines()
        for part in ("key", "value")
    ]
    raw += [
        b64decode(value)
        for name, content in files.items()
        if name.startswith("snapshots/")
        for value in orjson.loads(content)["entries"].values()
    ]
    everything = b"\0".join([*files.values(), *raw])
    return {found.decode() for found in re.findall(rb"customer-[0-9]+", everything)}
