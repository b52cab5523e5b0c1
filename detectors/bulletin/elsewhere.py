"""Which campaigns others have told of, by what a campaign's alerts have in common."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from detectors.bulletin.months import Month
from detectors.bulletin.standing import Campaigns
from detectors.campaigns.records import Campaign
from detectors.heat.indicators import KINDS
from detectors.intelligence import GroupKey, IndicatorReport
from detectors.intelligence.records import KIND_OF
from detectors.intelligence.table import mark_of, marks_of
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
    told: dict[str, list[IndicatorReport]] = defaultdict(list)
    for report in reports:
        if report.tlp not in STAYING:
            told[mark_of(report)].append(report)
    return {
        campaign.campaign_id: len(
            {
                report.source
                for shared in campaign.indicators
                if _is_telling(shared.indicator)
                for mark in marks_of(shared.indicator, keys)
                for report in told.get(mark, ())
                for at in (campaign.last_seen, month.end - 1)
                if report.valid_from <= at < report.valid_until
            }
        )
        for campaign in Campaigns(campaigns).latest.values()
    }


def _is_telling(indicator: str) -> bool:
    kind = KIND_OF.get(indicator.partition(":")[0])
    return kind is not None and not KINDS[kind].coarse
