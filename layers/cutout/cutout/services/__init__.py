"""TODO services."""
