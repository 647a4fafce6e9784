import json

import pytest
from aws_lambda_powertools.utilities.data_classes import SQSEvent

from local.sqs_events import failed_ids, sqs_event

ARN = "arn:aws:sqs:us-east-1:123456789012:inbox"
MESSAGE = {
    "MessageId": "m-1",
    "ReceiptHandle": "r-1",
    "MD5OfBody": "5d41402abc4b2a76b9719d911017c592",
    "Body": "hello",
    "Attributes": {"ApproximateReceiveCount": "2", "SentTimestamp": "1767225600000"},
    "MessageAttributes": {"kind": {"StringValue": "thing", "DataType": "String"}},
}


def test_a_message_becomes_a_record_as_lambda_writes_it():
    (record,) = sqs_event([MESSAGE], ARN)["Records"]
    assert record == {
        "messageId": "m-1",
        "receiptHandle": "r-1",
        "body": "hello",
        "attributes": {"ApproximateReceiveCount": "2", "SentTimestamp": "1767225600000"},
        "messageAttributes": {
            "kind": {
                "stringValue": "thing",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            }
        },
        "md5OfBody": "5d41402abc4b2a76b9719d911017c592",
        "eventSource": "aws:sqs",
        "eventSourceARN": ARN,
        "awsRegion": "us-east-1",
    }


def test_powertools_reads_the_event():
    records = list(SQSEvent(sqs_event([MESSAGE, MESSAGE | {"MessageId": "m-2"}], ARN)).records)
    assert [record.message_id for record in records] == ["m-1", "m-2"]
    assert records[0].queue_url == "https://sqs.us-east-1.amazonaws.com/123456789012/inbox"
    assert records[0].attributes.approximate_receive_count == "2"


@pytest.mark.parametrize(
    ("response", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
        ({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": "stranger"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, {"a", "b"}),
        ({"batchItemFailures": [{"messageId": "a"}]}, {"a", "b"}),
        ({"batchItemFailures": ["a"]}, {"a", "b"}),
        ({"batchItemFailures": 7}, {"a", "b"}),
        (["a"], {"a", "b"}),
        ("fine", {"a", "b"}),
    ],
)
def test_a_response_names_failed_messages_by_lambdas_rules(response, failed):
    assert failed_ids(json.dumps(response).encode(), {"a", "b"}) == failed


def test_a_response_that_is_not_json_means_that_all_failed():
    assert failed_ids(b"oops", {"a", "b"}) == {"a", "b"}
