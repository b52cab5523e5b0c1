"""A TAXII 2.1 server's collection: what it holds, and what is added to it.

`taxii2client` knows the protocol, and takes every answer for what the protocol asks for. So it is
given a connection that answers with nothing else: JSON objects of bounded size, whose fields have
their types. A server that falls silent is given up, and one that trickles on when its time is over.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from socket import SHUT_RDWR, socket
from threading import Timer
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from taxii2client.exceptions import TAXIIServiceException
from taxii2client.v21 import Collection

from detectors.errors import ConfigurationError, NightlatchError
from detectors.faults import describe
from streams.settings import Settings
from streams.sharing.importing import MOST_BYTES
from streams.whole_files import read_secret

_A_PAGE: Final = 500
_NAMES: Final = 50
"""Ids that are asked for at once: they are in the address, which has its bounds."""
_MOST_OBJECTS: Final = 200_000
_MOST_PAGES: Final = 10_000
_MOST_EMPTY: Final = 10
"""Pages without an object, one after another: a server may leave out what a member may not see."""
_PATIENCE: Final = 60.0
"""Seconds in which a server must begin to answer, and go on when it has begun."""
_ALTOGETHER: Final = 900.0
"""Seconds for all that is asked of a server: `MOST_BYTES` at 75 kB a second."""
_CHUNK: Final = 64 * 1024
_OLDER: Final = "identity,campaign,attack-pattern,marking-definition"
"""Types of what is told once, and referred to by indicators that are added for years."""
_MEDIA_TYPE: Final = "application/taxii+json"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_TYPES: Final[Mapping[str, type]] = {
    "id": str, "title": str, "can_read": bool, "can_write": bool,
    "objects": list, "more": bool, "next": str,
    "status": str, "total_count": int, "success_count": int, "failure_count": int,
    "pending_count": int, "successes": list, "failures": list, "pendings": list,
}  # fmt: skip
"""Fields of a collection, an envelope and a status (TAXII 2.1, 5.2.1, 3.7 and 4.3.1)."""


_WHY: Final[Mapping[int, str]] = {
    401: "set taxii_username and taxii_password_file to what the server knows",
    403: "the name that is set may not do this here",
    404: "there is no such collection, or none that the name that is set may see",
    413: "that is more at once than the server takes",
    422: "the server does not take these objects",
    429: "too much was asked of it: try again later",
    503: "the server is not ready: try again later",
}
"""What may be done about what a server answers, by its code (RFC 9110)."""


class TaxiiTrouble(NightlatchError):
    """A TAXII server that cannot be reached, refused what was asked, or answers no TAXII."""


def fetch(settings: Settings, url: str, *, added_after: str | None = None) -> list[Any]:
    """Return a collection's objects; those added after a time (RFC 3339), or all.

    With the former comes, of whatever age, what they may refer to. Raises TaxiiTrouble, also for
    more than a bound of objects, bytes or pages.
    """
    objects: list[Any] = []
    questions = [{"added_after": added_after}, {"type": _OLDER}] if added_after else [{}]
    with _collection(settings, url) as collection:
        for asked in questions:
            for page in _pages(collection, url, asked):
                objects += page.get("objects", [])
                if len(objects) > _MOST_OBJECTS:
                    raise TaxiiTrouble(
                        f"{url}: more than {_MOST_OBJECTS} objects: ask with --since"
                    )
    return objects


def _pages(collection: Any, url: str, asked: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Turn pages as long as there is more; a server may not make that for ever."""
    empty, turned = 0, dict(asked)
    seen: set[str] = set()
    while True:
        page = collection.get_objects(limit=_A_PAGE, **turned)
        yield page
        if not page.get("more", False):
            return
        empty = 0 if page.get("objects") else empty + 1
        name = page.get("next")
        if name is None:
            raise TaxiiTrouble(f"TAXII at {url}: there is more, but the server does not say where")
        if name in seen or empty > _MOST_EMPTY or len(seen) >= _MOST_PAGES:
            raise TaxiiTrouble(
                f"TAXII at {url}: page upon page, and no end: given up after {len(seen) + 1}"
            )
        seen.add(name)
        turned = {**asked, "next": name}


def add(settings: Settings, url: str, bundle: bytes) -> int:
    """Add a bundle's objects to a collection; return how many. Raises TaxiiTrouble.

    Extension definitions stay behind: servers take an object's `version` for a time (OASIS's own
    does), and the definition's is a number.
    """
    found: list[Any] = orjson.loads(bundle).get("objects", [])
    objects = [one for one in found if one.get("type") != "extension-definition"]
    with _collection(settings, url) as collection:
        for begin in range(0, len(objects), _A_PAGE):
            status = collection.add_objects(
                {"objects": objects[begin : begin + _A_PAGE]}, timeout=_PATIENCE
            )
            if status.failure_count > _there(collection, url, objects, status.failures):
                raise TaxiiTrouble(f"{url}: {status.failure_count} objects were refused")
            if status.status != "complete":
                raise TaxiiTrouble(
                    f"{url}: of {status.pending_count} objects it is not known yet whether they "
                    "were taken: add them again later"
                )
    return len(objects)


