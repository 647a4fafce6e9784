"""The vendors' contracts, one file or folder each; a module that defines ``DIALECT`` is discovered."""
