"""What a verdict changes: the account's profile and case, and every model that learns from it.

A verdict is joined to the events as they stood, which the account's examples keep. On a takeover
what the profile learnt since the access is removed, though not what it learnt after an earlier
verdict had given the account back, and the events count as a hijacker's: those named, and the
others kept of the same sessions, for a bank that disputes an order says nothing of the sign-in
before it. On `legitimate` the events count as the customer's, their lessons are taught
after all, and the account's open case ends.

A customer's own `legitimate` teaches the account's profile and nothing that others are judged by:
whoever holds an account can say in its name that it was its customer. It says nothing against a
takeover that somebody else has reported.

Verdicts come twice and contradict each other. Each moves an event from the verdict that it has to
the new one, so that a repeated one changes nothing and a contrary one takes everything back first
that the examples still show; only the doubts that one dropped stay dropped.
"""

from collections.abc import Callable, Iterable
from zlib import crc32

from detectors import cases
from detectors.accounts import Accounts
from detectors.events import Feedback, Verdict
from detectors.examples import Example
from detectors.features import lessons
from detectors.features.evidence import Evidence
from detectors.features.reading import CHANGE, LOGIN, ORDER
from detectors.intelligence.trust import Trust
from detectors.models.calibration import Calibration
from detectors.models.feedback import VerdictModel
from detectors.profiles import Profile

_DAY = 86400.0


class Verdicts:
    """Takes verdicts. `offset` returns the score (nats) of a type's features before any verdict."""

    def __init__(
        self,
        accounts: Accounts,
        evidence: Evidence,
        model: VerdictModel,
        calibration: Calibration,
        offset: Callable[[int, list[float]], float],
        *,
        trust: Trust,
    ) -> None:
        self._accounts = accounts
        self._evidence = evidence
        self._model = model
        self._calibration = calibration
        self._trust = trust
        self._offset = offset

    def take(self, verdict: Feedback) -> list[Example]:
        """Learn from a verdict; one on nothing that is remembered changes nothing.

        Returns the events that are a hijacker's by it and were nobody's or a customer's before.
        """
        account_id = verdict.account_id
        profile = self._accounts.profile(account_id)
        if profile is None:
            return []
        events = self._take_case(verdict)
        own_word = verdict.source == "customer" and verdict.verdict == "legitimate"
        kept = self._accounts.examples(account_id)
        named = [
            example
            for example in kept
            if _names(verdict, events, example) and _is_news(verdict, example, own_word=own_word)
        ]
        implied = [] if own_word else _implied(kept, named, verdict.verdict)
        minutes = [example.minute for example in (*named, *implied)]
        minutes += _take_recent(profile, verdict.verdict, events, own_word=own_word)
        if not minutes:
            return []
        if verdict.verdict == "legitimate":
            _recall(profile, named, minutes, own_word=own_word)
        for example in named:
            if own_word:
                _vouch(example, profile)
            else:
                self._judge(example, profile, verdict.verdict, verdict.occurred_at)
                example.implied = False
        for example in implied:
            told: Verdict | None = "takeover" if verdict.verdict == "takeover" else None
            self._judge(example, profile, told, verdict.occurred_at)
            example.implied = told is not None
        if verdict.verdict == "takeover":
            forgotten = lessons.undo(profile, minutes)
            if named:
                named[0].forgotten = [*named[0].forgotten, *forgotten]
        else:
            used = [one for example in named if example.lesson for one in example.lesson.used]
            lessons.trust(profile, set(minutes), {example.session for example in named}, used)
        self._accounts.put_examples(account_id)
        self._accounts.put(account_id, profile)
        return [*named, *implied] if verdict.verdict == "takeover" else []

    def is_settled(self, account_id: str, event_id: str) -> bool:
        """Return whether a verdict has said whose a sign-in was, as far as it is remembered."""
        case, profile = self._accounts.case(account_id), self._accounts.profile(account_id)
        if case is not None and event_id in case.cleared:
            return True
        if any(
            example.event_id == event_id and example.type == LOGIN and example.verdict is not None
            for example in self._accounts.examples(account_id)
        ):
            return True
        recent, mark = profile.recent if profile is not None else [], mark_of(LOGIN, event_id)
        return any(recent[at] == mark and recent[at + 1] < 0 for at in range(0, len(recent), 2))

    def _take_case(self, verdict: Feedback) -> set[str]:
        """Return the events that a verdict is on; the case that it clears ends."""
        case = self._accounts.case(verdict.account_id)
        events = set(verdict.event_ids)
        if case is None:
            return events
        if verdict.alert_id == case.alert_id:
            events.update(case.events)
        ends = verdict.verdict == "legitimate" and not case.closed and cases.is_named(case, verdict)
        if ends and not (verdict.source == "customer" and self._is_reported(case, verdict)):
            cases.close(case)
            self._accounts.put_case(verdict.account_id, case)
        return events

    def _is_reported(self, case: cases.Case, verdict: Feedback) -> bool:
        """Return whether somebody has said that a case is a takeover, as far as is remembered."""
        account_id, alert_id = verdict.account_id, case.alert_id
        if any(
            example.verdict == "takeover"
            and (example.alert_id == alert_id or example.event_id in case.events)
            for example in self._accounts.examples(account_id)
        ):
            return True
        profile = self._accounts.profile(account_id)
        recent = profile.recent if profile is not None else []
        marks = _marks_of(case.events)
        return any(
            recent[at] in marks and recent[at + 1] < -1 and (-2 - recent[at + 1]) % 2
            for at in range(0, len(recent), 2)
        )

    def _judge(self, example: Example, profile: Profile, now: Verdict | None, at: float) -> None:
        before = example.verdict
        if before == now:
            return
        day = _day_of(example, profile)
        if now == "takeover":
            example.delay = max(0, int(at / _DAY - day))
            self._evidence.learn_hijack(example.cells)
            if example.lesson is not None:
                self._evidence.doubt(example.lesson)
        elif before == "takeover":
            self._evidence.forget_hijack(example.cells)
        self._teach(
            example,
            profile,
            learnt=now == "legitimate"
            or (now is None and (example.believed or not example.alert_id)),
        )
        if example.score >= 0:
            self._calibration.judge(example.score, day, before, now, example.delay)
        self._model.judge(
            example.features(),
            self._offset(example.type, example.features()),
            before=before,
            now=now,
        )
        self._trust.judge(example.sources, before, now)
        example.verdict = now

    def _teach(self, example: Example, profile: Profile, *, learnt: bool) -> None:
        if learnt != example.learnt:
            (self._evidence.learn if learnt else self._evidence.unlearn)(example.cells)
        known = example.learnt or example.vouched
        example.learnt, example.vouched = learnt, False
        if learnt == known or example.lesson is None:
            return
        if learnt:
            lessons.teach(profile, example.lesson, 0)
        else:
            lessons.take_back(profile, example.lesson)


