"""A toy function behind a queue: it stores the records of its events, and fails as a message asks it to."""

import json
import os
import time

import boto3

table = boto3.client("dynamodb")


def handler(event, context):
    failed = []
    for record in event["Records"]:
        store(record)
        body = json.loads(record["body"])
        receives = int(record["attributes"]["ApproximateReceiveCount"])
        failure = body.get("how") if receives <= body.get("times", 1) else None
        if failure == "fail":
            failed.append({"itemIdentifier": record["messageId"]})
        elif failure:
            FAILURES[failure]()
    return {"batchItemFailures": failed}


def store(record):
    """Put one item for each receive, with the process that received it."""
    receives = record["attributes"]["ApproximateReceiveCount"]
    item = {"pk": {"S": f"{record['messageId']}/{receives}"}, "pid": {"N": str(os.getpid())}}
    table.put_item(TableName=os.environ["TABLE"], Item={**item, "record": {"S": json.dumps(record)}})


def fail():
    raise ValueError("no such luck")


FAILURES = {"raise": fail, "exit": lambda: os._exit(3), "sleep": lambda: time.sleep(60)}
