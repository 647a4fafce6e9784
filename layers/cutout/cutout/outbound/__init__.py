"""TODO outbound."""
