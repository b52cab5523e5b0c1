"""Where findings go: standard output or a file, a folder, a topic, a TAXII collection."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, Protocol

from detectors.errors import ConfigurationError
from detectors.markings import Marking
from streams.sending import Outgoing, send_to
from streams.settings import Settings
from streams.sharing.confirmed import Finding
from streams.sharing.records import encode_report
from streams.whole_files import write_whole

Format = Literal["stix", "misp"]
STANDARD_OUTPUT: Final = Path("-")


class Target(Protocol):
    """Somewhere that findings are told, as a whole, whenever they have changed."""

    def tell(self, findings: Sequence[Finding]) -> None:
        """Tell what is confirmed by now; what is not any more is taken back where that can be."""


def documents(findings: Sequence[Finding], format_: Format, marking: Marking) -> list[bytes]:
    """Return findings in a format: STIX as one bundle, MISP as an event each."""
    if format_ == "stix":
        from streams.sharing.stix import bundle_of

        return [bundle_of(findings, marking)]
    from streams.sharing.misp import events_of

    return events_of(findings, marking)


class ToFile:
    """One file, or standard output, that is written anew each time."""

    def __init__(self, path: Path, format_: Format, marking: Marking) -> None:
        self._path, self._format, self._marking = path, format_, marking

    def tell(self, findings: Sequence[Finding]) -> None:
        """Write all of it; several MISP events are a list of them."""
        parts = documents(findings, self._format, self._marking)
        data = parts[0] if len(parts) == 1 else b"[" + b",".join(parts) + b"]\n"
        if self._path == STANDARD_OUTPUT:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            write_whole(self._path, data)


class ToFolder:
    """A file for each campaign, named by its id; one that is no longer confirmed goes."""

    def __init__(self, path: Path, format_: Format, marking: Marking) -> None:
        self._path, self._format, self._marking = path, format_, marking
        self._written: set[Path] = set()

    def tell(self, findings: Sequence[Finding]) -> None:
        """Write a campaign a file, each at once or not at all."""
        written = set()
        for finding in findings:
            name = f"{finding.campaign_id}.{self._format}.json"
            if Path(name).name != name:
                raise ConfigurationError(f"campaign {finding.campaign_id!r} cannot name a file")
            path = self._path / name
            [data] = documents([finding], self._format, self._marking)
            write_whole(path, data)
            written.add(path)
        for path in self._written - written:
            path.unlink(missing_ok=True)
        self._written = written


class ToTopic:
    """A topic, as reports keyed by their ids; one that is no longer confirmed is taken back."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._settings, self._topic = settings, topic
        self._told: dict[str, bytes] = {}

    def tell(self, findings: Sequence[Finding]) -> None:
        """Send what has changed since the last time."""
        reports = {
            report.indicator_id: encode_report(report)
            for finding in findings
            for report in finding.indicators
        }
        records = [
            Outgoing(self._topic, name.encode(), value, [])
            for name, value in reports.items()
            if self._told.get(name) != value
        ]
        gone = self._told.keys() - reports.keys()
        records += [Outgoing(self._topic, name.encode(), None, []) for name in sorted(gone)]
        send_to(self._settings, [self._topic], records)
        self._told = reports


class ToTaxii:
    """A TAXII 2.1 collection: bundles of what has changed."""

    def __init__(self, settings: Settings, url: str, marking: Marking) -> None:
        self._settings, self._url, self._marking = settings, url, marking
        self._told: set[Finding] = set()

    def tell(self, findings: Sequence[Finding]) -> None:
        """Add the campaigns that are new or changed since the last time."""
        from streams.sharing.taxii import add

        news = [finding for finding in findings if finding not in self._told]
        if news:
            [bundle] = documents(news, "stix", self._marking)
            add(self._settings, self._url, bundle)
        self._told = set(findings)
