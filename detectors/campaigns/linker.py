"""Links alerts that share rare indicators, online: each link is judged as it comes.

Attacks that go together are told as one in the same place (`attacks`).
"""

from collections.abc import Callable, Iterator

from msgspec import structs

from detectors.campaigns.attacks import Attacks
from detectors.campaigns.memory import Known, Memory
from detectors.campaigns.records import Campaign
from detectors.campaigns.weighing import Tie, are_one, pair_weight, unshared_risk
from detectors.heat.records import Attack, Front, Link, Membership


class CampaignLinker:
    """All campaigns of a retailer: alerts are few enough for one. Memory is bounded.

    An alert joins the campaign of an alert that it is linked to (single linkage); one that is
    linked to two makes them one, under the id of the older. `read` gives the state handed over so
    far. Who belongs where is told at once, what a campaign amounts to once for all that was taken
    since: it is as long as the campaign has alerts.
    """

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        self._memory = Memory(read)
        self._attacks = Attacks(read)

    def take(self, told: Link | Front) -> list[Membership]:
        """Take what an alert shares with others; return who belongs where by it, in order.

        What an attack comes by says of nobody where they belong.
        """
        if isinstance(told, Front):
            self._attacks.take(told)
            return []
        return self._link(told)

    def _link(self, link: Link) -> list[Membership]:
        memory, host = self._memory, link.alert.host
        mark = structs.replace(link.alert, host=0)
        known = memory.alert(mark.alert_id)
        if known is None:
            known = memory.add(mark)
        before = known.mark
        later = (mark.revision, mark.risk) > (before.revision, before.risk)
        unshared = max(unshared_risk(mark), unshared_risk(before))
        fresh = later or unshared > unshared_risk(before)
        if fresh:
            # What a verdict has made certain stays so.
            known.mark = structs.replace(
                mark if later else before, risk=max(mark.risk, before.risk), unshared=unshared
            )
        tie = Tie(
            link.kind,
            link.key,
            link.users,
            link.everybody,
            link.hot,
            (host,) if host else (),
            link.technique,
        )
        held = known.ties.get((link.kind, link.key))
        tie = tie if held is None else held.joined(tie)
        news = tie != held
        if news:
            known.tie(tie, link)
            if tie.is_raid and not (held is not None and held.is_raid):
                memory.see_raided(known)
        memory.touch(known)
        told: list[Membership] = []
        for other in memory.near(known) if fresh or news else ():
            if self._are_one(known, other):
                told += self._unite(known, other)
        gang = memory.gang(known.gang)
        if gang is not None and (fresh or news):
            memory.update(gang, known)
        return told

    def summaries(self) -> list[Campaign | Attack]:
        """Return a revision of each campaign that changed since the last call, in a fixed order.

        And of each attack that there is news of. To be called before `changes`.
        """
        return [*self._memory.revisions(), *self._attacks.revisions()]

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Hand over every key changed since the last call; None means delete it."""
        yield from self._memory.changes()
        yield from self._attacks.changes()

    def _are_one(self, known: Known, other: Known) -> bool:
        gang = self._memory.gang(known.gang)
        if gang is not None and gang is self._memory.gang(other.gang):
            return False
        if known.mark.account_id == other.mark.account_id:
            return False
        told = pair_weight(
            (known.ties, known.mark),
            (other.ties, other.mark),
            alerts=self._memory.count_sharing,
            together=self._memory.pace.together,
        )
        return are_one(told, known.mark, other.mark)

    def _unite(self, known: Known, other: Known) -> Iterator[Membership]:
        memory = self._memory
        gangs = [gang for gang in (memory.gang(known.gang), memory.gang(other.gang)) if gang]
        gangs.sort(key=lambda gang: (gang.first_seen, gang.campaign_id))
        gang = gangs[0] if gangs else memory.found(min(known, other, key=lambda one: one.age))
        at = max(known.mark.at, other.mark.at)
        for younger in gangs[1:]:
            memory.merge(gang, younger)
            for alert_id, member in younger.members.items():
                yield Membership(member.account_id, alert_id, gang.campaign_id, at)
        for one in sorted((known, other), key=lambda one: one.age):
            if memory.gang(one.gang) is not gang:
                memory.join(gang, one)
                yield Membership(one.mark.account_id, one.mark.alert_id, gang.campaign_id, at)
