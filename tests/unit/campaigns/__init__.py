"""Campaigns: what links alerts, and what is published."""
