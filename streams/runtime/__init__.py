"""Faust, mended: how records come in, how state survives, when offsets are committed.

**Read it in this order.** `interfaces` is the promise. `merge` decides the order of records,
`lanes` forms runs of them and `transport` delivers those. `partition` folds runs and knows what is
not durable yet; `position`, `changelog` and `store` make it durable and bring it back, `outbox`
sends, and `numbering` has what one flow sends another folded once. `service` is the way of a run
from fold to commit, `opening` and `recovery` what happens before the first one. `guards` tells when
to stop, `vigil` that nothing gets on, `waiting` what is waited for, and `watchdog` ends what cannot
end. `rekeying` carries topics that are keyed otherwise. `application` puts the parts into a Faust
application, and `worker` runs it.

**The way of a record.** The consumer's thread fetches it; it waits among its partition number's
other records until it is the earliest; it is decoded, and reaches its flow's agent in a run. The
processor folds the run. Dead letters are sent at once. The keys that changed, with the position
they stand for and the alerts that came of it, go to the changelog as one record batch (at once
where there is an alert, else some tenths of a second later); then to the local store; then the
alerts are sent; then the offsets are committed.

**Why alerts come after state.** The other way round (alert acknowledged, then state written) an
alert is a few milliseconds earlier, but a crash in between leaves an alert without its case: the
records are read again, live ones perhaps in another order across topics, and what comes of it need
not be the alert that is out. This way the same bytes are sent again, and nothing that is out is
ever without the state behind it, not even from a worker that has been replaced without knowing.

**What Faust 0.15.3 does, and what is done here.** The tests named show Faust's fault first, so
they fail when a release of Faust no longer needs the mend (`tests/unit/runtime/test_mends.py`
where no other file is named; integration tests are in `tests/integration`).

 1. *Faust:* commits past a message in flight when later ones are done.
    *Here:* a commit is what a durable step stands for; Faust's acknowledgements are not used.
    `test_faust_commits_past_a_record_in_flight`, `test_no_topic_takes_part_in_fausts_bookkeeping`
 2. *Faust:* takes a message in flight for part of a gap in the offsets, and commits past it.
    *Here:* as 1. `test_faust_takes_a_record_in_flight_for_part_of_a_gap`
 3. *Faust:* lets partitions flow before they are sought and before queues are emptied.
    *Here:* nothing flows until all is restored, claimed, sought and emptied (`recovery`).
    `test_nothing_flows_before_it_is_sought_and_queues_are_empty`
 4. *Faust:* does not seek a partition that has no committed offset; what was fetched is skipped.
    *Here:* every partition is sought, to a place we chose (`opening`).
    `test_partitions_without_a_committed_offset_are_sought_too`
 5. *Faust:* notes a commit that failed as done.
    *Here:* it stays to be done (`service`). `test_a_commit_that_failed_is_made_good`
 6. *Faust:* `flush()` can return early, and a changelog write that fails is a line in the log.
    *Here:* own producers, every acknowledgement awaited, a failure is the end of the worker.
    `test_a_changelog_write_that_failed_is_an_error`
 7. *Faust:* starts an agent that raised anew, and commits past what it raised on.
    *Here:* it stops the worker. `test_an_exception_in_the_agent_stops_the_worker`,
    `test_exactly_once.py::test_a_bug_stops_the_worker_where_it_is`
 8. *Faust:* has transactions (`exactly_once`) with known faults.
    *Here:* one atomic batch takes their place (`changelog`).
    `test_exactly_once.py::test_a_process_that_dies_between_any_two_steps`
 9. *Faust:* purges memory standbys, ignores a table's own store, and assigns topics apart from
    one another where there is no table. *Here:* no standbys, own stores, one table for the
    assignor's sake (`application`). `test_what_faust_offers_and_we_leave_alone`
10. *Faust:* lets a worker that was frozen and replaced go on writing.
    *Here:* it stops (`guards`), and if it writes, that is void (`changelog`).
    `test_rebalancing.py::test_a_worker_that_was_frozen_stops`,
    `test_changelog.py::test_a_replaced_owner_is_shut_out`
11. *Faust:* can be left with a stable group in which nobody owns the partitions.
    *Here:* noticed, and assigned anew (`guards`).
    `test_rebalancing.py::test_a_group_that_leaves_partitions_unowned_assigns_anew`
12. *Faust:* restores a table at a `wait_for` a record. *Here:* in bulk (`changelog.restore`).
    `test_exactly_once.py::test_a_lost_local_store_is_restored_from_the_changelog`

**What is not promised.** The order across topics is by time for everything that had been written
before it was read. Live, a record that arrives after a later one of another topic is folded when
it comes. Between flows there is no order but each sender's own: when one flow hears of what another
has found depends on the clock, and docs/across-accounts.md says what then follows.
"""
