"""Tests of how the demonstration judges alerts."""
