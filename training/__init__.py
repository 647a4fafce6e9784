"""How the default model is made. Needs torch; never part of the service image."""
