"""The use cases, between the HTTP values of ``api`` and the stores of ``aws``. Knows no AWS format and no event."""
