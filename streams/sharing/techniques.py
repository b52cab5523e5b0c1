"""What techniques are called where others name them."""

from typing import Final

_ATTACK: Final = {
    "T1110.003": "Password Spraying",
    "T1110.004": "Credential Stuffing",
    "T1111": "Multi-Factor Authentication Interception",
    "T1451": "SIM Card Swap",
    "T1539": "Steal Web Session Cookie",
    "T1557": "Adversary-in-the-Middle",
}


def name_of(technique: str) -> str:
    """Return ATT&CK's name of a technique, its id where we have none."""
    return _ATTACK.get(technique, technique)


def framework_of(technique: str) -> tuple[str, str | None]:
    """Return the framework of a technique as STIX names it, and where the technique is described.

    Ids that begin with F are those of the MITRE Fight Fraud Framework.
    """
    if technique.startswith("F"):
        return "mitre-f3", None
    path = technique.replace(".", "/")
    return "mitre-attack", f"https://attack.mitre.org/techniques/{path}/"
