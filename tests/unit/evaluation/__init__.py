"""Tests of how detectors are judged, and of the baselines."""
