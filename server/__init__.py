"""The service as one HTTP container: the same functions and routes, with state on a volume or in real AWS resources."""

import local  # noqa: F401 - puts the layer on the import path
