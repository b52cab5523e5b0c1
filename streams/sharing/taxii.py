"""A TAXII 2.1 server's collection: what it holds, and what is added to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import requests
from taxii2client.exceptions import TAXIIServiceException
from taxii2client.v21 import Collection, as_pages

from detectors.errors import ConfigurationError, NightlatchError
from streams.settings import Settings
from streams.sharing.importing import MOST_BYTES

_A_PAGE: Final = 500
_MOST_OBJECTS: Final = 200_000
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class TaxiiTrouble(NightlatchError):
    """A TAXII server that cannot be reached, or refused what was asked."""


def fetch(settings: Settings, url: str, *, added_after: str | None = None) -> bytes:
    """Return a collection's objects as one envelope; those added after a time (RFC 3339), or all.

    Raises TaxiiTrouble, also for more than a bound of objects or bytes.
    """
    objects: list[Any] = []
    asked = {"added_after": added_after} if added_after else {}
    with _collection(settings, url) as collection:
        for page in as_pages(collection.get_objects, per_request=_A_PAGE, **asked):
            objects += page.get("objects", [])
            if len(objects) > _MOST_OBJECTS:
                raise TaxiiTrouble(f"{url}: more than {_MOST_OBJECTS} objects: ask with --since")
    data = orjson.dumps({"objects": objects})
    if len(data) > MOST_BYTES:
        raise TaxiiTrouble(f"{url}: {len(data)} bytes of objects: ask with --since")
    return data


def add(settings: Settings, url: str, bundle: bytes) -> int:
    """Add a bundle's objects to a collection; return how many. Raises TaxiiTrouble.

    Extension definitions stay behind: servers take an object's `version` for a time (OASIS's own
    does), and the definition's is a number.
    """
    found: list[Any] = orjson.loads(bundle).get("objects", [])
    objects = [one for one in found if one.get("type") != "extension-definition"]
    with _collection(settings, url) as collection:
        for begin in range(0, len(objects), _A_PAGE):
            status = collection.add_objects({"objects": objects[begin : begin + _A_PAGE]})
            if status.failure_count:
                raise TaxiiTrouble(f"{url}: {status.failure_count} objects were refused")
    return len(objects)


@contextmanager
def _collection(settings: Settings, url: str) -> Iterator[Any]:
    password = _password(settings.taxii_password_file)
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ConfigurationError(f"{url}: a TAXII collection is at https://, elsewhere than here")
    try:
        collection = Collection(url, user=settings.taxii_username, password=password)
        try:
            yield collection
        finally:
            collection.close()
    except (TAXIIServiceException, requests.RequestException, ValueError, KeyError) as error:
        # What a server answers that is no TAXII ends in the last two.
        text = " ".join(str(error).split())[:300]
        raise TaxiiTrouble(f"TAXII at {url}: {text or type(error).__name__}") from None


def _password(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text().strip()
    except OSError as error:
        raise ConfigurationError(f"taxii_password_file {path}: {error.strerror}") from None
