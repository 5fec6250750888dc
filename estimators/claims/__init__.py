"""Statements wired to their measurements, one line each: the only place that knows both sides."""
