"""The watermark follows what most events say, not what one of them does."""

from detectors.watermark import TOLERANCE, Watermark

NOW, DAY, YEAR = 1_780_000_000, 86_400, 365 * 86_400


def _nothing(_: bytes) -> None:
    return None


def _busy() -> Watermark:
    watermark = Watermark(_nothing)
    for number in range(20):
        watermark.advance(NOW + number, number)
    return watermark


def test_one_event_ahead_is_believed_for_a_day_and_no_more() -> None:
    """However far ahead it is, and wherever it falls, the next event is believed as it is."""
    watermark = _busy()
    assert watermark.believed(NOW + DAY / 2, 1) == NOW + DAY / 2
    for account in range(40):
        assert watermark.believed(NOW + 50 * YEAR, 99) == NOW + 19 + account + TOLERANCE
        watermark.advance(NOW + 50 * YEAR, 99)
        watermark.advance(NOW + 20 + account, account)


def test_a_gap_is_believed_at_the_third_event_in_a_row() -> None:
    """After three weeks of nothing the earliest of three events is the time it is."""
    watermark = _busy()
    for account in range(2):
        watermark.advance(NOW + 21 * DAY + account, account)
    assert watermark.believed(NOW + 21 * DAY + 2, 2) == NOW + 21 * DAY + 2
    watermark.advance(NOW + 21 * DAY + 2, 2)
    assert watermark.believed(NOW + 99 * DAY, 1) == NOW + 21 * DAY + TOLERANCE


def test_an_account_with_nobody_to_compare_it_with_is_believed_within_reason() -> None:
    """A shop's only customer may come once a month; not after fifty years."""
    watermark = _busy()
    for visit in range(10):
        watermark.advance(NOW + visit, 7)
    assert watermark.believed(NOW + 200 * DAY, 7) == NOW + 200 * DAY
    assert watermark.believed(NOW + 50 * YEAR, 7) < NOW + 2 * YEAR
    assert watermark.believed(NOW + 200 * DAY, 8) < NOW + 3 * DAY


def test_a_watermark_that_was_wrong_is_set_back() -> None:
    """A first event of the year 2099 leads the partition for sixteen events at most."""
    watermark = Watermark(_nothing)
    watermark.advance(NOW + 70 * YEAR, 1)
    for account in range(16):
        watermark.advance(NOW + account, account)
    assert watermark.believed(NOW + 70 * YEAR, 1) == NOW + 15 + TOLERANCE


def test_a_watermark_read_back_is_the_same() -> None:
    """A gap half believed is half believed after a restore."""
    watermark = _busy()
    watermark.advance(NOW + 21 * DAY, 1)
    watermark.advance(NOW + 21 * DAY, 2)
    again = Watermark(dict(watermark.changes()).get)
    assert again.believed(NOW + 21 * DAY, 3) == NOW + 21 * DAY
