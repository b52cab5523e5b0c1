"""Rules of what crosses the product's edges: events, settings, look-ups, files, alerts."""
