"""Tests of one part at a time, without the world."""
