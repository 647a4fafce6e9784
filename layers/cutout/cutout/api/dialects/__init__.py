"""The wire contracts we speak, one file or folder each; one that defines ``DIALECT`` is found by itself."""