def _there(collection: Any, url: str, sent: list[dict[str, Any]], failures: list[Any]) -> int:
    """Return how many of what a server refused it has already, as it was sent.

    Who exports once more sends its name and its techniques once more. Some servers take them as
    told again, and some as failures.
    """
    versions = {one["id"]: _version(one) for one in sent}
    names = [name for name in map(_id, failures) if name in versions]
    there: set[str] = set()
    for begin in range(0, len(names) if collection.can_read else 0, _NAMES):
        asked = {"id": ",".join(names[begin : begin + _NAMES])}
        for page in _pages(collection, url, asked):
            there |= {
                _id(one)
                for one in page.get("objects", [])
                if _id(one) in names and _version(one) == versions[_id(one)]
            }
    return len(there)


def _id(one: Any) -> str:
    return str(one.get("id")) if isinstance(one, dict) else ""


def _version(one: dict[str, Any]) -> object:
    return one.get("modified", one.get("created"))


@contextmanager
def _collection(settings: Settings, url: str) -> Iterator[Any]:
    _check(url)
    path, password = settings.taxii_password_file, None
    if path is not None:
        password = read_secret(path, "taxii_password_file").strip()
    connection = _Connection(settings.taxii_username, password)
    try:
        with closing(connection):
            yield Collection(url, conn=connection)
    except (TAXIIServiceException, requests.RequestException) as error:
        if connection.over:
            raise _late(url) from None
        text = " ".join(str(error).split())[:300]
        raise TaxiiTrouble(f"TAXII at {url}: {text or type(error).__name__}") from None


def _check(url: str) -> None:
    """Refuse an address that would tell others who asks, or what."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigurationError(f"{url!r} is no address of a TAXII collection: {error}") from None
    if "@" in parts.netloc:
        # Not told: the next line of a log would have the password.
        raise ConfigurationError(
            "a TAXII collection's address bears no name and password: set taxii_username and "
            "taxii_password_file"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ConfigurationError(f"{url}: a TAXII collection is at https://, elsewhere than here")


class _Connection:
    """What `taxii2client` calls a connection: GET, POST and close.

    All that it reads is at most `MOST_BYTES` together, and when `_ALTOGETHER` is over it reads
    nothing more: a byte now and then would else keep it for ever. Raises TaxiiTrouble for that and
    for what is no TAXII.
    """

    def __init__(self, username: str | None, password: bytes | None) -> None:
        self._session = requests.Session()
        if username and password:
            self._session.auth = HTTPBasicAuth(username.encode(), password)
        self._open: list[socket] = []
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(self._note, self._open.remove))
        self._read = 0
        self.over = False
        self._timer = Timer(_ALTOGETHER, self._give_up)
        self._timer.daemon = True
        self._timer.start()

    def get(self, url: str, headers: Any = None, params: Any = None) -> dict[str, Any]:
        """Return what is there; it must come as TAXII."""
        with self._asked("GET", url, headers=headers, params=params) as answer:
            given = answer.headers.get("Content-Type", "")
            if given.partition(";")[0].strip().lower() != _MEDIA_TYPE:
                raise _no_taxii(url, f"it calls its answer {given[:100] or 'nothing'!r}")
            return self._object(url, answer)

    def post(self, url: str, headers: Any = None, *, data: bytes) -> dict[str, Any]:
        """Send `data`; return what the server says of it."""
        with self._asked("POST", url, headers=headers, data=data) as answer:
            status = self._object(url, answer)
        if "id" not in status:
            raise _no_taxii(url, "no 'id' in what it says of what was added")
        return status

    def close(self) -> None:
        """Close what is open to servers."""
        self._timer.cancel()
        self._session.close()

    def _is_late(self) -> bool:
        return self.over

    def _give_up(self) -> None:
        """End what is being read, wherever in it that is."""
        self.over = True
        for one in tuple(self._open):
            _end(one)

    def _note(self, opened: socket) -> bool:
        """Keep a socket to be ended when time is over; end it now, and say no, where it is."""
        self._open.append(opened)
        # In this order: whichever of this and the timer comes later sees what the other did.
        if self._is_late():
            _end(opened)
        return not self._is_late()

    def _asked(self, method: str, url: str, **given: Any) -> requests.Response:
        if self._is_late():
            raise _late(url)
        try:
            answer = self._session.request(
                method, url, timeout=_PATIENCE, stream=True, allow_redirects=False, **given
            )
        except requests.RequestException:
            raise
        except ValueError as error:
            raise _no_taxii(url, f"it points elsewhere: {error}") from None
        if self._is_late():
            # What it had said by then may look like an answer.
            answer.close()
            raise _late(url)
        if answer.is_redirect:
            elsewhere = describe(answer.headers["Location"])
            answer.close()
            raise TaxiiTrouble(f"{_bare(url)} has moved to {elsewhere}: name it by that, if it is")
        if not answer.ok:
            with closing(answer):
                raise _refused(url, answer)
        return answer

    def _object(self, url: str, answer: requests.Response) -> dict[str, Any]:
        """The fields of an answer that the protocol knows, as far as they are there."""
        data = bytearray()
        for chunk in answer.iter_content(_CHUNK):
            data += chunk
            if self._read + len(data) > MOST_BYTES:
                raise TaxiiTrouble(f"{_bare(url)}: more than {MOST_BYTES} bytes: ask with --since")
        self._read += len(data)
        if self._is_late():
            raise _late(url)
        try:
            found = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise _no_taxii(url, f"no JSON: {error}") from None
        if not isinstance(found, dict):
            raise _no_taxii(url, f"expected an object, found {describe(found)}")
        fields = {name: found[name] for name in _TYPES if found.get(name) is not None}
        for name, value in fields.items():
            # `type`: to `isinstance`, true and false are numbers.
            if type(value) is not _TYPES[name]:
                expected = _TYPES[name].__name__
                raise _no_taxii(url, f"{name!r} is no {expected}, but {describe(value)}")
        return fields


def _end(one: socket) -> None:
    # What is closed already needs no end.
    with suppress(OSError):
        one.shutdown(SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """Notes each socket that is opened, so that it can be ended while it is read from."""

    def __init__(self, note: Callable[[socket], bool], forget: Callable[[socket], None]) -> None:
        self._note, self._forget = note, forget
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **given: Any) -> None:
        """Have the pools make connections that are noted."""
        super().init_poolmanager(*arguments, **given)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **given: Any) -> Any:
        """Have a proxy's pools do so as well."""
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **given)
        if not known:
            self._watch(manager)
        return manager

    def _watch(self, manager: Any) -> None:
        # From its own classes: those of a SOCKS proxy's connections know how to ask it.
        manager.pool_classes_by_scheme = {
            scheme: _noted(pool, self._note, self._forget)
            for scheme, pool in manager.pool_classes_by_scheme.items()
        }


