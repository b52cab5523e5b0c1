"""The agents that carry topics keyed otherwise into topics keyed by account."""

from typing import Any

from streams.runtime.application import RunApp
from streams.runtime.rekeying import Rekeying


def attach(app: RunApp, rekeying: Rekeying) -> None:
    """Have `app` carry every run of one topic into its repartition topic."""

    @app.agent(app.carried[rekeying.source], name=f"rekey-{rekeying.source}")
    async def rekey(runs: Any) -> None:
        async for run in runs:
            await app.runtime.carry(run, rekeying)
