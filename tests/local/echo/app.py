"""A toy zip function: it returns its event, environment and context, or fails as the query asks it to."""

import json
import os
import sys
import time
from pathlib import Path

import toylayer


def handler(event, context):
    query = event.get("queryStringParameters") or {}
    how = query.get("how", "echo")
    if how == "echo":
        return respond({"event": event, "env": dict(os.environ), "context": describe(context), "layer": toylayer.NAME})
    if how == "path":
        return respond({"path": sys.path, "cwd": str(Path.cwd()), "pid": os.getpid()})
    if how == "stream":
        return Streamed(int(query.get("size", "0")), query.get("end", ""))
    return FAILURES[how]()


def respond(document):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(document)}


def describe(context):
    return {
        "id": context.aws_request_id,
        "name": context.function_name,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "left_ms": context.get_remaining_time_in_millis(),
    }


def fail():
    raise ValueError("no such luck")


class Streamed:
    """A streamed answer, which ends as the query asks it to."""

    def __init__(self, size, end=""):
        self.size, self.end = size, end

    def pieces(self):
        yield b'{"statusCode": 200, "headers": {"x-kind'
        yield b'": "streamed"}}' + bytes(8)
        try:
            for _ in range(self.size // 1_000_000):
                yield b"x" * 1_000_000
        except GeneratorExit:
            sys.stdout.write("nobody takes the rest\n")
            raise
        if self.end:
            FAILURES[self.end]()
        yield b"y"


FAILURES = {
    "raise": fail,
    "sleep": lambda: time.sleep(60),
    "exit": lambda: os._exit(3),
    "bare": lambda: {"body": "no status"},
    "extra": lambda: {"statusCode": 200, "cookies": []},
    "inject": lambda: {"statusCode": 200, "headers": {"x-a": "1\r\nx-b: 2"}},
    "binary": lambda: {"statusCode": 200, "body": "AAEC/w==", "isBase64Encoded": True},
    "not-base64": lambda: {"statusCode": 200, "body": "!", "isBase64Encoded": True},
    "object": object,
    "multi": lambda: {
        "statusCode": "201",
        "headers": {"x-one": "a", "content-length": "999"},
        "multiValueHeaders": {"x-many": ["b", "c"], "x-one": ["d"]},
    },
}
