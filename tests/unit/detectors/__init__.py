"""Tests of the fraud domain, part by part."""
