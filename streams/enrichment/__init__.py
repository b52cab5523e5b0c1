"""Attaches facts to events: whose network, which place, what client. It never judges them."""

from streams.enrichment.enricher import Enricher as Enricher

__all__ = ["Enricher"]
