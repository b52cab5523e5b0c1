"""What heat says in words."""

from typing import Final

from detectors.assessments import Evidence
from detectors.heat.indicators import KINDS, Kind
from detectors.heat.records import Hot, Technique


def describe(hot: Hot) -> str:
    """Return a sentence that names the technique, and what it was seen by.

    Tries fade with the window that told it, accounts are of the last days: there may be more
    accounts than tries.
    """
    return (
        f"{_TECHNIQUES[hot.technique]} through {NAMES[Kind(hot.kind)]} new to this account:"
        f" {hot.failed} of the latest {hot.tried} tries failed;"
        f" {_about(hot.accounts)} accounts were tried within days."
    )


def evidence_of(hot: Hot) -> Evidence:
    """Return what is hot, its value where that may be told."""
    return Evidence(seen=hot.shown or KINDS[hot.kind].name)


def _about(accounts: int) -> str:
    return f"about {accounts}" if accounts < 1_000 else "more than a thousand"


_TECHNIQUES: Final[dict[Technique, str]] = {
    "fast_stuffing": "Leaked passwords are being tried from few addresses,",
    "spraying": "Passwords are being tried from many addresses,",
    "slow_stuffing": "Leaked passwords are being tried slowly, from ever new addresses,",
}
NAMES: Final = {
    Kind.PREFIX: "an address range",
    Kind.OPERATOR: "a network operator",
    Kind.DEVICE: "a device",
    Kind.AGENT: "a client",
    Kind.SHAPE: "a kind of client",
    Kind.DELIVERY: "a delivery address",
    Kind.PAYMENT: "a means of payment",
    Kind.CONTACT: "a contact",
    Kind.POSTCODE: "a delivery postcode",
}
