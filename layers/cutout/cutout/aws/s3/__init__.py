"""TODO s3."""
