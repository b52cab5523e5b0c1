"""The agent that reads sign-ins, orders, account changes and verdicts."""

from typing import Any

from streams.runtime.application import RunApp


def attach(app: RunApp) -> None:
    """Have `app` fold every run of the source topics into the state of its partition.

    One agent reads all four topics: an account's events reach it in the order in which they
    happened, and whatever stops it stops the worker.
    """

    @app.agent(app.runs, name="detect")
    async def detect(runs: Any) -> None:
        async for run in runs:
            await app.runtime.fold(run)
