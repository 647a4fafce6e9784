"""Everything that calls an AWS API or knows an AWS wire format, and nothing else."""
