"""TODO matting."""
