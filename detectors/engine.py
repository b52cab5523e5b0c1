"""The only composition: events in, assessments and alerts out, state kept as bytes by key.

An engine owns everything about one Kafka partition: its accounts' profiles and cases, and the
models and population counts that were learnt from them. It reads no clock: time is the event's.

**State.** The engine sees a key-value store of bytes and nothing else. It reads through the
function it was given, keeps decoded what it works on, and hands over what changed on request.
Whoever runs it (a worker, the backtest) makes each hand-over durable as one unit, together with
the position in the input that it stands for: then a crash can only ever put the whole partition
(profiles, cases, models) back to an earlier moment, never to a mixture of two.

**Repeatability.** The same store and the same events in the same order give the same
assessments, alerts and bytes, whether events come one at a time or in runs, and wherever the
hand-overs fall between them.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from detectors import cases
from detectors.accounts import Accounts
from detectors.arithmetic import product, products, rounded
from detectors.assessments import Alert, Assessment, Model, Outcome
from detectors.decisions import (
    TYPES,
    counted,
    log_odds,
    logistic,
    severity_of,
    stage_of,
    telling_of,
)
from detectors.events import AccountChange, Feedback, Login, Order
from detectors.examples import Example, keep, stored_weights
from detectors.facts import Observed
from detectors.features import lessons
from detectors.features.access import OPERATOR, watched
from detectors.features.changes import SHARED
from detectors.features.evidence import Evidence
from detectors.features.heat import GUESSING, explaining, weigh_heat
from detectors.features.lesson import Lesson
from detectors.features.reading import LOGIN, Reading
from detectors.features.registry import NAMES, WIDTH
from detectors.features.shared import sources_of, weigh_shared
from detectors.features.story import ISOLATION, STORY, in_unit_range
from detectors.features.ties import tie
from detectors.heat import reassessing
from detectors.heat.indicators import Met
from detectors.heat.records import Batch, Brought, Hot, Membership, Notice, Reassessment
from detectors.heat.sightings import (
    Sightings,
    brought_by,
    carries_news,
    is_familiar,
    is_strangers,
)
from detectors.intelligence.records import IndicatorReport
from detectors.intelligence.trust import Trust
from detectors.models import calibration
from detectors.models.budget import UNKNOWN, AlertBudget, bin_of
from detectors.models.calibration import Calibration
from detectors.models.drift import Drift, DriftWatch
from detectors.models.feedback import VerdictModel
from detectors.models.half_space import FlatHalfSpaceTrees
from detectors.models.prior import SHIPPED, Prior
from detectors.nobodies import Nobodies
from detectors.policy import Policy
from detectors.population import Population
from detectors.profiles import digest, newborn
from detectors.reasons import codes, explain
from detectors.snapshots import Given, Recorder, Snapshot, Sources, State, given_event, snapshot_of
from detectors.verdicts import Verdicts, mark_of
from detectors.watermark import Watermark

__all__ = ["Engine", "Heat", "Intelligence", "NoHeat", "Observed", "Outcome", "ReadState"]

ReadState = Callable[[bytes], bytes | None]
"""Reads a key that an earlier `changes()` wrote; None where there is none."""


class Heat(Protocol):
    """What is known about an event's indicators across accounts, at this moment.

    Where it comes from (a global table fed by another agent, or the backtest's own counts) is the
    caller's business. It must answer at once, from memory: a sign-in is never delayed by it.
    """

    def hottest(self, reading: Reading) -> tuple[Hot, ...]:
        """Return what is hot of what an event came with: one of each group, hottest first."""


class NoHeat:
    """Nothing is known across accounts."""

    def hottest(self, reading: Reading) -> tuple[Hot, ...]:  # noqa: ARG002 - the protocol's
        """Return that nothing is hot."""
        return ()


class Intelligence(Protocol):
    """What others report of indicators (`detectors.intelligence`); as heat, it answers at once."""

    def __len__(self) -> int:
        """Return how many reports there are: with none, nothing is asked."""

    def reports(self, met: Met, at: float) -> tuple[IndicatorReport, ...]:
        """Return what is reported of a value at a time, once for each source."""


_NAME: Final = "nightlatch"
_VERSION: Final = "1"
_FAILED: Final = -4.0
"""Nats by which a failed attempt is less likely a takeover than a success: nobody got in."""

_NOTABLE_SAMPLE: Final = 4
"""One in so many remarkable events that were let pass is shown to it, too."""

_RECENT: Final = 8
"""Events an account remembers, so that a repeated one is not learnt twice."""

_FOREST_SAMPLE: Final = 16
"""One in so many events is planted in the half-space trees: a window is some hours then."""

_SAMPLE: Final = 16
"""One in so many unremarkable events is shown to the verdict model as a presumed customer's."""


class Engine:
    """One partition's detector. See the module for what it promises.

    `policy` fixes every constant and seed; `read` gives the state handed over so far; `heat` is
    what other accounts tell, and `sightings` takes what these tell others; `intelligence` is what
    other retailers report; `prior` is how much each feature counts before any verdict. With
    `keep_snapshots`, what alerts stand on is kept.
    """

    def __init__(
        self,
        policy: Policy,
        read: ReadState,
        heat: Heat | None = None,
        sightings: Sightings | None = None,
        *,
        intelligence: Intelligence | None = None,
        prior: Prior = SHIPPED,
        keep_snapshots: bool = False,
    ) -> None:
        self._policy = policy
        self._prior = prior
        self._heat = heat or NoHeat()
        self._sightings = sightings
        self._intelligence = intelligence
        self._accounts = Accounts(read, policy.profile_cache)
        self._population = Population(read)
        self._watermark = Watermark(read)
        self._nobodies = Nobodies(read)
        self._forest = FlatHalfSpaceTrees(
            width=WIDTH, trees=8, height=6, window=500, seed=policy.seed, read=read
        )
        self._evidence = Evidence(self._population, policy.story_half_life_days, self._forest, read)
        self._verdict_model = VerdictModel(NAMES, read)
        self._calibration = Calibration(read)
        self._trust = Trust(read)
        self._verdicts = Verdicts(
            self._accounts,
            self._evidence,
            self._verdict_model,
            self._calibration,
            self._offset,
            trust=self._trust,
        )
        self._watch = DriftWatch(read)
        self._budget = AlertBudget(policy.alert_budget, read)
        self._base = log_odds(policy.base_rate)
        self._set_floors()
        self._model = Model(name=_NAME, version=_VERSION, configuration=policy.digest())
        self._last: tuple[Observed, Reading] | None = None
        self._snapshots: list[Snapshot] = []
        self._recorder = self._new_recorder() if keep_snapshots else None

    def assess(self, observed: Observed) -> Assessment | None:
        """Score an event against what is known before it; None for a verdict. Changes nothing."""
        event = observed.event
        if isinstance(event, Feedback):
            return None
        reading = self._read(observed, event)
        self._last = (observed, reading)
        flagged = reading.logit >= self._threshold()
        told: tuple[str, ...] = ()
        if flagged:
            told = codes(reading, counted(reading, self._prior, self._verdict_model))
        return Assessment(
            event_id=event.event_id,
            account_id=event.account_id,
            occurred_at=event.occurred_at,
            type=TYPES[reading.type],
            risk=rounded(logistic(self._calibration.log_odds(reading.logit)), 9),
            reasons=told,
            warming_up=reading.depth == 0 or self._forest.warming_up,
            alert_id=self._alert_id(reading) if flagged else None,
        )

    def learn(self, observed: Observed, assessment: Assessment | None) -> Alert | None:
        """Take an event into its account's profile, the case, the models and the population.

        Returns the new revision of the account's case where one is due.
        """
        event = observed.event
        alert_id = assessment.alert_id if assessment is not None else None
        before = None
        if self._recorder is not None and alert_id is not None:
            before = self._before(observed, self._recorder)
        last, self._last = self._last, None
        if isinstance(event, Feedback):
            hijacks = self._verdicts.take(event)
            self._set_floors()
            self._tell_confirmed(event.account_id, hijacks)
            return None
        if last is not None and last[0] is observed:
            reading = last[1]
        else:
            reading = self._read(observed, event)
        refused = not reading.success and assessment is not None and alert_id is None
        if refused and self._is_nobody(event):
            # Names tried at random are no accounts, only a sign of who tries them.
            if not self._nobodies.is_new(mark_of(reading.type, event.event_id)):
                return None
            self._watermark.advance(event.occurred_at, reading.account)
            lessons.count(reading, self._population)
            self._sight(reading, flagged=False)
            return None
        profile = reading.profile
        mark = mark_of(reading.type, event.event_id)
        recent = profile.recent
        # A mark may be like a time, if hardly ever: the shorter list is made only then.
        if mark in recent and mark in recent[::2]:
            return None
        recent += (mark, reading.minute)
        del recent[: -2 * _RECENT]
        self._watermark.advance(event.occurred_at, reading.account)
        self._sight(reading, flagged=alert_id is not None)
        alert = None
        if alert_id is not None:
            alert = self._take_case(reading)
            self._keep_snapshot(alert, before)
        if alert_id is not None or reading.type != LOGIN:  # a sign-in alone brings nothing along
            self._tell_case(reading, flagged=alert_id is not None, revised=alert is not None)
        if reading.success:
            self._count_day(reading)
        self._learn_event(reading, alert_id, mark)
        self._accounts.put(event.account_id, profile)
        return alert

    def process(self, run: Sequence[Observed]) -> list[Outcome]:
        """Assess, then learn, each event of a run in order."""
        outcomes = []
        for observed in run:
            assessment = self.assess(observed)
            outcomes.append(Outcome(observed, assessment, self.learn(observed, assessment)))
        return outcomes

    def take_notice(self, notice: Notice) -> Alert | None:
        """Take what other flows say of an account; return the new revision of its alert, if any.

        Taking a notice again changes nothing.
        """
        before = None
        if self._recorder is not None:
            before = Given(notice=notice), self._recorder.state(notice.account_id)
        alert = self._join(notice) if isinstance(notice, Membership) else self._reassess(notice)
        self._keep_snapshot(alert, before)
        return alert

    def snapshots(self) -> list[Snapshot]:
        """Hand over what the alerts since the last call stand on, where that is kept."""
        snapshots, self._snapshots = self._snapshots, []
        return snapshots

    def sightings(self) -> list[tuple[int, Batch]]:
        """Return what was seen since the last call, by shard; to be called before `changes`."""
        return self._sightings.batches() if self._sightings is not None else []

    @property
    def changed(self) -> int:
        """How many accounts' profiles changed, and stay in memory, since the last hand-over."""
        return self._accounts.changed

    def changes(self) -> dict[bytes, bytes | None]:
        """Hand over every key changed since the last call, encoded; None means delete it.

        Keys never begin with a zero byte: those belong to whoever stores them. Until the values
        are durable, `read` must already answer with them.
        """
        changed = self._accounts.changes()
        changed.update(self._population.changes())
        changed.update(self._watermark.changes())
        changed.update(self._nobodies.changes())
        changed.update(self._evidence.changes())
        changed.update(self._verdict_model.changes())
        changed.update(self._calibration.changes())
        changed.update(self._trust.changes())
        changed.update(self._forest.changes())
        changed.update(self._budget.changes())
        changed.update(self._watch.changes())
        return changed

    def read(self, observed: Observed) -> Reading:
        """Return what the features say of an event, for those who fit or explain the weights.

        Raises TypeError for a verdict, of which they say nothing. Changes nothing.
        """
        if isinstance(observed.event, Feedback):
            raise TypeError("a verdict has no features")
        return self._read(observed, observed.event)

    @property
    def drifts(self) -> tuple[Drift, ...]:
        """What inputs and scores drifted since the beginning, for operators."""
        return self._watch.drifts()

    def _risk(self, score: float) -> float:
        return logistic(self._calibration.log_odds(score))

    def _new_recorder(self) -> Recorder:
        return Recorder(
            Sources(
                accounts=self._accounts,
                population=self._population,
                watermark=self._watermark,
                evidence=self._evidence,
                verdict_model=self._verdict_model,
                calibration=self._calibration,
                forest=self._forest,
                budget=self._budget,
                trust=self._trust,
            )
        )

    def _before(self, observed: Observed, recorder: Recorder) -> tuple[Given, State] | None:
        """What a flagged event was judged by: it is judged once more, to see what that reads."""
        event = observed.event
        if isinstance(event, Feedback):
            return None
        with recorder.recording() as cells:
            reading = self._read(observed, event)
        hottest = self._heat.hottest(reading)
        given = given_event(event, observed.facts, hottest, reading.reported)
        return given, recorder.state(event.account_id, cells, sources_of(reading))

    def _keep_snapshot(self, alert: Alert | None, before: tuple[Given, State] | None) -> None:
        if alert is not None and before is not None:
            given, state = before
            self._snapshots.append(
                snapshot_of(alert, given=given, state=state, policy=self._policy, prior=self._prior)
            )

    def _set_floors(self) -> None:
        """Find the scores behind which the policy's least risks stand: verdicts move them."""
        self._floor = self._calibration.score(log_odds(self._policy.alert_floor))
        self._cold_floor = self._calibration.score(log_odds(self._policy.medium_risk))
        certain = self._calibration.score(log_odds(self._policy.high_risk))
        self._ceiling = max(certain, self._floor)

    def _threshold(self) -> float:
        # While nobody can say what the budget would allow, only what is likely enough alerts.
        threshold = self._budget.threshold
        if threshold == UNKNOWN:
            return self._cold_floor
        if threshold < self._floor:
            return self._floor
        # Whoever has burnt the budget on decoys must not have bought silence for the real thing.
        if threshold > self._ceiling:
            return self._ceiling
        return threshold

    def _read(self, observed: Observed, event: Login | Order | AccountChange) -> Reading:
        profile = self._accounts.profile(event.account_id)
        account = digest(event.account_id)
        at = self._watermark.believed(event.occurred_at, account)
        if profile is None:
            profile = newborn(at)
        reading = Reading(event, observed.facts, profile, account, at)
        self._evidence.weigh(reading)
        weights, prior = reading.weights, self._prior.weights[reading.type]
        if reading.network >= OPERATOR and not reading.proved and is_strangers(reading):
            hottest = self._heat.hottest(reading)
            if hottest:
                weigh_heat(reading, hottest, prior[GUESSING] * weights[GUESSING])
        verdicts, correction = self._verdict_model, 0.0
        if reading.success and verdicts.verdicts:
            score, correction = products(prior, verdicts.corrections, weights)
            correction *= verdicts.trust
        else:
            score = product(prior, weights)
        score += self._prior.bias[reading.type]
        if reading.success and self._base + score >= self._budget.notable:
            score += prior[ISOLATION] * self._evidence.weigh_isolation(reading)
            correction = verdicts.correction(weights)
        # What the account's days already told is not told again, or doubt would feed on itself.
        reading.doubt = score - prior[STORY] * weights[STORY]
        # Nor is what other accounts told of a new value told back to them.
        reading.alone = reading.doubt - prior[SHARED] * weights[SHARED]
        reading.logit = self._base + score
        if reading.success:
            reading.logit += correction
            if self._intelligence:
                self._weigh_shared(reading, self._intelligence)
        else:
            reading.logit += _FAILED
        return reading

    def _weigh_shared(self, reading: Reading, intelligence: Intelligence) -> None:
        weigh_shared(reading, intelligence, self._trust, self._population)
        # It never speaks alone: it adds no more than everything else together speaks already.
        reading.shared = min(reading.shared, max(reading.logit - self._base, 0.0))
        reading.logit += reading.shared

    def _is_nobody(self, event: Login | Order | AccountChange) -> bool:
        if type(event) is not Login or event.outcome != "failure":
            return False
        unknown = event.failure_reason == "unknown_account"
        return unknown and self._accounts.profile(event.account_id) is None

    def _alert_id(self, reading: Reading) -> str | None:
        event = reading.event
        case = self._accounts.case(event.account_id)
        if case is not None and self._is_open(case, reading.at):
            return case.alert_id
        alert_id = cases.alert_id_of(event.account_id, TYPES[reading.type], event.event_id)
        if mark_of(reading.type, event.event_id) not in reading.profile.recent[::2]:
            return alert_id
        # What is told again opens no case: it is of one only where it had opened that.
        return alert_id if case is not None and cases.has_been(case, alert_id) else None

    def _is_open(self, case: cases.Case, at: float) -> bool:
        return not case.closed and at - case.last <= self._policy.case_quiet_hours * 3600

    def _take_case(self, reading: Reading) -> Alert | None:
        event = reading.event
        case = self._accounts.case(event.account_id)
        if case is None or not self._is_open(case, reading.at):
            case = cases.opened_by(
                event.account_id, TYPES[reading.type], event.event_id, event.occurred_at, case
            )
        risk = self._risk(reading.logit)
        severity, stage = severity_of(risk, self._policy), stage_of(reading)
        own = severity_of(self._risk(reading.logit - reading.shared), self._policy)
        told = counted(reading, self._prior, self._verdict_model)
        unshared = self._risk(reading.logit - max(told[SHARED], 0.0))
        revised = cases.take(case, reading, risk, severity, stage, own=own, unshared=unshared)
        self._accounts.put_case(event.account_id, case)
        alert = None
        if revised:
            reasons, techniques = explain(reading, told)
            alert = cases.alert_of(case, event.account_id, reasons, techniques, self._model)
        # An alert tells the event's own time; a wrong clock must not keep the case open for good.
        if event.occurred_at > reading.at:
            case.last = min(case.last, reading.at)
        return alert

    def _tell_case(self, reading: Reading, *, flagged: bool, revised: bool) -> None:
        """Tell what the events of an open case, and of its sessions, brought along."""
        account_id, session_id = reading.event.account_id, reading.event.session_id
        tells = self._sightings is not None and (flagged or carries_news(reading))
        # Some shops change ids at the checkout: the case knows its session by all of them.
        renamed = reading.implied and session_id is not None
        if not tells and not renamed:
            return
        case = self._accounts.case(account_id)
        if case is None or not self._is_open(case, reading.at):
            return
        if not flagged and not cases.is_in_session(case, reading.session_key, session_id):
            return
        if renamed and session_id not in case.sessions:
            cases.take_session(case, reading.session_key, session_id)
            self._accounts.put_case(account_id, case)
        if tells and self._sightings is not None:
            mark = cases.alert_mark(case, account_id)
            self._sightings.see_alert(reading, mark, lately=revised)
            for example in self._accounts.examples(account_id) if revised else ():
                # A phished session is opened through the relay and goes on from elsewhere.
                if example.session in case.session_keys and example.verdict != "legitimate":
                    minute = reading.profile.born + example.minute
                    self._sightings.see_hijack(example.brought, mark, minute)

    def _tell_confirmed(self, account_id: str, hijacks: Sequence[Example]) -> None:
        """Tell what events brought along that a verdict has said are a hijacker's."""
        profile = self._accounts.profile(account_id)
        if self._sightings is None or profile is None or not hijacks:
            return
        case = self._accounts.case(account_id)
        alerted = {example.alert_id for example in hijacks} - {None}
        # What an attack led to was no alert's when it was kept: its case knows it.
        taken = case is not None and any(example.event_id in case.events for example in hijacks)
        if case is not None and (taken or case.alert_id in alerted):
            mark = cases.alert_mark(case, account_id, certain=True)
        elif alerted:
            return  # of an earlier case's alert no more is known than was told
        else:
            mark = cases.unnoticed_mark(account_id, hijacks, profile.born)
        for example in hijacks:
            minute = profile.born + example.minute
            self._sightings.see_hijack(example.brought, mark, minute)

    def _sight(self, reading: Reading, *, flagged: bool) -> None:
        sightings, event = self._sightings, reading.event
        if sightings is None:
            return
        if type(event) is not Login:
            if not flagged:
                sightings.see(reading)
            return
        known, explained = is_familiar(reading), None
        if not (known or reading.proved):
            if reading.success:
                reading.telling, reading.guessing = telling_of(
                    reading, self._prior, self._verdict_model
                )
            else:
                explained = explaining(self._heat.hottest(reading))
        sightings.see_sign_in(reading, event, explained, known=known, flagged=flagged)

    def _reassess(self, notice: Reassessment) -> Alert | None:
        entry, hot = notice.entry, notice.hot
        account_id, told = entry.account_id, reassessing.told(notice)
        logit = entry.logit + told
        profile, case = self._accounts.profile(account_id), self._accounts.case(account_id)
        # Whoever was let pass is taken up again for more than a doubt, or every attack through a
        # popular client would put its customers before the analysts.
        least = max(self._threshold(), self._cold_floor)
        if profile is None or not told or logit < least:
            return None
        if self._verdicts.is_settled(account_id, entry.event_id):
            return None
        if case is None or not self._is_open(case, entry.at):
            case = cases.opened_by(account_id, "login", entry.event_id, entry.at, case)
        risk = self._risk(logit)
        alert = None
        severity, session = severity_of(risk, self._policy), reassessing.session_of(profile, entry)
        if cases.take_entry(case, entry, hot, risk, severity, session=session):
            reasons, techniques = reassessing.explain(notice, case.reasons)
            alert = cases.alert_of(case, account_id, reasons, techniques, self._model)
            if self._sightings is not None:
                self._sightings.see_attacked(hot, cases.alert_mark(case, account_id))
        reassessing.remember(profile, entry, told)
        self._accounts.put(account_id, profile)
        self._accounts.put_case(account_id, case)
        # As with an event: what it was told at may be a wrong clock's.
        believed = self._watermark.believed(hot.at, digest(account_id))
        if hot.at > believed:
            case.last = min(case.last, believed)
        return alert

    def _join(self, notice: Membership) -> Alert | None:
        case = self._accounts.case(notice.account_id)
        if case is None or case.closed or case.alert_id != notice.alert_id:
            return None
        if case.campaign_id == notice.campaign_id:
            return None
        case.campaign_id = notice.campaign_id
        case.revision += 1
        self._accounts.put_case(notice.account_id, case)
        return cases.alert_of(case, notice.account_id, case.reasons, (), self._model)

    def _count_day(self, reading: Reading) -> None:
        profile, now = reading.profile, bin_of(reading.logit)
        if reading.day > profile.day:
            self._budget.take(-1, now)
            profile.day, profile.day_bin = reading.day, now
        elif reading.day == profile.day and now > profile.day_bin:
            self._budget.take(profile.day_bin, now)
            profile.day_bin = now

    def _learn_event(self, reading: Reading, alert_id: str | None, mark: int) -> None:
        if reading.brought:
            self._trust.see(sources_of(reading))
        notable = reading.logit >= self._budget.notable
        kept = reading.success and (alert_id is not None or notable)
        told = kept and self._sightings is not None
        brought = brought_by(reading, lately=False) if told else []
        # Others' word decides on alerts, never on what is learnt: else a feed could keep a customer
        # a stranger for good.
        flagged = alert_id is not None and (
            not reading.shared or reading.logit - reading.shared >= self._threshold()
        )
        lessons.count(reading, self._population)
        lesson = None
        if reading.success:
            lesson = lessons.lesson_of(reading)
            if not flagged:
                self._evidence.learn(reading.cells)
                if mark % _FOREST_SAMPLE == 0:
                    self._forest.learn(in_unit_range(reading.weights))
                lessons.teach(reading.profile, lesson, lessons.doubt_left(reading))
                tie(reading)
        lessons.record(reading, flagged=flagged)
        if lesson is None:
            return
        sampled = mark % _SAMPLE == 0
        if kept:
            self._keep(reading, alert_id, lesson, learnt=not flagged, brought=brought)
        if not flagged and (sampled or (notable and mark % _NOTABLE_SAMPLE == 0)):
            # Presumed a customer's; where it was not, the verdict takes the step back.
            weights = reading.weights
            offset = self._offset(reading.type, weights)
            self._verdict_model.learn(weights, offset, takeover=False, weight=1.0)
        if sampled and reading.type == LOGIN and reading.depth:
            self._watch.see(watched(reading), reading.at)

    def _keep(
        self,
        reading: Reading,
        alert_id: str | None,
        lesson: Lesson,
        *,
        learnt: bool,
        brought: list[Brought],
    ) -> None:
        event = reading.event
        example = Example(
            event.event_id,
            reading.minute,
            reading.type,
            alert_id,
            stored_weights(reading.weights),
            reading.cells,
            lesson,
            session=reading.session_key,
            learnt=learnt,
            score=calibration.bin_of(reading.logit),
            sources=sources_of(reading) if reading.reported else [],
            believed=learnt and alert_id is not None,
            brought=brought,
        )
        self._calibration.see(example.score, reading.day)
        kept = self._accounts.examples(event.account_id)
        keep(kept, example, self._policy.examples_per_account)
        self._accounts.put_examples(event.account_id)

    def _offset(self, kind: int, weights: list[float]) -> float:
        return self._base + self._prior.score(kind, weights)
