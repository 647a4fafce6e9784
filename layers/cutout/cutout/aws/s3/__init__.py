"""The buckets of uploads and of results."""
