"""Whatever a server answers, fetching from it ends, with what it holds or with one sentence."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseRequestHandler, TCPServer, ThreadingTCPServer
from threading import Event, Thread
from time import sleep
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from detectors.errors import ConfigurationError
from streams.cli import run
from streams.settings import Settings
from streams.sharing import taxii
from streams.sharing.stix import bundle_of
from streams.sharing.taxii import TaxiiTrouble, add, fetch
from tests.support.intelligence import findings

COLLECTION = {"id": "c1", "title": "Indicators", "can_read": True, "can_write": True}
INDICATOR = {
    "type": "indicator",
    "id": "indicator--1",
    "pattern": "[ipv4-addr:value = '203.0.113.9']",
    "pattern_type": "stix",
    "valid_from": "2026-01-01T00:00:00Z",
}
DONE = {"total_count": 0, "success_count": 0, "failure_count": 0, "pending_count": 0}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/taxii+json;version=2.1\r\n"
LENGTH = b"Content-Length: 1000000\r\n\r\n{"
Answer = Callable[[dict[str, list[str]]], object]


@contextmanager
def listening(kind: type[TCPServer], handler: type[BaseRequestHandler]) -> Iterator[str]:
    """Have a handler answer whoever connects; yield a collection's address there."""
    with kind(("127.0.0.1", 0), handler) as serving:
        Thread(target=serving.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{serving.server_address[1]}/group/collections/c1/"
        finally:
            serving.shutdown()


@contextmanager
def server(
    answer: Answer | object,
    *,
    collection: object = COLLECTION,
    media: str | None = "application/taxii+json;version=2.1",
    code: int = 200,
) -> Iterator[str]:
    """Serve a collection whose objects are what `answer` makes of a request, or as it is.

    Bytes go out as they are, all else as JSON; a text is where the answer is instead. All comes
    with a status `code`.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        objects: ClassVar[object] = answer

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            told = collection
            if parts.path.endswith(("/objects/", "/status/s1/")):
                told = answer(parse_qs(parts.query)) if callable(answer) else answer
            self._tell(told)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._tell(answer)

        def _tell(self, told: object) -> None:
            body = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(302 if isinstance(told, str) else code)
            if isinstance(told, str):
                self.send_header("Location", told)
            if media is not None:
                self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name
            """Say nothing."""

    with listening(ThreadingHTTPServer, Handler) as url:
        yield url


@contextmanager
def trickling(begins: bytes) -> Iterator[str]:
    """Answer with some bytes at once, and then with a blank every now and then."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            told = begins
            with suppress(OSError):
                while not over.wait(0.02):
                    self.request.sendall(told)
                    told = b" "

    over = Event()
    with listening(ThreadingTCPServer, Handler) as url:
        try:
            yield url
        finally:
            over.set()


def trouble(url: str) -> str:
    """What fetching ends with: one line."""
    with pytest.raises(TaxiiTrouble) as raised:
        fetch(Settings(), url)
    text = str(raised.value)
    assert "\n" not in text
    assert len(text) < 500
    return text


def test_pages_are_turned_to_the_last() -> None:
    """Also over some that have nothing, as a server sends that leaves out what is not for all."""

    def page(asked: dict[str, list[str]]) -> object:
        number = int(asked.get("next", ["0"])[0])
        objects = [] if number in (1, 2) else [{**INDICATOR, "id": f"indicator--{number}"}]
        more = {"more": True, "next": str(number + 1)} if number < 4 else {"more": False}
        return {**({"objects": objects} if objects else {}), **more}

    with server(page) as url:
        assert [one["id"][-1] for one in fetch(Settings(), url)] == ["0", "3", "4"]


@pytest.mark.parametrize("objects", [[], [INDICATOR]])
@pytest.mark.parametrize("name", ["always the same", None])
def test_pages_without_an_end_are_given_up(objects: list[object], name: str | None) -> None:
    """A server that has always more, with or without objects, and names no other page."""
    with server({"objects": objects, "more": True, **({"next": name} if name else {})}) as url:
        assert ("no end" if name else "does not say where") in trouble(url)


def test_empty_pages_with_ever_new_names_are_given_up() -> None:
    """Each page has another name, and none has an object."""
    asked_for = iter(range(1_000))
    with server(lambda _asked: {"more": True, "next": str(next(asked_for))}) as url:
        assert "no end" in trouble(url)
    assert next(asked_for) < 20


def test_so_many_pages_are_no_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One object a page, for ever."""
    monkeypatch.setattr(taxii, "_MOST_PAGES", 30)
    asked_for = iter(range(1_000))
    page = {"objects": [INDICATOR], "more": True}
    with server(lambda _asked: {**page, "next": str(next(asked_for))}) as url:
        assert "no end" in trouble(url)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"<html>Sign in</html>", "no JSON"),
        (b"", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"objects": ["\xff"]}', "no JSON"),
        (["objects"], "expected an object, found a list of 1"),
        (None, "expected an object, found null"),
        ({"objects": {"a": 1}}, "'objects' is no list"),
        ({"objects": "all"}, "'objects' is no list"),
        ({"objects": [], "more": "yes"}, "'more' is no bool"),
        ({"objects": [], "more": True, "next": 7}, "'next' is no str"),
        ("http://[elsewhere/", "elsewhere"),
        ("https://elsewhere.example/c1/", "has moved to 'https://elsewhere.example/c1/'"),
    ],
)
def test_what_is_no_envelope_is_one_sentence(answer: object, says: str) -> None:
    """No JSON, the wrong types, another place."""
    with server(answer) as url:
        assert says in trouble(url)


@pytest.mark.parametrize(
    "collection",
    [
        [], {}, {"id": "c1"}, {**COLLECTION, "id": 1}, {**COLLECTION, "id": "another"},
        {**COLLECTION, "can_read": "no"}, {**COLLECTION, "can_read": False},
    ],
)  # fmt: skip
def test_what_is_no_collection_is_one_sentence(collection: object) -> None:
    """Fields that are missing or of another type, and one that may not be read."""
    with server({"objects": []}, collection=collection) as url:
        assert trouble(url)
    with server({"objects": []}, collection={**COLLECTION, "self": 1, "alias": None}) as url:
        assert fetch(Settings(), url) == []


@pytest.mark.parametrize("media", [None, "text/html", "application/json"])
def test_what_is_not_called_taxii_is_none(media: str | None) -> None:
    """A gateway's page, or an answer that says nothing of itself."""
    with server({"objects": []}, media=media) as url:
        assert "answers no TAXII 2.1" in trouble(url)


@pytest.mark.parametrize(
    ("code", "answer", "says"),
    [
        (401, b"", "refused with 401 Unauthorized: set taxii_username and taxii_password_file"),
        (403, b"<html>No</html>", "refused with 403 Forbidden: the name that is set may not"),
        (
            404,
            {"title": "No such collection", "description": "Gone\x1b[2J", "http_status": "404"},
            "404 Not Found, 'No such collection', 'Gone\\x1b[2J': there is no such collection",
        ),
        (418, ["tea"], "refused with 418 I'm a Teapot"),
        (429, {"title": 7}, "refused with 429 Too Many Requests: too much was asked of it"),
        (500, {"title": "t" * 10_000}, "refused with 500 Internal Server Error, 'ttt"),
    ],
)
def test_what_a_server_refuses_is_told_with_what_it_says_and_what_to_do(
    code: int, answer: object, says: str
) -> None:
    """Its error message where it sends one (TAXII 2.1, 3.6.1), bounded, and nobody's secret."""
    with server(answer, collection=answer, code=code) as url:
        told = trouble(url)
    assert says in told
    assert len(told) < 400


def test_an_answer_is_read_no_further_than_any_feed_is_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However long a page is, and all pages together."""
    monkeypatch.setattr(taxii, "MOST_BYTES", 100_000)
    with server({"objects": ["x" * 200_000]}) as url:
        assert "more than 100000 bytes" in trouble(url)
    asked_for = iter(range(1_000))
    page = {"objects": ["x" * 40_000], "more": True}
    with server(lambda _asked: {**page, "next": str(next(asked_for))}) as url:
        assert "more than 100000 bytes" in trouble(url)
    assert next(asked_for) < 5


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 200 OK\r\nX: ", HEAD, HEAD + LENGTH])
def test_a_server_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch, begins: bytes) -> None:
    """A byte now and then, of its headers or of the answer: it never falls silent, nor ends."""
    monkeypatch.setattr(taxii, "_ALTOGETHER", 0.5)
    with trickling(begins) as url:
        assert "more than 0.5 seconds" in trouble(url)


def test_a_server_that_is_reached_too_late_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name takes longer to look up than there is time: what is opened then is ended at once."""
    look_up = socket.getaddrinfo

    def slowly(*asked: Any, **given: Any) -> Any:
        sleep(0.6)
        return look_up(*asked, **given)

    monkeypatch.setattr(taxii, "_ALTOGETHER", 0.3)
    with trickling(HEAD) as url:
        monkeypatch.setattr(socket, "getaddrinfo", slowly)
        assert "more than 0.3 seconds" in trouble(url)


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 200 OK\r\nX: "])
@pytest.mark.parametrize("url", ["http://127.0.0.1:1/c1/", "https://taxii.example/c1/"])
def test_a_proxy_that_trickles_is_given_up(
    monkeypatch: pytest.MonkeyPatch, url: str, begins: bytes
) -> None:
    """Of what the server says, or of its own word on whether it lets us through."""
    monkeypatch.setattr(taxii, "_ALTOGETHER", 0.5)
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with trickling(begins) as proxy:
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy)
        assert "more than 0.5 seconds" in trouble(url)


