"""The agents that fold: one a flow."""

from typing import Any

from streams.runtime.application import RunApp


def attach(app: RunApp, flow: str, *, agent: str) -> None:
    """Have `app` fold every run of a flow's topics into the state of its partition.

    One agent reads all topics of a flow: what belongs together reaches it in the order in which it
    happened, and whatever stops it stops the worker.
    """

    @app.agent(app.runs[flow], name=agent)
    async def fold(runs: Any) -> None:
        async for run in runs:
            await app.runtime.fold(run)
