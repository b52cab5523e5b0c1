"""`nightlatch campaigns`: gangs whose alerts belong together, and attacks under way."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Literal

import typer

from detectors.campaigns import Campaign
from detectors.heat import Attack
from streams.cli.options import AsJson, Broker, SettingsFile, Since, settings_from, since_seconds
from streams.cli.watching import FromBeginning, MaxCount, Timeout, decoded, show
from streams.runtime.interfaces import Record

Kind = Literal["campaign", "attack"]
_Found = tuple[Record, Campaign | Attack]


def command(
    *,
    from_beginning: FromBeginning = False,
    since: Since = None,
    current: Annotated[
        bool,
        typer.Option("--current", help="Show each as it stands now, oldest first, and end."),
    ] = False,
    kind: Annotated[
        Kind | None, typer.Option(help="Only alerts that belong together, or only attacks.")
    ] = None,
    account: Annotated[
        str | None, typer.Option(metavar="ID", help="Only campaigns with this account in them.")
    ] = None,
    max_count: MaxCount = None,
    timeout: Timeout = None,
    as_json: AsJson = False,
    settings: SettingsFile = None,
    broker: Broker = None,
) -> None:
    """Show campaigns and attacks as they are told, until Ctrl-C.

    A campaign is a gang's work: alerts that share what only few customers have. An attack is
    passwords being tried, whether they open any account or none. Each revision of either comes by
    itself; without --from-beginning, --since or --current it begins with the next one.
    """
    from streams.codec import decode_published
    from streams.presentation import campaign_view
    from streams.tailing import tail

    chosen = settings_from(settings, broker)
    records = tail(
        chosen,
        chosen.topic("campaigns"),
        from_beginning=from_beginning or current,
        since=since_seconds(since),
        to_end=current,
        patience=timeout,
    )
    found = decoded(records, decode_published)
    if current:
        found = _as_they_stand(found)
    wanted = (pair for pair in found if _is_wanted(pair[1], kind, account))
    show(islice(wanted, max_count), campaign_view, as_json=as_json)


def _is_wanted(content: Campaign | Attack, kind: Kind | None, account: str | None) -> bool:
    if kind not in (None, content.kind):
        return False
    return account is None or (isinstance(content, Campaign) and account in content.accounts)


def _as_they_stand(found: Iterable[_Found]) -> Iterator[_Found]:
    """The latest revision of each, those left out that are part of another by now."""
    latest: dict[str, _Found] = {}
    for record, content in found:
        held = latest.get(content.campaign_id)
        # What a worker told before it died comes again: an older revision after a newer one.
        if held is None or content.revision >= held[1].revision:
            latest[content.campaign_id] = record, content
    for record, content in sorted(latest.values(), key=lambda pair: pair[1].last_seen):
        if content.merged_into is None:
            yield record, content
