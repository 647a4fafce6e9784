"""Encoded files to sRGB arrays, and arrays to encoded files."""
