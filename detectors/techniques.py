"""Every technique that an alert or an attack may name, by its id, and what it means.

Ids beginning with T are MITRE ATT&CK's, those with F the MITRE Fight Fraud Framework's.
"""

from typing import Final

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
