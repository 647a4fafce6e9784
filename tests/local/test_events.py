import base64
import re
from datetime import UTC, datetime

from local.events import HttpRequest, proxy_event
from local.resources import Route
from local.routing import Match

ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"

# The keys of the example in the API Gateway developer guide, "Input format of a Lambda function for proxy integration".
DOCUMENTED = {
    "resource", "path", "httpMethod", "headers", "multiValueHeaders", "queryStringParameters",
    "multiValueQueryStringParameters", "pathParameters", "stageVariables", "requestContext", "body", "isBase64Encoded",
}  # fmt: skip
DOCUMENTED_CONTEXT = {
    "accountId", "apiId", "domainName", "domainPrefix", "extendedRequestId", "httpMethod", "identity", "path",
    "protocol", "requestId", "requestTime", "requestTimeEpoch", "resourceId", "resourcePath", "stage",
}  # fmt: skip
DOCUMENTED_IDENTITY = {
    "accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType",
    "cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "sourceIp", "user", "userAgent", "userArn",
}  # fmt: skip


def event(query="", headers=(), body=b"", path="/things/1", parameters=None):
    request = HttpRequest("POST", path, query, headers, body, "127.0.0.1")
    return proxy_event(request, Match(Route("ANY", "/things/{id}", "F"), parameters or {}), "prod", ID)


def test_an_event_has_the_documented_fields_and_no_others():
    made = event(headers=(("host", "example.org:80"), ("user-agent", "curl/8")))
    assert made.keys() == DOCUMENTED
    assert made["requestContext"].keys() == DOCUMENTED_CONTEXT | {"deploymentId"}
    assert made["requestContext"]["identity"].keys() == DOCUMENTED_IDENTITY


def test_the_context_has_the_client_the_route_and_the_time():
    context = event(headers=(("host", "example.org:80"), ("user-agent", "curl/8")))["requestContext"]
    assert context["requestId"] == ID
    assert (context["stage"], context["resourcePath"], context["path"]) == ("prod", "/things/{id}", "/things/1")
    assert (context["identity"]["sourceIp"], context["identity"]["userAgent"]) == ("127.0.0.1", "curl/8")
    assert context["domainName"] == "example.org:80"
    age_ms = datetime.now(UTC).timestamp() * 1000 - context["requestTimeEpoch"]
    assert 0 <= age_ms < 60_000
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context["requestTime"])


def test_every_body_travels_as_base64():
    made = event(body=b"\x00\xffbytes")
    assert made["isBase64Encoded"] is True
    assert base64.b64decode(made["body"]) == b"\x00\xffbytes"


def test_no_body_is_null():
    made = event()
    assert (made["body"], made["isBase64Encoded"]) == (None, False)


def test_query_values_are_decoded_and_repeated_ones_kept():
    made = event(query="a=1&a=2%20x&empty=&plus=a+b")
    assert made["queryStringParameters"] == {"a": "2 x", "empty": "", "plus": "a b"}
    assert made["multiValueQueryStringParameters"] == {"a": ["1", "2 x"], "empty": [""], "plus": ["a b"]}


def test_absent_query_and_path_parameters_are_null():
    made = event()
    assert made["queryStringParameters"] is None
    assert made["multiValueQueryStringParameters"] is None
    assert made["pathParameters"] is None
    assert made["stageVariables"] is None


def test_repeated_headers_are_all_there_and_the_last_wins_in_the_single_form():
    made = event(headers=(("x-a", "1"), ("x-a", "2")))
    assert made["multiValueHeaders"]["x-a"] == ["1", "2"]
    assert made["headers"]["x-a"] == "2"
    assert made["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert made["headers"]["x-forwarded-proto"] == "http"


def test_a_scheme_that_a_trusted_proxy_has_told_is_told_on():
    request = HttpRequest("GET", "/", "", (), b"", "192.0.2.1", scheme="https")
    made = proxy_event(request, Match(Route("GET", "/", "Function"), {}), "local", "id")
    assert (made["headers"]["x-forwarded-proto"], made["headers"]["x-forwarded-for"]) == ("https", "192.0.2.1")


def test_path_parameters_are_those_of_the_match():
    assert event(parameters={"id": "1"})["pathParameters"] == {"id": "1"}
