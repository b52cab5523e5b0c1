"""Networks' operators: real AS numbers and what kind of network each runs.

The shares are rough market shares within a country and kind; the address blocks that the
simulator gives each operator are invented (`detectors.simulation.internet`).
"""

from typing import NamedTuple

from detectors.facts import NetworkKind


class Operator(NamedTuple):
    """An autonomous system. `v6` is the share of its lines that reach the shop over IPv6.

    `egress` is the number of addresses that a site's customers share at a time; 0 where each
    line has its own.
    """

    asn: int
    country: str
    kind: NetworkKind
    share: float
    v6: float = 0.3
    egress: int = 0


def _access(country: str, *rows: tuple[int, float, float]) -> tuple[Operator, ...]:
    return tuple(Operator(asn, country, "access", share, v6) for asn, share, v6 in rows)


def _mobile(country: str, *rows: tuple[int, float, float]) -> tuple[Operator, ...]:
    return tuple(Operator(asn, country, "mobile", share, v6, 4) for asn, share, v6 in rows)


def _hosting(country: str, *asns: int) -> tuple[Operator, ...]:
    return tuple(Operator(asn, country, "hosting", 1.0, 0.0) for asn in asns)


OPERATORS: tuple[Operator, ...] = (
    *_access("GB", (2856, 33, 0.75), (5607, 22, 0.8), (5089, 20, 0.0), (13285, 11, 0.05)),
    *_access("GB", (5378, 4, 0.0), (12390, 1, 0.3)),
    # Two fibre builders that put their customers behind shared addresses.
    Operator(56478, "GB", "access", 4, 0.0, 16),
    Operator(201838, "GB", "access", 3, 0.4, 16),
    *_mobile("GB", (12576, 32, 0.6), (35228, 27, 0.0), (25135, 20, 0.0), (206067, 21, 0.2)),
    *_access("IE", (5466, 50, 0.2), (6830, 50, 0.3)),
    *_mobile("IE", (15502, 50, 0.0), (13280, 50, 0.0)),
    *_access("FR", (3215, 40, 0.7), (12322, 35, 0.8), (15557, 25, 0.4)),
    *_mobile("FR", (5410, 50, 0.5)),
    *_access("DE", (3320, 45, 0.7), (3209, 35, 0.5), (8881, 20, 0.6)),
    *_mobile("DE", (6805, 50, 0.3)),
    *_access("ES", (3352, 60, 0.1), (12479, 40, 0.1)),
    *_mobile("ES", (12430, 50, 0.0)),
    *_access("IT", (3269, 60, 0.1), (12874, 40, 0.1)),
    *_mobile("IT", (30722, 50, 0.0)),
    *_access("PT", (3243, 55, 0.3), (2860, 45, 0.2)),
    *_mobile("PT", (12353, 50, 0.0)),
    *_access("NL", (1136, 50, 0.5), (33915, 50, 0.5)),
    *_mobile("NL", (50266, 50, 0.2)),
    *_access("GR", (6799, 60, 0.5), (1241, 40, 0.2)),
    *_mobile("GR", (29247, 50, 0.3)),
    *_access("TR", (9121, 70, 0.0), (34984, 30, 0.0)),
    *_mobile("TR", (15897, 50, 0.0)),
    *_access("PL", (5617, 60, 0.1), (12741, 40, 0.1)),
    *_mobile("PL", (12912, 50, 0.2)),
    *_access("RO", (8708, 60, 0.3), (9050, 40, 0.1)),
    *_mobile("RO", (8953, 50, 0.3)),
    *_access("US", (7922, 50, 0.7), (22773, 20, 0.5), (701, 30, 0.2)),
    *_mobile("US", (21928, 60, 0.9), (20057, 40, 0.8)),
    *_access("CA", (577, 60, 0.1), (812, 40, 0.6)),
    *_access("AU", (1221, 60, 0.4), (7545, 40, 0.2)),
    *_access("AE", (5384, 60, 0.2), (15802, 40, 0.2)),
    *_mobile("AE", (8966, 50, 0.1)),
    *_access("TH", (7470, 50, 0.4), (17552, 50, 0.4)),
    *_access("IN", (24560, 50, 0.5), (9829, 50, 0.2)),
    *_mobile("IN", (55836, 50, 0.9)),
    *_access("PK", (17557, 70, 0.0), (23674, 30, 0.0)),
    *_mobile("NG", (29465, 50, 0.0), (36873, 30, 0.0), (37148, 20, 0.0)),
    *_access("MA", (36903, 60, 0.0), (6713, 40, 0.0)),
    *_access("VN", (45899, 50, 0.5), (7552, 50, 0.5)),
    *_access("ID", (7713, 60, 0.1), (17451, 40, 0.1)),
    *_access("BR", (28573, 55, 0.5), (27699, 45, 0.5)),
    *_access("UA", (13188, 50, 0.1), (6849, 50, 0.0)),
    *_access("SE", (3301, 60, 0.3), (8473, 40, 0.5)),
    *_access("CH", (3303, 60, 0.6), (6730, 40, 0.3)),
    Operator(786, "GB", "education", 1, 0.0, 6),
    Operator(1213, "IE", "education", 1, 0.0, 6),
    Operator(8220, "GB", "business", 3, 0.0),
    Operator(3356, "GB", "business", 2, 0.0),
    Operator(4589, "GB", "business", 2, 0.0),
    # A cloud proxy that offices send their browsers through.
    Operator(62044, "GB", "business", 2, 0.0, 12),
    *_hosting("GB", 20473, 14061, 16509, 8075),
    *_hosting("DE", 24940, 51167, 14061),
    *_hosting("FR", 16276, 12876),
    *_hosting("NL", 14061, 60781, 49981),
    *_hosting("US", 16509, 63949, 396982, 36352),
    *_hosting("RO", 39798),
    Operator(9009, "GB", "vpn", 3, 0.0, 20),
    Operator(212238, "GB", "vpn", 3, 0.0, 20),
    Operator(9009, "NL", "vpn", 1, 0.0, 20),
    Operator(212238, "US", "vpn", 1, 0.0, 20),
    Operator(212238, "DE", "vpn", 1, 0.0, 20),
    Operator(36183, "GB", "relay", 5, 0.5, 12),
    Operator(13335, "GB", "relay", 3, 0.5, 12),
    Operator(54113, "GB", "relay", 2, 0.5, 12),
    Operator(36183, "IE", "relay", 1, 0.5, 12),
    Operator(36183, "FR", "relay", 1, 0.5, 12),
    Operator(36183, "DE", "relay", 1, 0.5, 12),
    Operator(36183, "ES", "relay", 1, 0.5, 12),
    Operator(36183, "NL", "relay", 1, 0.5, 12),
    Operator(36183, "US", "relay", 1, 0.5, 12),
)
