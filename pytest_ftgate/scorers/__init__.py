"""Scorers: one family per file, and the table of them. A scorer sees one answer and returns one score."""
