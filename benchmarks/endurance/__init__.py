"""Figures of endurance: what a run survives, and what it costs."""
