"""What an account's own history cannot show: how its network or client fares on others.

**Read it in this order.** `indicators` says what is compared across accounts. `records` are what
the flows tell one another, and their bytes. `sightings` is the account's side: what an engine tells
of its events, summed up. `counter` is the indicator's side: it counts sightings, says which
indicators are hot, whom an attack had entered before that, and what an alert's indicators are
worth for linking. `table` holds what is hot for the engine to ask. `detectors.campaigns` links.

**The way round.** Each of the four steps is pure and is driven alike by the worker (a topic between
any two) and by the backtest (a list):

1. An engine made with `Sightings(shards, source)` notes what its events show. Whenever its state is
   handed over, `engine.sightings()` gives, just before `changes()`, batches for each shard: send
   each to the partition of its shard. `source` is the engine's own partition.
2. `HeatCounter(read).take(batch)` answers with `Hot` (to every engine's `HotTable`: a
   compacted topic keyed by `hot.id`, read whole by every worker), `Reassessment` (to the engine of
   its `account_id`), `Link` and `Front` (both to the one linker).
3. `CampaignLinker(read).take(told)` answers with `Membership` (to the engine of its `account_id`).
   Just before `changes()`, `summaries()` gives a `Campaign` for each that changed, and an `Attack`
   for each that there is news of (published on `campaigns`).
4. `engine.take_notice(notice)` takes a `Reassessment` or `Membership` and answers with the new
   revision of the account's alert, where there is one.

**What is repeated is told once.** Whoever carries a batch sees to it that it is counted once (the
worker's flows number what they tell one another). Notices, links and hot indicators say how things
stand rather than what to add: taking one twice changes nothing.
"""

from detectors.heat.indicators import Indicator, Kind
from detectors.heat.records import (
    Attack,
    AttackedIndicator,
    Batch,
    Front,
    HeatOutput,
    Hot,
    Link,
    Membership,
    Notice,
    Reassessment,
    decode_batch,
    decode_hot,
    decode_link,
    decode_linking,
    decode_notice,
    encode_batch,
    encode_front,
    encode_hot,
    encode_link,
    encode_notice,
)

__all__ = [
    "Attack",
    "AttackedIndicator",
    "Batch",
    "Front",
    "HeatOutput",
    "Hot",
    "Indicator",
    "Kind",
    "Link",
    "Membership",
    "Notice",
    "Reassessment",
    "decode_batch",
    "decode_hot",
    "decode_link",
    "decode_linking",
    "decode_notice",
    "encode_batch",
    "encode_front",
    "encode_hot",
    "encode_link",
    "encode_notice",
]
