"""Cutout: background removal as a service. One library behind every door of the application."""

__version__ = "0.1.0"
