"""HTTP as values: parsers of requests, and writers of answers and problems. Knows no AWS."""
