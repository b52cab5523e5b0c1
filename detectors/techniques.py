"""Every technique that an alert or an attack may name, by its id, and what it means.

Ids beginning with T are MITRE ATT&CK's, those with F the MITRE Fight Fraud Framework's.
"""

from typing import Final, NamedTuple

TECHNIQUES: Final[dict[str, str]] = {
    "T1110.003": "password spraying: many accounts, few passwords",
    "T1110.004": "credential stuffing: many accounts, one or two tries each",
    "T1557": "adversary in the middle: MFA passed, then the session moves",
    "T1539": "a session cookie is stolen",
    "F1004": "a known session goes on elsewhere",
    "F1005.004": "e-mail or phone is changed",
    "F1005.005": "a delivery address is changed",
    "F1005.006": "a means of payment is changed",
    "F1006.003": "a password is reset",
    "F1028": "goods, points or gift cards are cashed out",
    "F1030": "access by way of proxies and devices of one's own",
    "F1033": "an insider changes it from the support console",
    "F1042": "a dormant account is revived",
}

_NAMES: Final = {
    "F1004": "Access with Stolen Session Cookie",
    "F1005.004": "Account Manipulation: Change Account Details",
    "F1005.005": "Account Manipulation: Change E-Delivery or Notification Settings",
    "F1005.006": "Account Manipulation: Change of Payment Details",
    "F1006.003": "Account Takeover: Password Reset",
    "F1012": "Card Testing",
    "F1023": "Device Fingerprint Spoofing",
    "F1028": "Fraudulent Purchasing",
    "F1030": "Geolocation Spoofing",
    "F1033": "Insider Access Abuse",
    "F1042": "Reactivate Account",
    "F1046": "Test Payment Thresholds",
    "T1110.003": "Password Spraying",
    "T1110.004": "Credential Stuffing",
    "T1111": "Multi-Factor Authentication Interception",
    "T1451": "SIM Card Swap",
    "T1539": "Steal Web Session Cookie",
    "T1557": "Adversary-in-the-Middle",
}


class Technique(NamedTuple):
    """A technique as its framework names it, and in plain words; `url` is its own page, if any."""

    id: str
    name: str
    meaning: str
    framework: str
    url: str | None


def technique(id_: str) -> Technique:
    """Return a technique; one without a name here goes by its id."""
    name, meaning = _NAMES.get(id_, id_), TECHNIQUES.get(id_, "")
    if id_.startswith("F"):
        return Technique(id_, name, meaning, "MITRE Fight Fraud Framework", None)
    url = f"https://attack.mitre.org/techniques/{id_.replace('.', '/')}/"
    return Technique(id_, name, meaning, "MITRE ATT&CK", url)