def test_a_server_that_trickles_its_handshake_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS has not begun yet: what is told is the head of a record of 16 kB."""
    monkeypatch.setattr(taxii, "_ALTOGETHER", 0.5)
    with trickling(b"\x16\x03\x03\x40\x00") as url:
        assert "more than 0.5 seconds" in trouble(url.replace("http://", "https://"))


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_password_that_others_may_read_is_not_used(tmp_path: Path, mode: int) -> None:
    """As a key is not: before anything is sent."""
    path = tmp_path / "password"
    path.write_text("secret")
    path.chmod(mode)
    settings = Settings(taxii_username="shop", taxii_password_file=path)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        fetch(settings, "http://127.0.0.1:1/c1/")


@pytest.mark.parametrize(
    "status",
    [b"no", [], {}, {"id": "s1", **DONE}, {"id": "s1", "status": "complete"},
     {"id": "s1", "status": "complete", **DONE, "failure_count": "none"},
     {"id": "s1", "status": "complete", **DONE, "failure_count": True}],
)  # fmt: skip
def test_what_is_no_status_is_one_sentence(status: object) -> None:
    """What the server says of what was added."""
    with server(status) as url, pytest.raises(TaxiiTrouble) as raised:
        add(Settings(), url, bundle_of(findings(), "amber"))
    assert "\n" not in str(raised.value)


def test_what_a_server_has_not_taken_yet_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has said that it would see; when it has had its time, whoever told is told."""
    monkeypatch.setattr(taxii, "_PATIENCE", 1.5)
    pending = {"id": "s1", "status": "pending", **DONE, "total_count": 3, "pending_count": 3}
    with server(pending) as url, pytest.raises(TaxiiTrouble, match="of 3 objects"):
        add(Settings(), url, bundle_of(findings(), "amber"))


