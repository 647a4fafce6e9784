"""The tables ``Accounts`` and ``Jobs``: one module a kind of record, every change a conditional write."""
