"""What the shop sells, and what a basket of it looks like."""

from typing import Any, NamedTuple

from detectors.simulation.chance import Chance, Weighted

CATEGORIES = ("fashion", "home", "electronics", "beauty", "toys", "grocery", "sports", "giftcard")
# Median price in pence and spread of its logarithm.
_PRICES = {
    "fashion": (3200, 0.7),
    "home": (2800, 0.9),
    "electronics": (11000, 1.1),
    "beauty": (1900, 0.7),
    "toys": (1900, 0.6),
    "grocery": (900, 0.7),
    "sports": (3500, 0.8),
}
_CARDS = Weighted(
    ((1000, 20), (1500, 8), (2000, 20), (2500, 18), (5000, 20), (10000, 10), (15000, 4))
)
_ENDINGS = Weighted(((99, 70), (0, 14), (50, 8), (95, 8)))
_FEES = Weighted(((0, 60), (399, 25), (499, 15)))


class Basket(NamedTuple):
    """Lines of an order and their sum in pence."""

    items: list[dict[str, Any]]
    pence: int


def money(pence: int) -> str:
    """Pounds as a decimal string."""
    return f"{pence // 100}.{pence % 100:02d}"


def fill_basket(tastes: Weighted[str], appetite: float, lines: int, chance: Chance) -> Basket:
    """Fill a basket of so many lines; `appetite` scales prices around the catalogue's medians."""
    items, total = [], 0
    for _ in range(lines):
        category = tastes.pick(chance)
        price = _price(category, appetite, chance)
        quantity = 1 if chance.happens(0.86) else chance.choice((2, 2, 2, 3, 4))
        total += price * quantity
        items.append(
            {
                "sku": f"{category[:3].upper()}-{chance.randrange(100_000):05d}",
                "category": category,
                "quantity": quantity,
                "unit_price": money(price),
            }
        )
    return Basket(items, total)


def _price(category: str, appetite: float, chance: Chance) -> int:
    if category == "giftcard":
        return _CARDS.pick(chance)
    median, spread = _PRICES[category]
    pounds = int(chance.around(median * appetite, spread)) // 100
    return max(149, pounds * 100 + _ENDINGS.pick(chance))


def delivery_fee(pence: int, chance: Chance) -> int:
    """Pence for delivery; free above forty pounds."""
    return 0 if pence >= 4000 else _FEES.pick(chance)
