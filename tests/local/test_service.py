"""``python -m local`` itself, with the toy template: processes, files, signals."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from cutout.authentication import hash_key
from cutout.aws.dynamodb.audited_transaction import AuditedTable
from cutout.aws.dynamodb.keys import DynamoKeyStore
from local import ROOT
from local.cloud import client
from local.request_bodies import MAX_BODY_BYTES
from tests.local.instance import STOP_TIMEOUT_S, TOY, Instance, command, started, wait_until_ended


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Started from a shell full of settings that must not matter."""
    shell = {
        "AWS_PROFILE": "production",
        "AWS_ENDPOINT_URL": "http://nowhere.invalid",
        "AWS_ACCESS_KEY_ID": "real",
        "AWS_CONFIG_FILE": "/etc/hostname",
        "CUTOUT_ACCOUNTS_TABLE": "production",
        "CUTOUT_URL_ALLOW": "127.0.0.1:9",
        "CUTOUT_LOCAL_KEY": "it's mine",
    }
    with started(tmp_path_factory.mktemp("state"), **shell) as instance:
        yield instance


def echo(toy: Instance, **more: Any) -> dict:
    response = httpx.request(more.pop("method", "GET"), f"{toy.url}/echo", **more)
    assert response.status_code == 200, response.text
    return response.json()


def test_a_request_over_http_becomes_an_event(toy):
    event = echo(toy, method="POST", params={"a": "1"}, content=b"\x00\x01", headers={"x-thing": "y"})["event"]
    assert (event["httpMethod"], event["resource"], event["body"]) == ("POST", "/echo", "AAE=")
    assert event["queryStringParameters"] == {"a": "1"}
    assert event["headers"]["x-thing"] == "y"
    assert event["headers"]["host"] == f"127.0.0.1:{toy.port}"
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


def test_the_shell_does_not_leak_into_the_functions_but_the_allow_list_passes(toy):
    environment = echo(toy)["env"]
    assert "AWS_PROFILE" not in environment
    assert environment["AWS_ACCESS_KEY_ID"] == "123456789012"
    assert environment["AWS_ENDPOINT_URL"] == toy.endpoints["aws"]
    assert environment["CUTOUT_ACCOUNTS_TABLE"] == "cutout-local-Accounts"
    assert environment["CUTOUT_URL_ALLOW"] == "127.0.0.1:9"
    assert environment["CUTOUT_INLINE_LIMIT_BYTES"] == "0"
    assert environment["CUTOUT_OPEN_ACCOUNT"] == toy.endpoints["account"] == "acct_local"


def test_two_requests_are_served_at_once(toy, tmp_path):
    def meet(_: int) -> httpx.Response:
        return httpx.get(f"{toy.url}/slow", params={"meet": str(tmp_path)}, timeout=60)

    with ThreadPoolExecutor(2) as pool:
        responses = list(pool.map(meet, range(2)))
    assert [response.status_code for response in responses] == [200, 200]
    assert len({response.json()["pid"] for response in responses}) == 2


def test_the_workers_of_an_image_share_the_cores(toy):
    cores = len(os.sched_getaffinity(0))
    answer = httpx.get(f"{toy.url}/slow").json()
    assert int(answer["threads"]) * max(2, cores) <= max(2, cores)
    assert answer["blas_threads"] == "1"


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("raise", 502),
        ("exit", 502),
        ("bare", 502),
        ("extra", 502),
        ("inject", 502),
        ("not-base64", 502),
        ("sleep", 504),
    ],
)
def test_a_misbehaving_function_is_the_gateways_error_and_the_next_request_works(toy, how, status):
    response = httpx.get(f"{toy.url}/echo", params={"how": how}, timeout=30)
    assert response.status_code == status
    assert echo(toy)["layer"] == "from the layer"


def test_binary_answers_arrive_decoded(toy):
    assert httpx.get(f"{toy.url}/echo", params={"how": "binary"}).content == b"\x00\x01\x02\xff"


def test_head_has_the_headers_and_no_body(toy):
    response = httpx.head(f"{toy.url}/echo")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "application/json"


def test_an_unknown_path_is_answered_by_the_gateway(toy):
    response = httpx.get(f"{toy.url}/nowhere")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("declared", [True, False])
