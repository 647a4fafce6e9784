"""TODO compositing."""
