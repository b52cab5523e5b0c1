"""Tests of intelligence shared: formats, keys, what may be told."""