def _noted(pool: Any, note: Callable[[socket], bool], forget: Callable[[socket], None]) -> Any:
    """Return a class of pools like another, whose connections tell of their sockets."""

    class Noted(pool.ConnectionCls):  # type: ignore[misc] # urllib3's, whichever it is
        _early: socket | None = None

        def _new_conn(self) -> socket:
            opened: socket = super()._new_conn()
            # Another handle on it: TLS takes the first for its own before it has shaken hands.
            self._early = early = opened.dup()
            note(early)
            return opened

        def connect(self) -> None:
            try:
                super().connect()
                self._check_time()
            finally:
                early, self._early = self._early, None
                if early is not None:
                    forget(early)
                    early.close()

        def _tunnel(self) -> None:
            super()._tunnel()
            # On what was ended, TLS would be taken for begun and never be.
            self._check_time()

        def _check_time(self) -> None:
            if not note(self.sock):
                self.close()
                raise TimeoutError("there is no time left")

    class Pool(pool):  # type: ignore[misc] # the same
        ConnectionCls = Noted

    return Pool


def _late(url: str) -> TaxiiTrouble:
    return TaxiiTrouble(f"{_bare(url)}: more than {_ALTOGETHER:g} seconds: given up")


def _no_taxii(url: str, why: str) -> TaxiiTrouble:
    return TaxiiTrouble(f"{_bare(url)} answers no TAXII 2.1: {why}")


def _refused(url: str, answer: requests.Response) -> TaxiiTrouble:
    """Return what a server answers instead of what was asked, and what may be the matter.

    It may say so itself, in an error message (TAXII 2.1, 3.6.1).
    """
    code = answer.status_code
    said = f"{_bare(url)}: refused with {code} {answer.reason or ''}".rstrip()
    with suppress(orjson.JSONDecodeError, requests.RequestException):
        found = orjson.loads(next(answer.iter_content(_CHUNK), b""))
        titles = (
            [found.get(name) for name in ("title", "description")]
            if isinstance(found, dict)
            else []
        )
        # Somebody else's text: shown as what was found, with nothing in it that moves a terminal.
        said += "".join(f", {describe(title)}" for title in titles if isinstance(title, str))
    return TaxiiTrouble(f"{said}: {_WHY[code]}" if code in _WHY else said)


def _bare(url: str) -> str:
    return url.partition("?")[0]
