"""The wire contract, line by line."""
