"""Client code for Cutout."""
