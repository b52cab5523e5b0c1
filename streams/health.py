"""What a worker tells of itself over HTTP: alive, ready, how far behind, and figures.

Nobody signs in here, so the pages tell nothing of accounts, and are off until a port is set and on
this machine only until an address is.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

import orjson
from prometheus_client import CONTENT_TYPE_LATEST

from streams.metrics import exposition
from streams.runtime.lanes import numbers_by_flow

_JSON: Final = "application/json"


class Answer(NamedTuple):
    """A page's answer."""

    body: bytes
    content_type: str = _JSON
    status: int = 200


def live(_app: Any) -> Answer:
    """Tell that the event loop runs; a worker that does not get on ends itself (`vigil`)."""
    return Answer(orjson.dumps({"live": True}))


def ready(app: Any) -> Answer:
    """Tell whether what the group has assigned is being read; 503 while it is not."""
    runtime = app.runtime
    told = {
        "ready": runtime.ready,
        "partitions": numbers_by_flow(runtime.partitions),
        "restoring_records": runtime.restoring.left,
    }
    return Answer(orjson.dumps(told), status=200 if runtime.ready else 503)


def lag(app: Any) -> Answer:
    """Tell by partition how many records are not folded yet, and in all."""
    lags = app.vigil.lags
    partitions = [
        {"topic": tp.topic, "partition": tp.partition, "records": of_one.records}
        for tp, of_one in sorted(lags.items())
    ]
    total = sum(of_one.records for of_one in lags.values())
    return Answer(orjson.dumps({"records": total, "partitions": partitions}))


def metrics(app: Any) -> Answer:
    """Tell every figure, as Prometheus reads it."""
    return Answer(exposition(app), CONTENT_TYPE_LATEST)


PAGES: Final[Mapping[str, Callable[[Any], Answer]]] = {
    "/health/live": live,
    "/health/ready": ready,
    "/health/lag": lag,
    "/metrics": metrics,
}


def attach(app: Any) -> None:
    """Give an application its pages."""
    for path, page in PAGES.items():
        app.page(path, name=page.__name__)(_handler(app, page))


def _handler(app: Any, page: Callable[[Any], Answer]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def handler(web: Any, _request: Any) -> Any:
        body, content_type, status = page(app)
        return web.bytes(body, headers={"Content-Type": content_type}, status=status)

    return handler
