"""An alert with everything in it, for the tests of what is done with alerts."""

from decimal import Decimal

from detectors.assessments import Alert, Evidence, Model, Reason

ALERT = Alert(
    alert_id="a41bc9",
    revision=2,
    account_id="c1d3",
    raised_at=1795500000.12,
    updated_at=1795500520.123456,
    risk=0.93,
    severity="critical",
    action="lock_account",
    reasons=(
        Reason(
            code="new_device",
            summary="Signed in from a device never seen on this account",
            contribution=0.41,
            evidence=Evidence(seen="Chrome on Windows", usual="Mobile Safari on iOS"),
        ),
        Reason(code="reset", summary="The password was reset 4 minutes before", contribution=0.3),
    ),
    techniques=("T1110.004",),
    stage="cash_out",
    trigger_event_id="e1",
    event_ids=("e1", "e2"),
    order_ids=("o1",),
    amount_at_risk=Decimal("1290.50"),
    currency="GBP",
    model=Model(name="m", version="1", configuration="c"),
    suppressed=3,
)
