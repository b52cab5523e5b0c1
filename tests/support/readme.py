"""The README's table of topics, made from the registry: `python -m tests.support.readme`."""

import re
from pathlib import Path

from streams.settings import Settings
from streams.topics import topic_specs

README = Path(__file__).parents[2] / "README.md"
_TABLE = re.compile(r"(<!-- topics -->\n).*?(<!-- /topics -->)", re.DOTALL)
_WRITTEN = ("alerts", "campaigns", "assessments", "dead_letters")


def topics_table() -> str:
    """Return the table as Markdown: a line a topic, in the contract's order."""
    settings = Settings()
    written = {settings.topic(name) for name in _WRITTEN}
    lines = ["| topic | key | | what |", "| --- | --- | --- | --- |"]
    for spec in topic_specs(settings):
        way = "out" if spec.name in written else "in"
        way = "own" if spec.name.startswith(settings.app_id) else way
        lines.append(f"| `{spec.name}` | {spec.key} | {way} | {spec.meaning} |")
    return "\n".join(lines) + "\n"


def with_tables(text: str) -> str:
    """Return the README's text with its table as it should be."""
    return _TABLE.sub(lambda found: found[1] + topics_table() + found[2], text)


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text()))
