"""From a model's small alpha to a full-size alpha and foreground colours without the old background."""
