"""``template.yaml`` as values: what has to run, where it is reached and what it stores.

The template is the only table of routes, functions, tables and buckets. Nothing in it is skipped by accident: a
resource type, an event or a property that means something and cannot be had on a laptop is a TemplateError.
This module starts nothing and knows no process, port or client.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from local.intrinsics import Names, Resolver, TemplateError, read_yaml
from local.resources import Bucket, Function, GatewayResponse, Route, Table, Template

ACCOUNT = "123456789012"
"""The AWS account that moto plays."""
REGION = "us-east-1"
STACK = "cutout-local"

# Resources and function properties that a laptop has no use for: rights, alarms, domains, concurrency, tracing.
_NOT_LOCAL = (
    "AWS::ApiGateway::", "AWS::ApplicationAutoScaling::", "AWS::CertificateManager::", "AWS::CloudWatch::",
    "AWS::IAM::", "AWS::Lambda::Permission", "AWS::Logs::", "AWS::Route53::", "AWS::S3::BucketPolicy", "AWS::SNS::",
    "AWS::WAFv2::",
)  # fmt: skip
_FUNCTION_NOT_LOCAL = {
    "Architectures", "AutoPublishAlias", "AutoPublishAliasAllProperties", "AutoPublishCodeSha256",
    "DeploymentPreference", "Description", "EphemeralStorage", "FunctionName", "ImageUri", "LoggingConfig", "Policies",
    "ProvisionedConcurrencyConfig", "ReservedConcurrentExecutions", "Runtime", "SnapStart", "Tags", "Tracing",
}  # fmt: skip
_FUNCTION_LOCAL = {
    "CodeUri", "Environment", "Events", "Handler", "ImageConfig", "Layers", "MemorySize", "PackageType", "Timeout",
}  # fmt: skip
_BUCKET_PROPERTIES = {
    "BucketEncryption", "BucketName", "LifecycleConfiguration", "OwnershipControls", "PublicAccessBlockConfiguration",
    "Tags", "VersioningConfiguration",
}  # fmt: skip
_TABLE_PROPERTIES = {
    "AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes", "KeySchema",
    "OnDemandThroughput", "PointInTimeRecoverySpecification", "SSESpecification", "TableName", "Tags",
    "TimeToLiveSpecification",
}  # fmt: skip
# The resource types that are run, with the property that may name one.
_NAME_PROPERTY = {
    "AWS::Serverless::Api": "Name",
    "AWS::Serverless::Function": "FunctionName",
    "AWS::Serverless::LayerVersion": "LayerName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::S3::Bucket": "BucketName",
}


def load_template(path: Path, parameters: Mapping[str, str] | None = None) -> Template:
    """Read a SAM template; parameters override the defaults. Raises TemplateError, naming what cannot be run."""
    document = read_yaml(path.read_text())
    return _Reader(document, path.parent.resolve(), parameters or {}).template()


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
            for attribute, value in _attributes(resource["Type"], names[logical_id])
        }
        resolvable = Names(known, names, attributes)
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
            tables={logical_id: self._table(logical_id) for logical_id in self._of("AWS::DynamoDB::Table")},
            buckets={logical_id: self._bucket(logical_id) for logical_id in self._of("AWS::S3::Bucket")},
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

    def _table(self, logical_id: str) -> Table:
        properties = self._values.resolve(self._properties(logical_id, _TABLE_PROPERTIES))
        ttl = properties.get("TimeToLiveSpecification", {})
        return Table(
            logical_id=logical_id,
            name=self._names[logical_id],
            key_schema=tuple(properties["KeySchema"]),
            attributes=tuple(properties["AttributeDefinitions"]),
            indexes=tuple(properties.get("GlobalSecondaryIndexes", [])),
            ttl_attribute=ttl["AttributeName"] if ttl.get("Enabled") else "",
        )

    def _bucket(self, logical_id: str) -> Bucket:
        properties = self._values.resolve(self._properties(logical_id, _BUCKET_PROPERTIES))
        rules = properties.get("LifecycleConfiguration", {}).get("Rules", [])
        return Bucket(logical_id, self._names[logical_id], tuple(rules))


def _attributes(kind: str, name: str) -> Iterator[tuple[str, str]]:
    if kind == "AWS::Serverless::Function":
        yield "Arn", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    elif kind == "AWS::DynamoDB::Table":
        yield "Arn", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
    elif kind == "AWS::S3::Bucket":
        yield "Arn", f"arn:aws:s3:::{name}"


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
