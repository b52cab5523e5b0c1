"""How well a detector did: hijacks caught in time at a fixed budget of alerts, with intervals.

A `Ledger` records what happened while a detector runs; `Trial` says what of it is judged; `judge`
holds a detector's risks against the trial; `summarise` pools runs and puts intervals beside every
share. The baselines that a detector must beat are in `baselines`.
"""
