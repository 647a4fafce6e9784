"""The parts of ``template.yaml`` that a laptop can run, as values. Knows neither YAML nor CloudFormation."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function. module and attribute: the handler; folder: its code, or the context of its image.

    layers: folders that Lambda would put on the import path (zip), or that the image carries inside.
    """

    logical_id: str
    name: str
    package: Literal["Zip", "Image"]
    module: str
    attribute: str
    folder: Path
    layers: tuple[Path, ...]
    timeout_s: int
    memory_mb: int
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Route:
    """A method (or ANY) of a resource path (``/v2/jobs/{id}``) and the logical id of the function behind it."""

    method: str
    path: str
    function: str


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table; keys, attributes and indexes as CreateTable takes them."""

    logical_id: str
    name: str
    key_schema: tuple[Mapping[str, str], ...]
    attributes: tuple[Mapping[str, str], ...]
    indexes: tuple[Mapping[str, Any], ...]
    ttl_attribute: str


@dataclass(frozen=True, slots=True)
class Notification:
    """What a bucket tells a queue: an event (``s3:ObjectCreated:*``) of keys that fit every rule (name, value)."""

    event: str
    queue_arn: str
    rules: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Bucket:
    """An S3 bucket. lifecycle and cors: rules as CloudFormation writes them."""

    logical_id: str
    name: str
    lifecycle: tuple[Mapping[str, Any], ...]
    cors: tuple[Mapping[str, Any], ...]
    notifications: tuple[Notification, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS queue. dead_letter_arn: where messages go that were received max_receives times; empty: nowhere."""

    logical_id: str
    name: str
    visibility_s: int
    retention_s: int
    dead_letter_arn: str
    max_receives: int


@dataclass(frozen=True, slots=True)
class EventSource:
    """A queue that feeds a function (both logical ids). concurrency: most events at one time; 0: no bound.

    partial: the function's answer names the messages that failed (ReportBatchItemFailures).
    """

    logical_id: str
    queue: str
    function: str
    batch_size: int
    concurrency: int
    partial: bool


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """How the gateway words an error of its own. status None: the error's usual one.

    templates: body templates by media type; headers: ``'literal'`` or ``context.name``, by header name.
    """

    status: int | None
    templates: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Template:
    """All that the local service takes from ``template.yaml``; mappings are by logical id or response type."""

    stage: str
    functions: Mapping[str, Function]
    routes: tuple[Route, ...]
    tables: Mapping[str, Table]
    buckets: Mapping[str, Bucket]
    queues: Mapping[str, Queue]
    sources: Mapping[str, EventSource]
    gateway_responses: Mapping[str, GatewayResponse]
