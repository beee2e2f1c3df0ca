"""Endurance: what holds when things break, seeded and bounded."""
