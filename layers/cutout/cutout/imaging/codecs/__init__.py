"""TODO codecs."""
