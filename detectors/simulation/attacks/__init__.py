"""How each family of attack goes about it, step by step."""

from detectors.simulation.attacks.credentials import spraying, stuffing_fast, stuffing_slow
from detectors.simulation.attacks.intimate import aitm_relay, cookie_theft, insider, sim_swap_reset
from detectors.simulation.attacks.scripts import Script
from detectors.simulation.attacks.takings import (
    change_before_order,
    checker_canary,
    click_and_collect,
    dormant_revival,
    points_drain,
    spoofed_targeted,
)

SCRIPTS: dict[str, Script] = {
    "stuffing_fast": stuffing_fast,
    "stuffing_slow": stuffing_slow,
    "spraying": spraying,
    "aitm_relay": aitm_relay,
    "cookie_theft": cookie_theft,
    "sim_swap_reset": sim_swap_reset,
    "spoofed_targeted": spoofed_targeted,
    "change_before_order": change_before_order,
    "dormant_revival": dormant_revival,
    "checker_canary": checker_canary,
    "points_drain": points_drain,
    "click_and_collect": click_and_collect,
    "insider": insider,
}
"""The script of each family: a hijack as a process."""
