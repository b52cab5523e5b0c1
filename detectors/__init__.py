"""The fraud domain: events, profiles, features, models, decisions.

Pure: nothing in here reads a clock, a file, the network or the environment, logs, or knows
that Kafka exists. Time comes from events, randomness from seeded parameters.
"""

__version__ = "0.1.0"
