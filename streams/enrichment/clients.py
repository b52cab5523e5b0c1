"""What a user agent says it is: browser, operating system, kind of device. By ua-parser.

A user agent is whatever the client cares to send, so it is a habit to compare, never a proof.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from ua_parser import Parser
from ua_parser.loaders import load_lazy_builtins
from ua_parser.regex import Resolver

from detectors.facts import DeviceType

CACHED_USER_AGENTS: Final = 10_000


class Client(NamedTuple):
    """A parsed user agent; versions are the major ones."""

    browser: str | None = None
    browser_version: str | None = None
    os: str | None = None
    os_version: str | None = None
    device_type: DeviceType | None = None


# Programs that name themselves. okhttp is left out: it is how Android apps speak.
_BOT = re.compile(
    r"bot\b|crawl|spider|headless|phantomjs|selenium|puppeteer|playwright|python|curl/|wget|"
    r"go-http-client|java/|libwww|scrapy|httpclient|aiohttp|axios|node-fetch|postman|insomnia",
    re.IGNORECASE,
)
_TABLET = re.compile(r"\biPad|tablet|kindle|silk/", re.IGNORECASE)
_PHONE = re.compile(r"\biPhone|\biPod|\bMobile\b|windows phone", re.IGNORECASE)
_PRODUCT = re.compile(r"([A-Za-z][\w.-]{1,40})/(\d{1,6})")
_DESKTOPS = ("Windows", "Mac OS X", "Linux", "Chrome OS", "Ubuntu", "Fedora", "FreeBSD")
_HANDHELDS = ("iOS", "Android", "Windows Phone", "HarmonyOS", "KaiOS")


class ClientReader:
    """Parses user agents, the latest 10,000 from memory."""

    def __init__(self) -> None:
        self._parser = Parser(Resolver(load_lazy_builtins()))
        self.read = lru_cache(maxsize=CACHED_USER_AGENTS)(self._read)

    def _read(self, user_agent: str) -> Client:
        parsed = self._parser.parse(user_agent)
        browser = parsed.user_agent.family if parsed.user_agent else None
        version = parsed.user_agent.major if parsed.user_agent else None
        # Apps name themselves first and their web view later (RFC 9110, 10.1.5); browsers all
        # begin with "Mozilla/5.0" and say who they are after it.
        if not user_agent.startswith("Mozilla/") and (own := _PRODUCT.match(user_agent)):
            browser, version = own.groups()
        os = parsed.os.family if parsed.os else None
        spider = parsed.device is not None and parsed.device.family == "Spider"
        return Client(
            browser=browser,
            browser_version=version,
            os=os,
            os_version=parsed.os.major if parsed.os else None,
            device_type="bot" if spider else _device_type(user_agent, os),
        )


def _device_type(user_agent: str, os: str | None) -> DeviceType:
    if _BOT.search(user_agent):
        return "bot"
    if _TABLET.search(user_agent):
        return "tablet"
    if _PHONE.search(user_agent):
        return "mobile"
    if os == "Android" and user_agent.startswith("Mozilla/"):
        return "tablet"  # Chrome leaves "Mobile" out on tablets only
    if os is not None and os.startswith(_HANDHELDS):
        return "mobile"
    return "desktop" if os is not None and os.startswith(_DESKTOPS) else "other"
