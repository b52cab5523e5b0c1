"""Devices and the user agents they send: what is popular, how fast it updates, what it forgets.

Browsers ship on their real cadence, counted from a release of known date, so that any start date
meets plausible versions. Browsers freeze what they tell (Chrome's reduced strings), which is why
the top string covers about a quarter of all traffic.
"""

from dataclasses import dataclass
from typing import Literal

from detectors.simulation.chance import Chance, Weighted, token_of

Form = Literal["phone", "desktop", "tablet"]
DAY = 86400.0

_CHROME_131 = 1_731_369_600.0  # 2024-11-12, and a version every four weeks since
_FIREFOX_133 = 1_732_579_200.0  # 2024-11-26, likewise
_SAFARI_18 = 1_726_444_800.0  # 2024-09-16, a major a year and a minor every quarter
_SAMSUNG_27 = 1_730_419_200.0  # 2024-11-01, and a version every eleven weeks
# After 18 Apple counted by years: 26, 27, …
_SAFARI_MAJORS = (18, 26, 27, 28, 29)

_ANDROID_MODELS = Weighted(
    (("SM-S921B", 9), ("SM-A546B", 10), ("SM-A145R", 7), ("SM-G991B", 6), ("SM-S901B", 6),
     ("Pixel 8", 6), ("Pixel 7a", 5), ("Pixel 9", 5), ("moto g54", 4), ("CPH2581", 3),
     ("2312DRAABG", 4), ("23117RA68G", 3), ("SM-A336B", 6), ("SM-A256B", 5), ("Nokia G42", 2))
)  # fmt: skip
_IPHONE_MODELS = Weighted(
    (("iPhone14,5", 12), ("iPhone14,7", 7), ("iPhone15,2", 8), ("iPhone15,4", 10),
     ("iPhone16,1", 9), ("iPhone16,2", 8), ("iPhone17,3", 9), ("iPhone13,2", 8), ("iPhone12,1", 9),
     ("iPhone12,8", 5), ("iPhone17,1", 6))
)  # fmt: skip

_KINDS = {
    "phone": Weighted(
        ((("iphone", "safari"), 38), (("iphone", "app"), 10), (("iphone", "crios"), 5),
         (("android", "chrome"), 30), (("android", "samsung"), 6), (("android", "app"), 11))
    ),
    "desktop": Weighted(
        ((("windows", "chrome"), 46), (("windows", "edge"), 18), (("windows", "firefox"), 6),
         (("mac", "safari"), 13), (("mac", "chrome"), 11), (("mac", "firefox"), 2),
         (("chromeos", "chrome"), 2.5), (("linux", "firefox"), 0.8), (("linux", "chrome"), 0.7))
    ),
    "tablet": Weighted(
        ((("ipad", "safari"), 55), (("android", "chrome"), 35), (("ipad", "app"), 10))
    ),
}  # fmt: skip
# Days behind the newest release; some devices never update again.
_LAGS = Weighted(((2.0, 52), (5.0, 22), (10.0, 10), (21.0, 6), (45.0, 4), (120.0, 4), (400.0, 2)))
_COOKIE_LIVES = {"safari": 9.0, "firefox": 60.0}


@dataclass(slots=True)
class Device:
    """A browser or app on a machine.

    `lag` is how many days it stays behind releases. `cookie` seeds its `device_id`; None where
    the user refused it. `cookie_days` is how long the browser keeps it, None for always. `raw` is
    a tool's own user agent, `copied` a `device_id` taken from another machine.
    """

    form: Form
    platform: str
    browser: str
    model: str
    lag: float
    cookie: int | None
    cookie_days: float | None
    raw: str | None = None
    copied: str | None = None

    def device_id(self, time: float) -> str | None:
        """Twenty hexadecimal digits, or None where the user refused to be remembered."""
        if self.copied is not None or self.cookie is None:
            return self.copied
        life = 0 if self.cookie_days is None else int(time / DAY / self.cookie_days + self.lag)
        return token_of(20, "cookie", self.cookie, life)


# What scripts call themselves, customers' and thieves' alike.
SCRIPTS = ("python-requests/2.32.3", "python-httpx/0.28.1", "okhttp/4.12.0", "Go-http-client/2.0")


