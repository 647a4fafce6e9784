"""One loader for each format: from a file to its pixels, within the limits."""
