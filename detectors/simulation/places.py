"""Where people live, and where they go. All keep the shop's hours: the rhythm is one in UTC."""

from typing import NamedTuple

from detectors.simulation.chance import Chance, Weighted


class Place(NamedTuple):
    """A city. `country` is ISO 3166-1 alpha-2; coordinates are WGS-84 degrees."""

    country: str
    region: str
    city: str
    latitude: float
    longitude: float


# City, region, latitude, longitude, inhabitants in thousands (rounded).
_CITIES: dict[str, tuple[tuple[str, str, float, float, int], ...]] = {
    "GB": (
        ("London", "England", 51.507, -0.128, 4200),
        ("Birmingham", "England", 52.480, -1.903, 1150),
        ("Leeds", "England", 53.800, -1.549, 540),
        ("Glasgow", "Scotland", 55.861, -4.250, 630),
        ("Sheffield", "England", 53.381, -1.470, 560),
        ("Manchester", "England", 53.479, -2.245, 560),
        ("Liverpool", "England", 53.408, -2.991, 490),
        ("Bristol", "England", 51.455, -2.588, 470),
        ("Edinburgh", "Scotland", 55.953, -3.189, 510),
        ("Cardiff", "Wales", 51.481, -3.179, 370),
        ("Leicester", "England", 52.637, -1.140, 370),
        ("Coventry", "England", 52.407, -1.510, 345),
        ("Belfast", "Northern Ireland", 54.597, -5.930, 345),
        ("Nottingham", "England", 52.954, -1.150, 325),
        ("Newcastle upon Tyne", "England", 54.978, -1.618, 300),
        ("Brighton", "England", 50.823, -0.137, 277),
        ("Plymouth", "England", 50.376, -4.143, 265),
        ("Southampton", "England", 50.909, -1.404, 250),
        ("Reading", "England", 51.454, -0.978, 175),
        ("Derby", "England", 52.922, -1.476, 260),
        ("Wolverhampton", "England", 52.586, -2.129, 262),
        ("Norwich", "England", 52.628, 1.299, 144),
        ("Swansea", "Wales", 51.621, -3.944, 240),
        ("Aberdeen", "Scotland", 57.150, -2.094, 200),
        ("Milton Keynes", "England", 52.041, -0.759, 245),
        ("York", "England", 53.960, -1.087, 153),
        ("Oxford", "England", 51.752, -1.258, 162),
        ("Cambridge", "England", 52.205, 0.122, 146),
        ("Exeter", "England", 50.718, -3.534, 130),
        ("Peterborough", "England", 52.570, -0.240, 215),
        ("Dundee", "Scotland", 56.462, -2.971, 148),
        ("Hull", "England", 53.745, -0.337, 267),
        ("Stoke-on-Trent", "England", 53.003, -2.179, 258),
        ("Sunderland", "England", 54.906, -1.381, 174),
        ("Ipswich", "England", 52.057, 1.148, 139),
        ("Inverness", "Scotland", 57.478, -4.225, 47),
        ("Bournemouth", "England", 50.720, -1.880, 196),
        ("Preston", "England", 53.763, -2.703, 148),
    ),
    "IE": (
        ("Dublin", "Leinster", 53.350, -6.260, 590),
        ("Cork", "Munster", 51.897, -8.470, 224),
        ("Galway", "Connacht", 53.272, -9.049, 86),
    ),
    "FR": (
        ("Paris", "Ile-de-France", 48.857, 2.352, 2100),
        ("Lyon", "Auvergne-Rhone-Alpes", 45.764, 4.836, 520),
        ("Marseille", "Provence-Alpes-Cote d'Azur", 43.296, 5.370, 870),
        ("Nice", "Provence-Alpes-Cote d'Azur", 43.710, 7.262, 345),
    ),
    "DE": (
        ("Berlin", "Berlin", 52.520, 13.405, 3700),
        ("Hamburg", "Hamburg", 53.551, 9.994, 1850),
        ("Munich", "Bavaria", 48.135, 11.582, 1500),
        ("Frankfurt am Main", "Hesse", 50.110, 8.682, 760),
    ),
    "ES": (
        ("Madrid", "Madrid", 40.417, -3.704, 3300),
        ("Barcelona", "Catalonia", 41.385, 2.173, 1600),
        ("Malaga", "Andalusia", 36.721, -4.421, 580),
        ("Palma", "Balearic Islands", 39.570, 2.650, 420),
    ),
    "IT": (
        ("Rome", "Lazio", 41.903, 12.496, 2800),
        ("Milan", "Lombardy", 45.464, 9.190, 1400),
        ("Naples", "Campania", 40.852, 14.268, 910),
    ),
    "PT": (
        ("Lisbon", "Lisbon", 38.722, -9.139, 550),
        ("Faro", "Algarve", 37.019, -7.930, 65),
    ),
    "NL": (
        ("Amsterdam", "North Holland", 52.367, 4.904, 880),
        ("Rotterdam", "South Holland", 51.924, 4.478, 650),
    ),
    "GR": (
        ("Athens", "Attica", 37.984, 23.728, 640),
        ("Heraklion", "Crete", 35.339, 25.144, 180),
    ),
    "TR": (
        ("Istanbul", "Istanbul", 41.008, 28.978, 15500),
        ("Antalya", "Antalya", 36.897, 30.713, 1300),
    ),
    "PL": (
        ("Warsaw", "Mazovia", 52.230, 21.012, 1800),
        ("Krakow", "Lesser Poland", 50.065, 19.945, 780),
    ),
    "RO": (
        ("Bucharest", "Bucharest", 44.427, 26.103, 1800),
        ("Cluj-Napoca", "Cluj", 46.771, 23.624, 320),
    ),
    "US": (
        ("New York", "New York", 40.713, -74.006, 8300),
        ("Orlando", "Florida", 28.538, -81.379, 310),
        ("Los Angeles", "California", 34.052, -118.244, 3900),
        ("Ashburn", "Virginia", 39.044, -77.487, 45),
    ),
    "CA": (("Toronto", "Ontario", 43.653, -79.383, 2800),),
    "AU": (("Sydney", "New South Wales", -33.869, 151.209, 5200),),
    "AE": (("Dubai", "Dubai", 25.205, 55.271, 3300),),
    "TH": (("Bangkok", "Bangkok", 13.756, 100.502, 8300),),
    "IN": (
        ("Mumbai", "Maharashtra", 19.076, 72.878, 12500),
        ("Delhi", "Delhi", 28.704, 77.103, 16800),
    ),
    "PK": (("Lahore", "Punjab", 31.520, 74.359, 11100),),
    "NG": (("Lagos", "Lagos", 6.524, 3.379, 15000),),
    "MA": (("Casablanca", "Casablanca-Settat", 33.573, -7.590, 3700),),
    "VN": (("Hanoi", "Hanoi", 21.028, 105.804, 8000),),
    "ID": (("Jakarta", "Jakarta", -6.208, 106.846, 10500),),
    "BR": (("Sao Paulo", "Sao Paulo", -23.551, -46.633, 12300),),
    "UA": (("Kyiv", "Kyiv", 50.450, 30.523, 2900),),
    "SE": (("Stockholm", "Stockholm", 59.329, 18.069, 980),),
    "CH": (("Zurich", "Zurich", 47.377, 8.542, 430),),
}

