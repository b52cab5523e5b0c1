"""The features: one family a file, one registry. Each is a weight of evidence, in nats."""
