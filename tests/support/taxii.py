"""A TAXII 2.1 server of OASIS's own, in a process of its own on a free port of this machine."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.support.commands import REPOSITORY

USER, PASSWORD = "shop-b", "a password of the tests"
_COLLECTION: Final = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
_DATA: Final = {
    "/discovery": {"title": "Tests", "default": "/group/", "api_roots": ["/group/"]},
    "group": {
        "information": {
            "title": "A group of retailers",
            "versions": ["application/taxii+json;version=2.1"],
            "max_content_length": 10_000_000,
        },
        "status": [],
        "collections": [
            {
                "id": _COLLECTION,
                "title": "Indicators",
                "can_read": True,
                "can_write": True,
                "media_types": ["application/stix+json;version=2.1"],
                "objects": [],
                "manifest": [],
            }
        ],
    },
}


@contextmanager
def taxii_server() -> Iterator[str]:
    """Give the URL of an empty collection that `USER` may read and write."""
    with subprocess.Popen(
        [sys.executable, "-m", __name__], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def serve() -> None:
    """Say where the collection is, and serve it for good."""
    from medallion import application_instance, register_blueprints, set_config
    from werkzeug.serving import make_server

    configuration = {
        "backend": {
            "module": "medallion.backends.memory_backend",
            "module_class": "MemoryBackend",
            "filename": io.StringIO(json.dumps(_DATA)),
        },
        "users": {USER: PASSWORD},
        # Small, so that whoever reads has to turn pages.
        "taxii": {"max_page_size": 20},
    }
    for part in configuration:
        set_config(application_instance, part, configuration)
    register_blueprints(application_instance)
    server = make_server("127.0.0.1", 0, application_instance, threaded=True)
    url = f"http://127.0.0.1:{server.server_port}/group/collections/{_COLLECTION}/"
    print(url, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve()