CITIES: dict[str, Weighted[Place]] = {
    country: Weighted(
        (Place(country, region, city, latitude, longitude), float(inhabitants))
        for city, region, latitude, longitude, inhabitants in rows
    )
    for country, rows in _CITIES.items()
}

# The postcode areas of a city and around it; London's are one letter or two.
AREAS: dict[str, tuple[str, ...]] = {
    city: tuple(areas.split())
    for city, areas in (
        ("London", "E N NW SE SW W"), ("Birmingham", "B"), ("Leeds", "LS"), ("Glasgow", "G"),
        ("Sheffield", "S"), ("Manchester", "M"), ("Liverpool", "L"), ("Bristol", "BS"),
        ("Edinburgh", "EH"), ("Cardiff", "CF"), ("Leicester", "LE"), ("Coventry", "CV"),
        ("Belfast", "BT"), ("Nottingham", "NG"), ("Newcastle upon Tyne", "NE"),
        ("Brighton", "BN"), ("Plymouth", "PL"), ("Southampton", "SO"), ("Reading", "RG"),
        ("Derby", "DE"), ("Wolverhampton", "WV"), ("Norwich", "NR"), ("Swansea", "SA"),
        ("Aberdeen", "AB"), ("Milton Keynes", "MK"), ("York", "YO"), ("Oxford", "OX"),
        ("Cambridge", "CB"), ("Exeter", "EX"), ("Peterborough", "PE"), ("Dundee", "DD"),
        ("Hull", "HU"), ("Stoke-on-Trent", "ST"), ("Sunderland", "SR"), ("Ipswich", "IP"),
        ("Inverness", "IV"), ("Bournemouth", "BH"), ("Preston", "PR"),
    )
}  # fmt: skip


def anywhere(home: Place, chance: Chance) -> Place:
    """Where somebody lives whom one gives presents to: about half in one's own city."""
    return home if chance.happens(0.5) else CITIES[home.country].pick(chance)


HOLIDAY = Weighted(
    (("ES", 30), ("FR", 14), ("IT", 9), ("PT", 8), ("GR", 9), ("TR", 8), ("US", 8), ("IE", 4),
     ("AE", 4), ("TH", 3), ("MA", 3), ("PL", 5), ("RO", 3), ("IN", 4), ("PK", 3), ("NG", 2),
     ("VN", 1), ("ID", 2), ("BR", 1), ("UA", 1), ("AU", 2), ("CA", 2))
)  # fmt: skip
BUSINESS = Weighted(
    (("DE", 20), ("FR", 16), ("US", 16), ("NL", 12), ("IE", 10), ("CH", 6), ("SE", 5), ("IN", 6),
     ("AE", 5), ("ES", 4))
)  # fmt: skip
CUSTOMERS = Weighted((("GB", 88), ("IE", 5), ("FR", 2.5), ("DE", 2.5), ("NL", 1), ("US", 1)))
