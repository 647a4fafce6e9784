"""``template.yaml`` as values: functions, routes and storage of the local service.

The template is the only table of routes, functions, tables, buckets and queues. A resource type, an event or a property
that has a meaning and is not emulated is a TemplateError. The module starts nothing and knows no process or client.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from local import storage
from local.intrinsics import Resolver, TemplateError, read_yaml
from local.resource_types import FUNCTION_PROPERTIES, LEFT_OUT, RUN, ResourceType
from local.resources import EventSource, Function, GatewayResponse, Route, Template

T = TypeVar("T")

ACCOUNT = "123456789012"
"""The AWS account that moto emulates."""
REGION = "us-east-1"
STACK = "cutout-local"

_PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}


def load_template(path: Path, parameters: Mapping[str, str] | None = None) -> Template:
    """Read a SAM template.

    Args:
        path: The template; paths inside it are relative to its folder.
        parameters: Values of template parameters in place of their defaults.

    Returns:
        The parts that run locally, without intrinsic functions.

    Raises:
        TemplateError: The template has a part that cannot be run locally; the message names it.
    """
    return _Reader(read_yaml(path.read_text()), path.parent.resolve(), parameters or {}).template()


def queue_arn(name: str) -> str:
    """Return the ARN of a queue."""
    return _fill(RUN["AWS::SQS::Queue"].attributes["Arn"], name)


def _fill(text: str, name: str) -> str:
    return text.format(account=ACCOUNT, region=REGION, name=name)


class _Reader:
    def __init__(self, document: Mapping[str, Any], root: Path, parameters: Mapping[str, str]) -> None:
        self._root = root
        self._document = document
        declared = document.get("Parameters", {}).items()
        defaults = {name: str(parameter["Default"]) for name, parameter in declared if "Default" in parameter}
        self._resolver = Resolver({**_PSEUDO_PARAMETERS, **defaults, **parameters}, document)
        self._resources: dict[str, dict[str, Any]] = {
            logical_id: resource
            for logical_id, resource in document["Resources"].items()
            if "Condition" not in resource or self._resolver.condition(resource["Condition"])
        }
        types = {logical_id: _type_of(logical_id, resource["Type"]) for logical_id, resource in self._resources.items()}
        self._names = {logical_id: self._name(logical_id, kind) for logical_id, kind in types.items()}
        for logical_id, kind in types.items():
            name = self._names[logical_id]
            self._resolver.values[logical_id] = _fill(kind.ref, name)
            for attribute, text in kind.attributes.items():
                self._resolver.values[f"{logical_id}.{attribute}"] = _fill(text, name)

    def template(self) -> Template:
        api = self._api()
        functions = {logical_id: self._function(logical_id) for logical_id in self._of("AWS::Serverless::Function")}
        return Template(
            stage=str(api.get("StageName", "local")),
            functions=functions,
            routes=tuple(route for logical_id in functions for route in self._routes(logical_id)),
            tables=self._each("AWS::DynamoDB::Table", storage.read_table),
            buckets=self._each("AWS::S3::Bucket", storage.read_bucket),
            queues=self._each("AWS::SQS::Queue", storage.read_queue),
            sources=self._each("AWS::Lambda::EventSourceMapping", self._event_source),
            gateway_responses={
                kind: _gateway_response(kind, response) for kind, response in api.get("GatewayResponses", {}).items()
            },
            stage_variables=api.get("Variables", {}),
        )

    def _of(self, kind: str) -> list[str]:
        return [logical_id for logical_id, resource in self._resources.items() if resource["Type"] == kind]

    def _name(self, logical_id: str, kind: ResourceType) -> str:
        given = self._resources[logical_id].get("Properties", {}).get(kind.name_property)
        if given is not None:
            return str(self._resolver.resolve(given))
        name = f"{STACK}-{logical_id}"
        return name.lower() if kind is RUN["AWS::S3::Bucket"] else name

    def _properties(self, logical_id: str) -> dict[str, Any]:
        resource = self._resources[logical_id]
        properties: dict[str, Any] = resource.get("Properties", {})
        known = RUN[resource["Type"]].properties
        if known is not None:
            storage.check_properties(logical_id, properties, known)
        return properties

    def _each(self, kind: str, read: Callable[[str, str, dict[str, Any]], T]) -> dict[str, T]:
        """Read every resource of a type by its logical id, its name and its resolved properties."""
        return {
            logical_id: read(logical_id, self._names[logical_id], self._resolver.resolve(self._properties(logical_id)))
            for logical_id in self._of(kind)
        }

    def _api(self) -> dict[str, Any]:
        apis = self._of("AWS::Serverless::Api")
        if len(apis) != 1:
            raise TemplateError(f"one AWS::Serverless::Api is served locally, the template has {len(apis)}")
        merged = self._with_globals("Api", self._properties(apis[0]))
        used = ("StageName", "GatewayResponses", "BinaryMediaTypes", "Variables")
        api: dict[str, Any] = self._resolver.resolve({key: merged[key] for key in used if key in merged})
        if "*/*" not in api.get("BinaryMediaTypes", []):
            raise TemplateError("BinaryMediaTypes must have */*: bodies are carried in base64, whatever their type")
        return api

    def _function(self, logical_id: str) -> Function:
        merged = self._with_globals("Function", self._properties(logical_id))
        used: dict[str, Any] = self._resolver.resolve({key: merged[key] for key in FUNCTION_PROPERTIES & merged.keys()})
        package: Literal["Zip", "Image"] = "Image" if used.get("PackageType") == "Image" else "Zip"
        handler = used["ImageConfig"]["Command"][0] if package == "Image" else used["Handler"]
        module, _, attribute = handler.rpartition(".")
        context = self._resources[logical_id].get("Metadata", {}).get("DockerContext", ".")
        return Function(
            logical_id=logical_id,
            name=self._names[logical_id],
            package=package,
            module=module,
            attribute=attribute,
            folder=(self._root / (context if package == "Image" else used["CodeUri"])).resolve(),
            layers=tuple(self._layers(logical_id, None if package == "Image" else used.get("Layers", []))),
            timeout_s=int(used.get("Timeout", 3)),
            memory_mb=int(used.get("MemorySize", 128)),
            environment={key: _text(value) for key, value in used.get("Environment", {}).get("Variables", {}).items()},
        )

    def _layers(self, logical_id: str, used: list[str] | None) -> Iterator[Path]:
        """Yield the folders of the named layers; None: of all layers, since an image carries them inside."""
        layers = {self._names[layer]: layer for layer in self._of("AWS::Serverless::LayerVersion")}
        for name in layers if used is None else used:
            if name not in layers:
                raise TemplateError(f"{logical_id}: layer {name} is not in the template")
            content: str = self._resolver.resolve(self._properties(layers[name])["ContentUri"])
            yield (self._root / content).resolve()

    def _routes(self, logical_id: str) -> Iterator[Route]:
        for name, event in self._properties(logical_id).get("Events", {}).items():
            if event["Type"] != "Api":
                raise TemplateError(f"{logical_id}: event {name} of type {event['Type']} cannot be served locally")
            properties = self._resolver.resolve({key: event["Properties"][key] for key in ("Path", "Method")})
            streams = event["Properties"].get("ResponseTransferMode") == "RESPONSE_STREAM"
            yield Route(properties["Method"].upper(), properties["Path"], logical_id, streams)

    def _event_source(self, logical_id: str, _: str, properties: dict[str, Any]) -> EventSource:
        queues = {queue_arn(self._names[queue]): queue for queue in self._of("AWS::SQS::Queue")}
        functions = {self._names[function]: function for function in self._of("AWS::Serverless::Function")}
        name, _, _ = properties["FunctionName"].partition(":")  # an alias is the function itself
        queue, function = queues.get(properties["EventSourceArn"]), functions.get(name)
        if queue is None or function is None:
            raise TemplateError(f"{logical_id}: only a queue of the template can feed a function of the template")
        return storage.read_event_source(logical_id, queue, function, properties)

    def _with_globals(self, section: str, properties: Mapping[str, Any]) -> Any:
        return _merge(self._document.get("Globals", {}).get(section, {}), properties)


def _type_of(logical_id: str, kind: str) -> ResourceType:
    if kind not in RUN and not kind.startswith(tuple(LEFT_OUT)):
        raise TemplateError(f"{logical_id}: {kind} cannot be run locally")
    return RUN.get(kind, ResourceType(""))


def _merge(base: Any, own: Any) -> Any:
    """Merge Globals as SAM does: maps are merged, lists are joined, anything else is replaced."""
    if isinstance(base, dict) and isinstance(own, dict):
        return base | {key: _merge(base[key], value) if key in base else value for key, value in own.items()}
    if isinstance(base, list) and isinstance(own, list):
        return [*base, *own]
    return own


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _gateway_response(kind: str, response: Mapping[str, Any]) -> GatewayResponse:
    parameters = response.get("ResponseParameters", {})
    if parameters.keys() - {"Headers"}:
        raise TemplateError(f"gateway response {kind}: only Headers are understood in ResponseParameters")
    headers = parameters.get("Headers", {})
    for name, source in headers.items():
        if not (source.startswith("context.") or (source.startswith("'") and source.endswith("'"))):
            raise TemplateError(f"gateway response {kind}: header {name} must be 'text' or context.name, not {source}")
    status = response.get("StatusCode")
    return GatewayResponse(None if status is None else int(status), response.get("ResponseTemplates", {}), headers)
