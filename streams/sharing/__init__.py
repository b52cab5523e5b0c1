"""Intelligence shared with others: out of confirmed campaigns, and in from their feeds.

`records` are reports as the topic `indicators` carries them, `keys` the group's keys. `confirmed`
says which campaigns may be told, and what of them: `Finding`s, in which what concerns a person is a
keyed hash already, so that no format can leak it. `stix`, `misp` and `plain_csv` are the formats,
`taxii` and `targets` the ways. What the worker needs is in `records` and `keys`; all else is the
command line's, and its libraries the extra `sharing`'s.
"""
