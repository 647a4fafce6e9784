"""``template.yaml`` as values: what has to run, where it is reached and what it stores.

The template is the only table of routes, functions, tables, buckets and queues. Nothing in it is skipped by accident: a
resource type, an event or a property that means something and cannot be had on a laptop is a TemplateError.
This module starts nothing and knows no process, port or client.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from local import storage
from local.intrinsics import Names, Resolver, TemplateError, read_yaml
from local.resources import EventSource, Function, GatewayResponse, Route, Template

T = TypeVar("T")

ACCOUNT = "123456789012"
"""The AWS account that moto plays."""
REGION = "us-east-1"
STACK = "cutout-local"

# Resources and function properties that a laptop has no use for: rights, alarms, domains, concurrency, tracing.
_NOT_LOCAL = (
    "AWS::ApiGateway::", "AWS::ApplicationAutoScaling::", "AWS::CertificateManager::", "AWS::CloudWatch::",
    "AWS::IAM::", "AWS::Lambda::Permission", "AWS::Logs::", "AWS::Route53::", "AWS::S3::BucketPolicy", "AWS::SNS::",
    "AWS::SQS::QueuePolicy", "AWS::Serverless::Application", "AWS::WAFv2::",
)  # fmt: skip
_FUNCTION_NOT_LOCAL = {
    "Architectures", "AutoPublishAlias", "AutoPublishAliasAllProperties", "AutoPublishCodeSha256",
    "DeploymentPreference", "Description", "EphemeralStorage", "FunctionName", "ImageUri", "LoggingConfig", "Policies",
    "ProvisionedConcurrencyConfig", "ReservedConcurrentExecutions", "Runtime", "SnapStart", "Tags", "Tracing",
}  # fmt: skip
_FUNCTION_LOCAL = {
    "CodeUri", "Environment", "Events", "Handler", "ImageConfig", "Layers", "MemorySize", "PackageType", "Timeout",
}  # fmt: skip
# The resource types that are run, with the property that may name one.
_NAME_PROPERTY = {
    "AWS::Serverless::Api": "Name",
    "AWS::Serverless::Function": "FunctionName",
    "AWS::Serverless::LayerVersion": "LayerName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Lambda::EventSourceMapping": "",
}


def load_template(path: Path, parameters: Mapping[str, str] | None = None) -> Template:
    """Read a SAM template; parameters override the defaults. Raises TemplateError, naming what cannot be run."""
    document = read_yaml(path.read_text())
    return _Reader(document, path.parent.resolve(), parameters or {}).template()


def queue_arn(name: str) -> str:
    """The ARN of a queue."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