def mark_of(kind: int, event_id: str) -> int:
    """Return 32 bits that stand for an event: login 1001 and order 1001 are two."""
    return crc32(f"{kind}:{event_id}".encode())


def _marks_of(events: Iterable[str]) -> set[int]:
    """Return what stands for events of which the id alone is told, not what they were."""
    return {mark_of(kind, name) for name in events for kind in (LOGIN, ORDER, CHANGE)}


def _day_of(example: Example, profile: Profile) -> int:
    return (profile.born + example.minute) // 1440


def _names(verdict: Feedback, events: set[str], example: Example) -> bool:
    return example.event_id in events or (
        verdict.alert_id is not None and example.alert_id == verdict.alert_id
    )


def _is_news(verdict: Feedback, example: Example, *, own_word: bool) -> bool:
    if own_word:
        return example.verdict is None and not example.vouched
    return example.implied or example.verdict != verdict.verdict


def _recall(profile: Profile, named: list[Example], minutes: list[int], *, own_word: bool) -> None:
    for example in named:
        lessons.recall(profile, example.forgotten)
        example.forgotten = []
    if not own_word and min(minutes) <= profile.recovered:
        profile.recovered = -1  # there was nobody to take it from


def _vouch(example: Example, profile: Profile) -> None:
    example.vouched = not example.learnt and example.lesson is not None
    if example.vouched and example.lesson is not None:
        lessons.teach(profile, example.lesson, 0)


def _implied(kept: list[Example], named: list[Example], verdict: Verdict) -> list[Example]:
    """Return the events that are judged with those named: a hijacker's session is a hijacker's."""
    sessions = {example.session for example in named} - {0}
    if verdict == "takeover":
        others = [example for example in kept if example.verdict is None]
    else:
        others = [example for example in kept if example.implied]
    return [
        example
        for example in others
        if example.session in sessions and not any(example is other for other in named)
    ]


def _take_recent(
    profile: Profile, verdict: Verdict, events: set[str], *, own_word: bool
) -> list[int]:
    """Return the minutes of an account's recent events on which a verdict is news.

    A minute is then kept as minus two, less twice the minute, less one for a takeover; minus one,
    which an earlier version left of every minute that was taken, stays.
    """
    recent = profile.recent
    takeover = verdict == "takeover"
    named = _marks_of(events)
    minutes = []
    for at in range(0, len(recent), 2):
        if recent[at] not in named or recent[at + 1] == -1:
            continue
        minute = recent[at + 1]
        if minute < 0:
            minute, before = divmod(-2 - minute, 2)
            if before == takeover or own_word:
                continue
        minutes.append(minute)
        recent[at + 1] = -2 - 2 * minute - takeover
    return minutes
