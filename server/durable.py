"""moto's tables, queues and buckets, kept in a journal: what a request has changed is durable before it is answered.

moto decides what a request means (conditions, transactions, notifications); the journal holds what came of it. Which
items and objects a request may have changed is read from the request, which messages from the queues themselves.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import FakeKey, s3_backends
from moto.sqs.models import Message, Queue, sqs_backends

from local.resources import Bucket
from local.template import ACCOUNT, REGION
from server.journal import Journal, StoredObject

_KEPT = ("id", "body", "message_attributes", "system_attributes", "sent_timestamp", "approximate_receive_count")
"""Attributes of a message that survive; that it is being worked on does not: whoever did so has ended too."""


class DurableState:
    """The state of moto in this process, and its journal. The caller lets one thread in at a time.

    Args:
        journal: The journal.
        buckets: The buckets with their lifecycle rules.
    """

    def __init__(self, journal: Journal, buckets: Mapping[str, Bucket]) -> None:
        self._journal = journal
        self._buckets = list(buckets.values())
        self._tables = dynamodb_backends[ACCOUNT][REGION]
        self._queues = sqs_backends[ACCOUNT][REGION].queues
        self._objects = s3_backends[ACCOUNT]["aws"]
        self._known: dict[tuple[str, str], int] = {}
        self._restored = False
        _keep_bytes_in_files(journal)

    def restore(self) -> None:
        """Put what the journal holds into tables, queues and buckets, which exist already; record from now on."""
        for queue in self._queues.values():
            _all(queue).clear()  # what S3 has said of its new buckets
        for table, item in self._journal.items():
            self._tables.put_item(table, item)
        for name, facts in self._journal.messages():
            if name in self._queues:
                self._queues[name].add_message(_message(facts))
                self._known[name, facts["id"]] = facts["approximate_receive_count"]
        for stored in self._journal.objects():
            self._restore_object(stored)
        self._journal.remove_orphans()
        self._restored = True

    def record(self, environ: Mapping[str, Any], body: bytes) -> None:
        """Make durable what a request has changed, once the state is restored.

        Args:
            environ: The WSGI environment of the request, which has been carried out.
            body: Its body.
        """
        if not self._restored:
            return
        service, _, operation = str(environ.get("HTTP_X_AMZ_TARGET", "")).partition(".")
        method = environ["REQUEST_METHOD"]
        unused: list[str] = []
        with self._journal.transaction():
            if service.startswith("DynamoDB"):
                for table, key in set(_named_items(operation, body)):
                    self._record_item(table, key)
            else:
                self._record_messages()
                if not service and method in {"DELETE", "POST", "PUT"}:
                    unused = self._record_object(method, str(environ["PATH_INFO"]))
        for file in unused:
            self._journal.remove_file(file)

    def expire(self, now: datetime) -> int:
        """Remove items and objects whose time is over, as DynamoDB's time to live and S3's lifecycle do.

        Args:
            now: The current time (UTC).

        Returns:
            How many were removed.
        """
        unused: list[str] = []
        expired = [*self._expired_items(now)]
        with self._journal.transaction():
            for table, key in expired:
                self._tables.delete_item(table, key)
                self._record_item(table, json.dumps(key, sort_keys=True))
            for bucket, name in self._expired_objects(now):
                self._objects.delete_object(bucket, name)
                unused += filter(None, [self._journal.remove_object(bucket, name)])
        for file in unused:
            self._journal.remove_file(file)
        return len(expired) + len(unused)

    # -- items ------------------------------------------------------------------------------------------------------

    def _record_item(self, table: str, text: str) -> None:
        if table not in self._tables.tables:
            return
        named: dict[str, Any] = json.loads(text)
        schema = [attribute["AttributeName"] for attribute in self._tables.tables[table].schema]
        if not named.keys() >= set(schema):  # a request that was refused
            return
        key = {name: named[name] for name in schema}
        found = self._tables.get_item(table, key)
        item = found.to_json()["Attributes"] if found else None
        self._journal.set_item(table, json.dumps(key, sort_keys=True), item)

    def _expired_items(self, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, table in self._tables.tables.items():
            attribute = table.ttl.get("AttributeName")
            schema = [part["AttributeName"] for part in table.schema]
            for item in list(table.all_items()):
                facts = item.to_json()["Attributes"]
                if attribute in facts and int(facts[attribute].get("N", "0")) < now.timestamp():
                    yield name, {part: facts[part] for part in schema}

    # -- messages ---------------------------------------------------------------------------------------------------

    def _record_messages(self) -> None:
        """Compare the queues with what is known of them: messages come by S3's notifications and go to other queues."""
        present = {(name, message.id): message for name, queue in self._queues.items() for message in _all(queue)}
        for place in self._known.keys() - present.keys():
            self._journal.set_message(*place, None)
            del self._known[place]
        for place, message in present.items():
            if self._known.get(place) != message.approximate_receive_count:
                self._journal.set_message(*place, {name: getattr(message, name) for name in _KEPT})
                self._known[place] = message.approximate_receive_count

    # -- objects ----------------------------------------------------------------------------------------------------

    def _record_object(self, method: str, path: str) -> list[str]:
        """Store or remove the object of a path; return files that no object has any more."""
        bucket, _, key = path.encode("latin-1").decode().lstrip("/").partition("/")  # WSGI's way to carry UTF-8
        if method == "POST":
            raise RuntimeError("objects are written and removed one at a time")
        if not key:  # the bucket itself, which the template describes
            return []
        found = self._objects.buckets[bucket].keys.get(key) if bucket in self._objects.buckets else None
        if found is None:
            return [*filter(None, [self._journal.remove_object(bucket, key)])]
        facts = {
            "size": found.contentsize,
            "etag": found.etag.strip('"'),
            "modified": found.last_modified.replace(tzinfo=UTC).timestamp(),
            "metadata": dict(found.metadata),
            "tags": self._objects.tagger.get_tag_dict_for_resource(found.arn),
        }
        return [*filter(None, [self._journal.set_object(StoredObject(bucket, found.name, found.file, facts))])]

    def _restore_object(self, stored: StoredObject) -> None:
        facts = stored.facts
        key = FakeKey(
            stored.key, b"", ACCOUNT, REGION, etag=facts["etag"], version_id="null", bucket_name=stored.bucket
        )
        self._journal.remove_file(vars(key)["file"])  # of no bytes
        vars(key).update(file=stored.file, contentsize=facts["size"])
        key.last_modified = datetime.fromtimestamp(facts["modified"], UTC).replace(tzinfo=None)
        key.set_metadata(dict(facts["metadata"]))
        self._objects.buckets[stored.bucket].keys.setlist(stored.key, [key])
        if facts["tags"]:
            self._objects.put_object_tagging(key, facts["tags"])

    def _expired_objects(self, now: datetime) -> Iterator[tuple[str, str]]:
        rules = [(bucket.name, rule) for bucket in self._buckets for rule in bucket.lifecycle]
        for bucket, rule in rules:
            if "ExpirationInDays" not in rule:
                continue
            before = (now - timedelta(days=int(rule["ExpirationInDays"]))).replace(tzinfo=None)
            for name, key in list(self._objects.buckets[bucket].keys.items()):
                if name.startswith(rule.get("Prefix", "")) and key.last_modified.replace(tzinfo=None) < before:
                    yield bucket, name