def test_an_upload_above_the_limit_is_refused_and_the_next_request_works(toy, declared):
    def chunks() -> Iterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 1_048_576 + 1):
            yield bytes(1_048_576)

    length = {"content-length": str(MAX_BODY_BYTES + 1_048_576)} if declared else {}
    response = httpx.post(f"{toy.url}/echo", content=chunks(), headers=length, timeout=60)
    assert response.status_code == 413
    assert echo(toy)["layer"] == "from the layer"


def test_bytes_that_are_not_http_are_refused_and_the_next_request_works(toy):
    with socket.create_connection(("127.0.0.1", int(toy.port))) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    assert echo(toy)["layer"] == "from the layer"


def test_functions_invoke_functions_by_the_lambda_api(toy):
    environment = echo(toy)["env"]
    aws = client("lambda", environment["AWS_ENDPOINT_URL_LAMBDA"])
    for name in (
        "cutout-local-Slow",
        "cutout-local-Slow:live",
        "arn:aws:lambda:us-east-1:123456789012:function:cutout-local-Slow",
    ):
        answer = aws.invoke(FunctionName=name, Payload=b"{}")
        assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
        assert json.loads(json.loads(answer["Payload"].read())["body"])["layer"] == "from the layer"


def test_an_invoked_functions_exception_is_reported_to_the_invoker(toy):
    aws = client("lambda", echo(toy)["env"]["AWS_ENDPOINT_URL_LAMBDA"])
    payload = json.dumps({"queryStringParameters": {"how": "raise"}})
    answer = aws.invoke(FunctionName="cutout-local-Echo", Payload=payload)
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.loads(answer["Payload"].read())["errorMessage"] == "no such luck"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"FunctionName": "nobody"}, "ResourceNotFoundException"),
        ({"FunctionName": "cutout-local-Echo", "InvocationType": "Event"}, "InvalidParameterValueException"),
        ({"FunctionName": "cutout-local-Echo", "Payload": b"{"}, "InvalidRequestContentException"),
    ],
)
def test_an_impossible_invocation_is_refused_as_lambda_does(toy, arguments, code):
    aws = client("lambda", echo(toy)["env"]["AWS_ENDPOINT_URL_LAMBDA"])
    with pytest.raises(ClientError) as caught:
        aws.invoke(**arguments)
    assert caught.value.response["Error"]["Code"] == code


def test_the_invoke_api_is_not_a_route_of_the_api(toy):
    path = "/2015-03-31/functions/cutout-local-Echo/invocations"
    assert httpx.post(f"{toy.url}{path}", content=b"{}").status_code == 404


def test_endpoints_name_the_api_aws_buckets_and_queues(toy):
    assert toy.endpoints == {
        "api": toy.url,
        "aws": toy.endpoints["aws"],
        "region": "us-east-1",
        "account": "acct_local",
        "results_bucket": "cutout-local-files-123456789012",
        "inbox": f"{toy.endpoints['aws']}/123456789012/cutout-local-Inbox",
        "lost": f"{toy.endpoints['aws']}/123456789012/cutout-local-lost",
    }
    assert json.loads((toy.state / "endpoints.json").read_text()) == toy.endpoints


def test_the_local_account_has_the_key_that_the_user_chose(toy):
    store = DynamoKeyStore(AuditedTable(client("dynamodb", toy.endpoints["aws"]), "cutout-local-Accounts"))
    caller = store.find(hash_key("it's mine"))
    assert caller is not None
    assert caller.account.id == "acct_local"


def test_the_ready_line_quotes_the_key_for_the_shell(toy):
    assert """-H 'x-api-key: it'"'"'s mine'""" in toy.ready
    assert f" {toy.url}/v2 " in toy.ready


def test_the_output_of_functions_is_in_their_logs_and_not_on_the_console(toy):
    httpx.get(f"{toy.url}/echo", params={"how": "raise"})
    log = (toy.state / toy.port / "logs" / "cutout-local-Echo.log").read_text()
    assert "ValueError: no such luck" in log