def draw_device(form: Form, chance: Chance) -> Device:
    """Draw a device of this form from what customers use."""
    platform, browser = _KINDS[form].pick(chance)
    models = _IPHONE_MODELS if platform in {"iphone", "ipad"} else _ANDROID_MODELS
    remembered = browser == "app" or chance.happens(0.9)
    forgetful = chance.happens(0.5 if browser in _COOKIE_LIVES else 0.04)
    return Device(
        form=form,
        platform=platform,
        browser=browser,
        model=models.pick(chance),
        lag=_LAGS.pick(chance) * (0.5 + chance.random()),
        cookie=chance.getrandbits(63) if remembered else None,
        cookie_days=_COOKIE_LIVES.get(browser, 3.0) if forgetful and browser != "app" else None,
    )


def user_agent(device: Device, time: float, app_version: str) -> str:
    """What the device says it is, at this time (UTC epoch seconds)."""
    if device.raw is not None:
        return device.raw
    seen = time - device.lag * DAY
    if device.browser == "app":
        return f"HearthApp/{app_version} ({_app_platform(device, seen)})"
    if device.platform in {"iphone", "ipad"}:
        return _apple(device, seen)
    if device.platform == "android":
        return _android(device, seen)
    return _desktop(device, seen)


def _chrome(seen: float) -> int:
    return 131 + int((seen - _CHROME_131) // (28 * DAY))


def _firefox(seen: float) -> int:
    return 133 + int((seen - _FIREFOX_133) // (28 * DAY))


def _safari(seen: float) -> tuple[int, int]:
    years = (seen - _SAFARI_18) / (365.25 * DAY)
    major = _SAFARI_MAJORS[min(max(int(years), 0), len(_SAFARI_MAJORS) - 1)]
    return major, int((years - int(years)) * 4) if years >= 0 else 0


def _app_platform(device: Device, seen: float) -> str:
    major, minor = _safari(seen)
    if device.platform in {"iphone", "ipad"}:
        return f"{device.model}; iOS {major}.{minor}"
    return f"Android {_android_version(device)}; {device.model}"


def _android_version(device: Device) -> int:
    return 16 - min(4, int(device.lag // 12))


def _apple(device: Device, seen: float) -> str:
    major, minor = _safari(seen)
    machine = "iPhone; CPU iPhone OS" if device.platform == "iphone" else "iPad; CPU OS"
    system = f"{min(major, 18)}_{minor if major <= 18 else 7}"
    client = (
        f"CriOS/{_chrome(seen)}.0.0.0" if device.browser == "crios" else f"Version/{major}.{minor}"
    )
    return (
        f"Mozilla/5.0 ({machine} {system} like Mac OS X) AppleWebKit/605.1.15 "
        f"(KHTML, like Gecko) {client} Mobile/15E148 Safari/604.1"
    )


def _android(device: Device, seen: float) -> str:
    mobile = "" if device.form == "tablet" else " Mobile"
    samsung = ""
    if device.browser == "samsung":
        samsung = f"SamsungBrowser/{27 + int((seen - _SAMSUNG_27) // (77 * DAY))}.0 "
        seen -= 60 * DAY
    return (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"{samsung}Chrome/{_chrome(seen)}.0.0.0{mobile} Safari/537.36"
    )


_DESKTOPS = {
    "windows": "Windows NT 10.0; Win64; x64",
    "mac": "Macintosh; Intel Mac OS X 10_15_7",
    "chromeos": "X11; CrOS x86_64 14541.0.0",
    "linux": "X11; Linux x86_64",
}


def _desktop(device: Device, seen: float) -> str:
    machine = _DESKTOPS[device.platform]
    if device.browser == "firefox":
        machine = machine.replace("10_15_7", "10.15")
        version = _firefox(seen)
        return f"Mozilla/5.0 ({machine}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
    if device.browser == "safari":
        major, minor = _safari(seen)
        return (
            f"Mozilla/5.0 ({machine}) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            f"Version/{major}.{minor} Safari/605.1.15"
        )
    edge = f" Edg/{_chrome(seen)}.0.0.0" if device.browser == "edge" else ""
    return (
        f"Mozilla/5.0 ({machine}) AppleWebKit/537.36 (KHTML, like Gecko) "
        f"Chrome/{_chrome(seen)}.0.0.0 Safari/537.36{edge}"
    )
