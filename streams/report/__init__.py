"""The backtest's report: one HTML page without anything outside it, and the same as JSON."""