def test_two_instances_are_independent_and_have_settings_of_their_own(toy, tmp_path):
    first = toy.endpoints
    settings = {"CUTOUT_LOCAL_WORKERS": "1", "CUTOUT_LOCAL_TIMEOUT_S": "1", "CUTOUT_OPEN_ACCOUNT": ""}
    with started(toy.state, **settings) as other:
        assert other.port != toy.port
        assert other.endpoints["aws"] != first["aws"]
        things = client("dynamodb", other.endpoints["aws"])
        things.put_item(TableName="cutout-local-Things", Item={"pk": {"S": "mine"}})
        place = {"TableName": "cutout-local-Things", "Key": {"pk": {"S": "mine"}}}
        assert "Item" in things.get_item(**place)
        assert "Item" not in client("dynamodb", first["aws"]).get_item(**place)
        assert json.loads((toy.state / "endpoints.json").read_text()) == first
        assert int(httpx.get(f"{other.url}/slow").json()["threads"]) == len(os.sched_getaffinity(0))
        assert httpx.get(f"{other.url}/echo").json()["env"]["CUTOUT_OPEN_ACCOUNT"] == ""
        assert len(other.children) == 1 + 2 + 1  # moto, two zip functions, one model
        alone = httpx.get(f"{other.url}/slow", params={"meet": str(tmp_path)}, timeout=60)
        assert alone.status_code == 504
    assert toy.endpoints == first
    assert not (toy.state / other.port / "endpoints.json").exists()
    assert echo(toy)["layer"] == "from the layer"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_quietly_even_during_a_request(tmp_path, number):
    with started(tmp_path) as instance, ThreadPoolExecutor(1) as pool:
        children = instance.children
        assert len(children) == 1 + 2 + max(2, len(os.sched_getaffinity(0)))  # moto, two zip functions, the models
        meeting = tmp_path / "meeting"
        meeting.mkdir()
        hanging = pool.submit(httpx.get, f"{instance.url}/slow", params={"meet": str(meeting)}, timeout=60)
        while not any(meeting.iterdir()):
            time.sleep(0.01)
        instance.process.send_signal(number)
        assert instance.process.wait(STOP_TIMEOUT_S) == 0
        assert instance.process.stderr.read() == ""
        wait_until_ended(children)
        assert isinstance(hanging.exception(), httpx.HTTPError) or hanging.result().status_code >= 500
        assert not (tmp_path / "endpoints.json").exists()


def test_no_child_outlives_a_killed_instance_and_the_next_one_owns_the_endpoints(tmp_path):
    with started(tmp_path) as instance:
        children = instance.children
        instance.process.kill()
        wait_until_ended(children)
    with started(tmp_path) as instance:
        assert json.loads((tmp_path / "endpoints.json").read_text())["api"] == instance.url


def start_error(tmp_path: Path, *, port: int = 0, template: Path = TOY, **environment: str) -> str:
    """The error message of a service that cannot start."""
    ended = subprocess.run(
        command(tmp_path, port, template),
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr


def test_a_used_port_is_one_clear_sentence(tmp_path, toy):
    message = start_error(tmp_path, port=int(toy.port))
    assert message.startswith(f"error: port {toy.port} ")
    assert message.count("\n") == 1


def test_a_template_that_cannot_be_run_is_one_clear_sentence(tmp_path):
    template = tmp_path / "template.yaml"
    template.write_text(TOY.read_text().replace("AWS::Logs::LogGroup", "AWS::Kinesis::Stream"))
    assert start_error(tmp_path, template=template) == "error: EchoLogs: AWS::Kinesis::Stream cannot be run locally\n"


def test_a_function_that_cannot_be_imported_is_one_clear_sentence(tmp_path):
    toy = Path(shutil.copytree(TOY.parent, tmp_path / "toy", ignore=shutil.ignore_patterns("test_*", "__pycache__")))
    (toy / "echo" / "app.py").unlink()
    template = toy / TOY.name
    message = start_error(tmp_path, template=template)
    assert "cutout-local-Echo does not start: ModuleNotFoundError" in message
    assert message.count("\n") == 1


def test_a_model_that_is_not_there_is_named(tmp_path):
    message = start_error(tmp_path, template=ROOT / "template.yaml", CUTOUT_MODEL="nobodys", CUTOUT_LOCAL_WORKERS="1")
    assert "no model 'nobodys' in the manifest" in message
    assert message.count("\n") == 1
