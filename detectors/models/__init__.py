"""The models: one estimator a file."""
