"""Tests of reports for people."""