def test_the_command_says_it_and_ends_with_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """1 for a server that does not do as it should; 2 for an address that is a mistake."""
    monkeypatch.chdir(tmp_path)
    for answer in ({"more": True, "next": "x"}, b"no", {"objects": 1}):
        with server(answer) as url:
            assert run(["intel", "import", "--taxii", url, "--out", "reports"]) == 1
            told = capsys.readouterr().err
            assert told.startswith("nightlatch: ")
            assert told.count("\n") == 1
    for url in ("https://[", "https://shop:secret@example.org/c1/", "ftp://example.org/c1/"):
        assert run(["intel", "import", "--taxii", url, "--out", "reports"]) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert "secret" not in told
    assert not (tmp_path / "reports").exists()


def refusing(failures: list[Any], there: list[Any]) -> dict[str, Any]:
    """What a server says of failures, and has already."""
    counts = {**DONE, "total_count": len(failures), "failure_count": len(failures)}
    return {"id": "s1", "status": "complete", **counts, "failures": failures, "objects": there}


def test_what_is_refused_is_no_trouble_where_it_is_there() -> None:
    """As it was sent, that is: in another version, or not at all, it was not taken."""
    bundle = bundle_of(findings(), "amber")
    sent = next(one for one in json.loads(bundle)["objects"] if one["type"] == "indicator")
    name, odd = {"id": sent["id"]}, [{"id": ["x"]}, "x", {}]
    with server(refusing([name], [*odd, sent])) as url:
        add(Settings(), url, bundle)
    another = {**sent, "modified": "2001-01-01T00:00:00.000Z"}
    for answer, collection in (
        (refusing([name], []), COLLECTION),
        (refusing([name], [*odd, name, another]), COLLECTION),
        (refusing([name, *odd], [sent]), COLLECTION),
        (refusing([name], [sent]), {**COLLECTION, "can_read": False}),
    ):
        told = f"{len(answer['failures'])} objects were refused"
        with (
            server(answer, collection=collection) as url,
            pytest.raises(TaxiiTrouble, match=told),
        ):
            add(Settings(), url, bundle)
