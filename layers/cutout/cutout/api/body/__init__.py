"""The bodies of requests: their content coding, and the fields of a form or of JSON."""
