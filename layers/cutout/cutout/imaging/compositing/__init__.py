"""The canvas: where the subject stands, and the layers above and below it."""
