"""Tests of the monthly bulletin."""
