"""Which framework a technique is of, as STIX and MISP name frameworks."""

from detectors.techniques import technique


def framework_of(id_: str) -> tuple[str, str | None]:
    """Return the framework of a technique as STIX names it, and where the technique is described.

    Ids that begin with F are those of the MITRE Fight Fraud Framework.
    """
    return ("mitre-f3" if id_.startswith("F") else "mitre-attack"), technique(id_).url
