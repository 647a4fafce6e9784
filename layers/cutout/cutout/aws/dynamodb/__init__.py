"""The tables ``Accounts`` and ``Jobs``: one module per kind of record; every change is a conditional write."""
