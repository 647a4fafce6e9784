"""A toy function behind a queue: writes down what it gets, and fails in the way that a message asks for."""

import json
import os
import time

import boto3

table = boto3.client("dynamodb")


def handler(event, context):
    failed = []
    for record in event["Records"]:
        note(record)
        body = json.loads(record["body"])
        how = body.get("how") if int(record["attributes"]["ApproximateReceiveCount"]) <= body.get("times", 1) else None
        if how == "fail":
            failed.append({"itemIdentifier": record["messageId"]})
        elif how:
            MISDEEDS[how]()
    return {"batchItemFailures": failed}


def note(record):
    """One item a receive, which says who got it."""
    count = record["attributes"]["ApproximateReceiveCount"]
    item = {"pk": {"S": f"{record['messageId']}/{count}"}, "pid": {"N": str(os.getpid())}}
    table.put_item(TableName=os.environ["TABLE"], Item={**item, "record": {"S": json.dumps(record)}})


def fail():
    raise ValueError("no such luck")


MISDEEDS = {"raise": fail, "exit": lambda: os._exit(3), "sleep": lambda: time.sleep(60)}
