"""HTTP as values: requests are parsed, answers and problems are written. Knows no AWS."""