def _all(queue: Queue) -> list[Message]:
    """List the messages of a queue, those too that are being worked on."""
    return queue._messages  # noqa: SLF001 - moto has no name for all of them


def _message(facts: Mapping[str, Any]) -> Message:
    message = Message(facts["id"], facts["body"], facts["system_attributes"])
    for name in _KEPT:
        setattr(message, name, facts[name])
    return message


def _named_items(operation: str, body: bytes) -> Iterator[tuple[str, str]]:
    """Yield table and item, or key, of every write that a request to DynamoDB names."""
    if operation not in {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}:
        return
    request = json.loads(body)
    if operation == "TransactWriteItems":
        writes = [write for entry in request.get("TransactItems", []) for write in entry.values()]
    elif operation == "BatchWriteItem":
        by_table = request.get("RequestItems", {})
        writes = [
            {**write, "TableName": table}
            for table, entries in by_table.items()
            for entry in entries
            for write in entry.values()
        ]
    else:
        writes = [request]
    for write in writes:
        yield write.get("TableName", ""), json.dumps(write.get("Item") or write.get("Key") or {}, sort_keys=True)


def _keep_bytes_in_files(journal: Journal) -> None:
    """Have moto keep the bytes of objects in the journal's files, not in memory."""

    def read(key: Any) -> bytes:
        return journal.read_file(key.file)

    def write(key: Any, data: bytes) -> None:
        key.file = journal.write_file(data)
        key.contentsize = len(data)
        key._etag = key._etag or hashlib.md5(data, usedforsecurity=False).hexdigest()  # noqa: SLF001 - S3's own ETag

    FakeKey.value = property(read, write)  # type: ignore[assignment]