class _Reader:
    def __init__(self, document: Mapping[str, Any], root: Path, parameters: Mapping[str, str]) -> None:
        self._root = root
        self._document = document
        defaults = {
            name: str(declared["Default"])
            for name, declared in document.get("Parameters", {}).items()
            if "Default" in declared
        }
        known = {**_pseudo_parameters(), **defaults, **parameters}
        self._values = Resolver(Names(known, {}, {}), document.get("Conditions", {}), document.get("Mappings", {}))
        self._resources = {
            logical_id: resource
            for logical_id, resource in document["Resources"].items()
            if "Condition" not in resource or self._values.condition(resource["Condition"])
        }
        names = {logical_id: self._name(logical_id, resource) for logical_id, resource in self._resources.items()}
        attributes = {
            (logical_id, attribute): value
            for logical_id, resource in self._resources.items()
            for attribute, value in _attributes(resource["Type"], names[logical_id]).items()
        }
        refs = {logical_id: _ref(self._resources[logical_id]["Type"], name) for logical_id, name in names.items()}
        resolvable = Names(known, refs, attributes)
        self._values = Resolver(resolvable, document.get("Conditions", {}), document.get("Mappings", {}))
        self._names = names

    def template(self) -> Template:
        for logical_id, resource in self._resources.items():
            kind = resource["Type"]
            if kind not in _NAME_PROPERTY and not kind.startswith(_NOT_LOCAL):
                raise TemplateError(f"{logical_id}: {kind} cannot be run locally")
        api = self._api()
        functions = {logical_id: self._function(logical_id) for logical_id in self._of("AWS::Serverless::Function")}
        return Template(
            stage=str(api.get("StageName", "local")),
            functions=functions,
            routes=tuple(route for logical_id in functions for route in self._routes(logical_id)),
            tables=self._each("AWS::DynamoDB::Table", storage.table),
            buckets=self._each("AWS::S3::Bucket", storage.bucket),
            queues=self._each("AWS::SQS::Queue", storage.queue),
            sources=self._each("AWS::Lambda::EventSourceMapping", self._source),
            gateway_responses={
                kind: _gateway_response(kind, response) for kind, response in api.get("GatewayResponses", {}).items()
            },
        )

    def _of(self, kind: str) -> list[str]:
        return [logical_id for logical_id, resource in self._resources.items() if resource["Type"] == kind]

    def _name(self, logical_id: str, resource: Mapping[str, Any]) -> str:
        given = resource.get("Properties", {}).get(_NAME_PROPERTY.get(resource["Type"], ""))
        if given is not None:
            return str(self._values.resolve(given))
        name = f"{STACK}-{logical_id}"
        return name.lower() if resource["Type"] == "AWS::S3::Bucket" else name

    def _properties(self, logical_id: str, known: set[str]) -> dict[str, Any]:
        properties: dict[str, Any] = self._resources[logical_id].get("Properties", {})
        unknown = sorted(properties.keys() - known)
        if unknown:
            raise TemplateError(f"{logical_id}: no local meaning for {', '.join(unknown)}")
        return properties

    def _api(self) -> dict[str, Any]:
        apis = self._of("AWS::Serverless::Api")
        if len(apis) != 1:
            raise TemplateError(f"one AWS::Serverless::Api is served locally, the template has {len(apis)}")
        merged = _merge(self._document.get("Globals", {}).get("Api", {}), self._resources[apis[0]]["Properties"])
        used = ("StageName", "GatewayResponses", "BinaryMediaTypes")
        api: dict[str, Any] = self._values.resolve({key: merged[key] for key in used if key in merged})
        if "*/*" not in api.get("BinaryMediaTypes", []):
            raise TemplateError("BinaryMediaTypes must have */*: bodies are carried in base64, whatever their type")
        return api

    def _function(self, logical_id: str) -> Function:
        own = self._properties(logical_id, _FUNCTION_LOCAL | _FUNCTION_NOT_LOCAL)
        merged = _merge(self._document.get("Globals", {}).get("Function", {}), own)
        used: dict[str, Any] = self._values.resolve(
            {key: value for key, value in merged.items() if key in _FUNCTION_LOCAL - {"Events"}}
        )
        package: Literal["Zip", "Image"] = "Image" if used.get("PackageType") == "Image" else "Zip"
        handler = used["ImageConfig"]["Command"][0] if package == "Image" else used["Handler"]
        module, _, attribute = handler.rpartition(".")
        context = self._resources[logical_id].get("Metadata", {}).get("DockerContext", ".")
        layers = {self._names[layer]: self._layer(layer) for layer in self._of("AWS::Serverless::LayerVersion")}
        foreign = [layer for layer in used.get("Layers", []) if layer not in layers]
        if foreign:
            raise TemplateError(f"{logical_id}: layer {foreign[0]} is not in the template")
        return Function(
            logical_id=logical_id,
            name=self._names[logical_id],
            package=package,
            module=module,
            attribute=attribute,
            folder=(self._root / (context if package == "Image" else used["CodeUri"])).resolve(),
            layers=tuple(layers.values() if package == "Image" else map(layers.__getitem__, used.get("Layers", []))),
            timeout_s=int(used.get("Timeout", 3)),
            memory_mb=int(used.get("MemorySize", 128)),
            environment={key: _text(value) for key, value in used.get("Environment", {}).get("Variables", {}).items()},
        )

    def _layer(self, logical_id: str) -> Path:
        content: str = self._values.resolve(self._resources[logical_id]["Properties"]["ContentUri"])
        return (self._root / content).resolve()

    def _routes(self, logical_id: str) -> Iterator[Route]:
        for name, event in self._resources[logical_id]["Properties"].get("Events", {}).items():
            if event["Type"] != "Api":
                raise TemplateError(f"{logical_id}: event {name} of type {event['Type']} cannot be served locally")
            properties = self._values.resolve({key: event["Properties"][key] for key in ("Path", "Method")})
            yield Route(properties["Method"].upper(), properties["Path"], logical_id)

    def _each(self, kind: str, read: Callable[[str, str, dict[str, Any]], T]) -> dict[str, T]:
        """Every resource of a type as what ``read`` makes of its logical id, its name and its resolved properties."""
        return {
            logical_id: read(
                logical_id,
                self._names[logical_id],
                self._values.resolve(self._properties(logical_id, storage.PROPERTIES[kind])),
            )
            for logical_id in self._of(kind)
        }

    def _source(self, logical_id: str, _: str, properties: dict[str, Any]) -> EventSource:
        arns = {
            _attributes("AWS::SQS::Queue", self._names[queue])["Arn"]: queue for queue in self._of("AWS::SQS::Queue")
        }
        functions = {self._names[function]: function for function in self._of("AWS::Serverless::Function")}
        name, _, _ = properties["FunctionName"].partition(":")  # an alias is the function itself
        queue, function = arns.get(properties["EventSourceArn"]), functions.get(name)
        if queue is None or function is None:
            raise TemplateError(f"{logical_id}: only a queue of the template can feed a function of the template")
        return storage.source(logical_id, queue, function, properties)


def _ref(kind: str, name: str) -> str:
    """What ``Ref`` gives: for a queue its URL, else the name."""
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}" if kind == "AWS::SQS::Queue" else name


def _attributes(kind: str, name: str) -> dict[str, str]:
    """What ``GetAtt`` gives, by attribute."""
    match kind:
        case "AWS::Serverless::Function":
            return {"Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"}
        case "AWS::DynamoDB::Table":
            return {"Arn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"}
        case "AWS::S3::Bucket":
            return {"Arn": f"arn:aws:s3:::{name}"}
        case "AWS::SQS::Queue":
            return {"Arn": queue_arn(name), "QueueName": name}
        case _:
            return {}


def _pseudo_parameters() -> dict[str, str]:
    return {
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        "AWS::Region": REGION,
        "AWS::StackName": STACK,
        "AWS::URLSuffix": "amazonaws.com",
    }


def _merge(base: Any, own: Any) -> Any:
    """SAM's rule for Globals: maps are merged, lists are joined, anything else is replaced."""
    if isinstance(base, dict) and isinstance(own, dict):
        return {key: _merge(base[key], own[key]) if key in base and key in own else {**base, **own}[key]
                for key in [*base, *(key for key in own if key not in base)]}  # fmt: skip
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
