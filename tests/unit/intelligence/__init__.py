"""Tests of what others report, and how far it is believed."""
