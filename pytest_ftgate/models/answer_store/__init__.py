"""The answer store: how several processes of one run share what was answered. The only SQLite."""
