"""What must survive this machine's processes: items, messages and objects, in SQLite and files.

A change is durable when :meth:`Journal.transaction` has ended: SQLite writes its log ahead and waits for the disk, and
an object's file is on the disk before its row names it. Source: SQLite documentation, "Write-Ahead Logging" and
"PRAGMA synchronous".
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE items (place TEXT, key TEXT, item TEXT NOT NULL, PRIMARY KEY (place, key)) WITHOUT ROWID;
CREATE TABLE messages (queue TEXT, id TEXT, message TEXT NOT NULL, PRIMARY KEY (queue, id)) WITHOUT ROWID;
CREATE TABLE objects (bucket TEXT, key TEXT, file TEXT NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (bucket, key))
  WITHOUT ROWID;
PRAGMA user_version = 1;
"""


class JournalError(Exception):
    """The folder of the state cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of a bucket.

    Attributes:
        file: Name of the file that holds its bytes.
        facts: What else S3 tells of it: size, ETag, time, metadata, tags.
    """

    bucket: str
    key: str
    file: str
    facts: dict[str, Any]


class Journal:
    """The state in a folder; one thread at a time may use it.

    Args:
        folder: An existing folder that belongs to this process alone.

    Raises:
        JournalError: The folder cannot be written, another process uses it, or a newer version has written it.
    """

    def __init__(self, folder: Path) -> None:
        self._files = folder / "objects"
        try:
            self._files.mkdir(exist_ok=True)
            self._lock = (folder / "lock").open("w")  # the lock goes with the process
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._database = sqlite3.connect(folder / "state.sqlite3", check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._database.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
        except BlockingIOError as error:
            raise JournalError(f"the state in {folder} is in use by another container") from error
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"the state in {folder} cannot be used: {error}") from error
        if version > SCHEMA_VERSION:
            raise JournalError(f"the state in {folder} was written by a newer version of the service")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the changes of the block durable together, or none of them after an error."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    # -- items ------------------------------------------------------------------------------------------------------

    def items(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield every item with the name of its table."""
        for table, item in self._database.execute("SELECT place, item FROM items"):
            yield table, json.loads(item)

    def set_item(self, table: str, key: str, item: dict[str, Any] | None) -> None:
        """Store an item, or remove it where there is none."""
        if item is None:
            self._database.execute("DELETE FROM items WHERE place = ? AND key = ?", (table, key))
        else:
            self._database.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?)", (table, key, json.dumps(item)))

    # -- messages ---------------------------------------------------------------------------------------------------

    def messages(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield every message with the name of its queue, in the order in which they were sent."""
        rows = self._database.execute("SELECT queue, message FROM messages ORDER BY message ->> 'sent_timestamp'")
        for queue, message in rows:
            yield queue, json.loads(message)

    def set_message(self, queue: str, message_id: str, message: dict[str, Any] | None) -> None:
        """Store a message, or remove it where there is none."""
        if message is None:
            self._database.execute("DELETE FROM messages WHERE queue = ? AND id = ?", (queue, message_id))
        else:
            row = (queue, message_id, json.dumps(message))
            self._database.execute("INSERT OR REPLACE INTO messages VALUES (?, ?, ?)", row)

    # -- objects ----------------------------------------------------------------------------------------------------

    def objects(self) -> Iterator[StoredObject]:
        """Yield every object."""
        for bucket, key, file, facts in self._database.execute("SELECT bucket, key, file, facts FROM objects"):
            yield StoredObject(bucket, key, file, json.loads(facts))

    def set_object(self, stored: StoredObject) -> str | None:
        """Store an object's row.

        Returns:
            The file that it had before, to be removed when the transaction has ended; None: the same, or none.
        """
        before = self._file_of(stored.bucket, stored.key)
        row = (stored.bucket, stored.key, stored.file, json.dumps(stored.facts))
        self._database.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", row)
        return before if before != stored.file else None

    def remove_object(self, bucket: str, key: str) -> str | None:
        """Remove an object's row; return its file, to be removed when the transaction has ended."""
        before = self._file_of(bucket, key)
        self._database.execute("DELETE FROM objects WHERE bucket = ? AND key = ?", (bucket, key))
        return before

    def write_file(self, data: bytes) -> str:
        """Write bytes to a new file, and wait until they are on the disk; return the file's name."""
        name = uuid4().hex
        with (self._files / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return name

    def read_file(self, name: str) -> bytes:
        """Read a file."""
        return (self._files / name).read_bytes()

    def remove_file(self, name: str) -> None:
        """Remove a file that no row names."""
        (self._files / name).unlink(missing_ok=True)

    def remove_orphans(self) -> None:
        """Remove files that no row names: what was being written when the process was killed."""
        named = {file for (file,) in self._database.execute("SELECT file FROM objects")}
        for file in self._files.iterdir():
            if file.name not in named:
                file.unlink()

    def _file_of(self, bucket: str, key: str) -> str | None:
        row = self._database.execute("SELECT file FROM objects WHERE bucket = ? AND key = ?", (bucket, key)).fetchone()
        return None if row is None else str(row[0])
