"""The parts of ``template.yaml`` that run locally, as values. The module knows neither YAML nor CloudFormation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function.

    Attributes:
        logical_id: Its name in the template.
        name: Its name as ``Ref`` gives it.
        package: A zip file with layers, or a container image.
        module: The module of the handler, dotted.
        attribute: The handler in that module.
        folder: Its code, or the build context of its image.
        layers: Folders on the import path besides ``folder``.
        timeout_s: Seconds after which an invocation is ended.
        memory_mb: Memory in MB, as the context object says; not enforced.
        environment: Variables of the template.
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
    """A method (or ``ANY``) of a resource path (``/v2/jobs/{id}``) and the logical id of the function behind it.

    Attributes:
        streams: Whether its integration passes the answer on in pieces.
    """

    method: str
    path: str
    function: str
    streams: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table; keys, attributes and indexes are as CreateTable takes them.

    Attributes:
        ttl_attribute: Attribute with the time at which an item expires; empty: items do not expire.
    """

    logical_id: str
    name: str
    key_schema: tuple[Mapping[str, str], ...]
    attributes: tuple[Mapping[str, str], ...]
    indexes: tuple[Mapping[str, Any], ...]
    ttl_attribute: str


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification from a bucket to a queue.

    Attributes:
        event: The type of event (``s3:ObjectCreated:*``).
        rules: Filters of the key as (name, value), all of which must fit: ``("prefix", "uploads/")``.
    """

    event: str
    queue_arn: str
    rules: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Bucket:
    """An S3 bucket; the rules of lifecycle and CORS are as CloudFormation writes them."""

    logical_id: str
    name: str
    lifecycle: tuple[Mapping[str, Any], ...]
    cors: tuple[Mapping[str, Any], ...]
    notifications: tuple[Notification, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS queue.

    Attributes:
        visibility_s: Seconds for which a received message is hidden.
        retention_s: Seconds after which a message is dropped.
        dead_letter_arn: ARN of the queue for messages that were received ``max_receives`` times; empty: there is none.
    """

    logical_id: str
    name: str
    visibility_s: int
    retention_s: int
    dead_letter_arn: str
    max_receives: int


@dataclass(frozen=True, slots=True)
class EventSource:
    """A mapping from a queue to a function, both by logical id.

    Attributes:
        batch_size: Most messages of one event.
        concurrency: Most events at one time; 0: no bound.
        partial: Whether the function's response names the messages that failed (ReportBatchItemFailures).
    """

    logical_id: str
    queue: str
    function: str
    batch_size: int
    concurrency: int
    partial: bool


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """The template's wording of an error of the gateway itself.

    Attributes:
        status: HTTP status; None: the usual one of the error.
        templates: Templates of the body by media type.
        headers: ``'literal'`` or ``context.name`` by header name.
    """

    status: int | None
    templates: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Template:
    """The parts of ``template.yaml`` that run locally; mappings are by logical id or by response type."""

    stage: str
    functions: Mapping[str, Function]
    routes: tuple[Route, ...]
    tables: Mapping[str, Table]
    buckets: Mapping[str, Bucket]
    queues: Mapping[str, Queue]
    sources: Mapping[str, EventSource]
    gateway_responses: Mapping[str, GatewayResponse]
    stage_variables: Mapping[str, str] = field(default_factory=dict)
