from pathlib import Path

import pytest

from local.intrinsics import TemplateError
from local.resources import EventSource, Notification, Queue, Route, Template
from local.template import load_template

TOY = Path(__file__).parent / "toy.yaml"


@pytest.fixture(scope="module")
def toy() -> Template:
    return load_template(TOY)


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = TOY.read_text()
    assert old in text
    path = tmp_path / "template.yaml"
    path.write_text(text.replace(old, new))
    return path


def test_a_zip_function_has_its_folder_handler_and_layer(toy):
    echo = toy.functions["Echo"]
    assert (echo.package, echo.module, echo.attribute) == ("Zip", "app", "handler")
    assert echo.folder == TOY.parent / "echo"
    assert echo.layers == (TOY.parent / "layer",)


def test_an_image_function_runs_its_command_from_the_context_with_the_layers_inside(toy):
    slow = toy.functions["Slow"]
    assert (slow.package, slow.module, slow.attribute) == ("Image", "functions.slow.app", "handler")
    assert slow.folder == TOY.parent
    assert slow.layers == (TOY.parent / "layer",)


def test_globals_are_defaults_of_the_functions(toy):
    assert (toy.functions["Echo"].timeout_s, toy.functions["Slow"].timeout_s) == (2, 60)
    assert toy.functions["Echo"].memory_mb == 512
    assert toy.functions["Slow"].environment == {"LOG_LEVEL": "INFO", "SHARED": "globals"}


def test_intrinsic_functions_resolve_to_local_names(toy):
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/cutout-local-Things"
    assert toy.functions["Echo"].environment == {
        "LOG_LEVEL": "INFO",
        "SHARED": "own",
        "TABLE": "cutout-local-Things",
        "TABLE_ARN": arn,
        "CUTOUT_ACCOUNTS_TABLE": "cutout-local-Accounts",
        "CUTOUT_RESULTS_BUCKET": "cutout-local-files-123456789012",
        "NEXT": "cutout-local-Slow",
        "TEXT": "cutout-local/cutout-local-Slow/${Literal}/" + arn,
        "MODE": "plain",
        "LIST": "a-prod",
        "SWITCH": "true",
    }


def test_a_queue_has_its_times_and_its_dead_letter_queue(toy):
    assert toy.queues["Inbox"] == Queue(
        logical_id="Inbox",
        name="cutout-local-Inbox",
        visibility_s=12,
        retention_s=86_400,
        dead_letter_arn="arn:aws:sqs:us-east-1:123456789012:cutout-local-lost",
        max_receives=3,
    )
    assert (toy.queues["Lost"].visibility_s, toy.queues["Lost"].dead_letter_arn) == (30, "")


def test_a_reference_to_a_queue_is_its_url(toy):
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/cutout-local-Inbox"
    assert toy.functions["Consumer"].environment["QUEUE_URL"] == url


def test_a_source_feeds_a_function_from_a_queue(toy):
    expected = EventSource(
        "ConsumerSource", queue="Inbox", function="Consumer", batch_size=3, concurrency=2, partial=True
    )
    assert toy.sources == {"ConsumerSource": expected}


def test_a_bucket_has_its_notifications_with_queue_and_filter(toy):
    arn = "arn:aws:sqs:us-east-1:123456789012:cutout-local-Inbox"
    assert toy.buckets["Files"].notifications == (Notification("s3:ObjectCreated:*", arn, (("prefix", "in/"),)),)


def test_given_parameters_win_over_defaults():
    template = load_template(TOY, {"Domain": "example.org", "Memory": "1024"})
    assert template.functions["Echo"].memory_mb == 1024
    assert template.functions["Echo"].environment["MODE"] == "domain"


def test_routes_are_those_of_the_functions_events(toy):
    assert toy.stage == "prod"
    assert toy.routes == (
        Route("ANY", "/echo", "Echo"),
        Route("POST", "/only", "Echo"),
        Route("GET", "/things/{id}", "Echo"),
        Route("ANY", "/stream", "Echo", streams=True),
        Route("ANY", "/rest/{proxy+}", "Echo"),
        Route("ANY", "/slow", "Slow"),
    )


def test_gateway_responses_keep_status_headers_and_templates(toy):
    response = toy.gateway_responses["MISSING_AUTHENTICATION_TOKEN"]
    assert response.status == 404
    assert response.headers == {"x-request-id": "context.requestId", "x-made-by": "'gateway'"}
    assert "$context.error.messageString" in response.templates["application/json"]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("SWITCH: true", "SWITCH: !ImportValue other", "Fn::ImportValue"),
        ("SWITCH: true", "SWITCH: !Ref Nobody", "Ref Nobody"),
        ("SWITCH: true", "SWITCH: !GetAtt Things.StreamArn", "Things.StreamArn"),
        ("SWITCH: true", "SWITCH: !If [Nowhere, 1, 2]", "condition Nowhere"),
        ("SWITCH: true", "SWITCH: !FindInMap [Days, prod, Gone]", "Days.prod.Gone"),
        ("Type: AWS::Logs::LogGroup", "Type: AWS::Kinesis::Stream", "AWS::Kinesis::Stream"),
        ("Any: {Type: Api,", "Any: {Type: HttpApi,", "HttpApi"),
        ("BillingMode: PAY_PER_REQUEST", "StreamSpecification: {StreamViewType: KEYS_ONLY}", "StreamSpecification"),
        ("BucketName:", "ReplicationConfiguration: {}\n      BucketName:", "ReplicationConfiguration"),
        ("BucketName:", "VersioningConfiguration: {}\n      BucketName:", "VersioningConfiguration"),
        ("VisibilityTimeout: 12", "DelaySeconds: 12", "DelaySeconds"),
        ("maxReceiveCount: 3", "redriveSometimes: 3", "redriveSometimes"),
        ("[ReportBatchItemFailures]", "[ReportNothing]", "ReportNothing"),
        ("{MaximumConcurrency: 2}", "{ProvisionedPollers: 2}", "ProvisionedPollers"),
        ("BatchSize: 3", "FilterCriteria: {}", "FilterCriteria"),
        ("EventSourceArn: !GetAtt Inbox.Arn", "EventSourceArn: !GetAtt Things.Arn", "ConsumerSource"),
        ("QueueConfigurations:", "LambdaConfigurations:", "LambdaConfigurations"),
        ("Queue: !GetAtt Inbox.Arn", "Topic: a-topic", "Topic"),
        ("Layers: [!Ref Layer]", "Layers: ['arn:aws:lambda:x:1:layer:theirs:3']", "layer:theirs:3"),
        ("      ImageConfig:", "      FileSystemConfigs: []\n      ImageConfig:", "FileSystemConfigs"),
        ('BinaryMediaTypes: ["*/*"]', "BinaryMediaTypes: [image/png]", "BinaryMediaTypes"),
        ("x-request-id: context.requestId", "x-request-id: method.request.header.x", "method.request.header.x"),
    ],
)
def test_what_cannot_be_run_locally_is_named_and_not_skipped(tmp_path, old, new, named):
    with pytest.raises(TemplateError, match=named.replace("[", r"\[")):
        load_template(changed(tmp_path, old, new))


@pytest.mark.parametrize("text", ["a: [", "just text"])
def test_a_file_that_is_no_template_is_refused(tmp_path, text):
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(TemplateError):
        load_template(path)
