"""Alerts that share rare indicators are one gang's work: a campaign with a stable id.

`records` is what is published; `linker` decides what belongs together.
"""

from detectors.campaigns.linker import CampaignLinker
from detectors.campaigns.records import Campaign

__all__ = ["Campaign", "CampaignLinker"]
