"""Which campaigns others have told of, by what a campaign's alerts have in common."""

from collections.abc import Iterable, Sequence

from detectors.bulletin.months import Month
from detectors.bulletin.standing import Campaigns
from detectors.campaigns.records import Campaign
from detectors.heat.indicators import KINDS, Met
from detectors.intelligence import GroupKey, IndicatorReport, IndicatorTable
from detectors.intelligence.records import KIND_OF
from detectors.markings import STAYING


def seen_elsewhere(
    campaigns: Iterable[Campaign],
    reports: Sequence[IndicatorReport],
    keys: Sequence[GroupKey],
    month: Month,
) -> dict[str, int]:
    """Return how many sources have told of each campaign, by its id.

    A report counts where it was valid when the campaign was last seen, or at the month's end: who
    confirms a campaign later tells of it later. What customers share by the hundreds (an operator,
    a browser) tells of no campaign. What came under a marking that keeps it in the house is not
    counted: a bulletin leaves it.
    """
    table = IndicatorTable(keys)
    for report in reports:
        if report.tlp not in STAYING:
            table.take(report)
    return {
        campaign.campaign_id: len(
            {
                report.source
                for shared in campaign.indicators
                for at in (campaign.last_seen, month.end - 1)
                for report in _reports(table, shared.indicator, at)
            }
        )
        for campaign in Campaigns(campaigns).latest.values()
    }


def _reports(table: IndicatorTable, indicator: str, at: float) -> tuple[IndicatorReport, ...]:
    name, _, key = indicator.partition(":")
    kind = KIND_OF.get(name)
    if kind is None or KINDS[kind].coarse:
        return ()
    return table.reports(Met(int(kind), int(key, 16), ""), at)
