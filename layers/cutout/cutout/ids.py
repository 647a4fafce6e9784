"""Types for ids, so that a type checker tells one kind of id from another; at run time each is plain text."""

from typing import NewType

AccountId = NewType("AccountId", str)
"""An account: ``acct_`` and up to 64 characters of base64url."""
KeyHash = NewType("KeyHash", str)
"""An API key, as it is looked up: SHA-256, 64 hex digits."""
KeyFingerprint = NewType("KeyFingerprint", str)
"""An API key, as people see it: ``tok_fp_`` and 12 hex digits; unique within an account."""
JobId = NewType("JobId", str)
"""A job: ``job_`` and 32 hex digits."""
UploadId = NewType("UploadId", str)
"""An upload for a later request: ``upl_`` and 32 hex digits."""
