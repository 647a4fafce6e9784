"""The verify helpers of the clients take what the service signs, refuse the same forgeries, and agree."""

import base64
import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cutout.webhooks import WebhookEvent, signed_headers
from cutout_client.webhooks import WebhookVerificationError, verify
from tests.clients.javascript_client import built
from tests.support.node_packages import node

SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes or so").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret of 24 bytes").decode()
EVENT = {"id": "evt_1", "type": "job.succeeded", "created_at": "2026-11-20T12:00:00.000+00:00", "data": {"ü": "€"}}
NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request, and what the receiver knows."""

    body: bytes
    headers: Mapping[str, str]
    secrets: tuple[str, ...] = (SECRET,)
    now_s: float = NOW.timestamp()

    def with_header(self, name: str, value: str) -> "Delivery":
        return replace(self, headers={**self.headers, name: value})


def delivery(*signed_by: str) -> Delivery:
    body = json.dumps(EVENT, ensure_ascii=False).encode()
    return Delivery(body, signed_headers(WebhookEvent("evt_1", body), signed_by or (SECRET,), NOW))


GOOD = {
    "as sent": delivery(),
    "while the secret is rotated": delivery(OTHER, SECRET),
    "with several secrets known": replace(delivery(), secrets=(OTHER, SECRET)),
    "with headers in another case": replace(delivery(), headers={k.title(): v for k, v in delivery().headers.items()}),
    "with signatures of other versions": delivery().with_header(
        "webhook-signature", "v1a,xyz v2 " + delivery().headers["webhook-signature"]
    ),
    "at the edge of the tolerance": replace(delivery(), now_s=NOW.timestamp() + 300),
}
BAD = {
    "another secret": delivery(OTHER),
    "a changed body": replace(delivery(), body=delivery().body.replace(b"succeeded", b"suCceeded")),
    "a changed id": delivery().with_header("webhook-id", "evt_2"),
    "a changed time": delivery().with_header("webhook-timestamp", str(int(NOW.timestamp()) + 1)),
    "too old": replace(delivery(), now_s=NOW.timestamp() + 301),
    "from the future": replace(delivery(), now_s=NOW.timestamp() - 301),
    "no signature": delivery().with_header("webhook-signature", ""),
    "a signature that is no base64": delivery().with_header("webhook-signature", "v1,***"),
    "a signature cut short": delivery().with_header("webhook-signature", delivery().headers["webhook-signature"][:30]),
    "a signature of another version": delivery().with_header(
        "webhook-signature", delivery().headers["webhook-signature"].replace("v1,", "v2,")
    ),
    "a time that is no number": delivery().with_header("webhook-timestamp", "1e9"),
    "a time in other digits": delivery().with_header("webhook-timestamp", "١٢٣"),
    "no headers": replace(delivery(), headers={}),
    "no secret": replace(delivery(), secrets=()),
}

SCRIPT = """
import { verify } from %r
let text = ''
for await (const chunk of process.stdin) text += chunk
const { body, headers, secrets, nowS } = JSON.parse(text)
try {
  console.log(JSON.stringify(verify(Buffer.from(body, 'base64'), headers, secrets, { nowS })))
} catch (error) {
  console.log(JSON.stringify({ refused: error.name }))
}
"""


def in_python(given: Delivery) -> Any:
    try:
        return verify(given.body, given.headers, *given.secrets, now_s=given.now_s)
    except WebhookVerificationError as error:
        return {"refused": type(error).__name__}
    except ValueError:
        return {"refused": "TypeError"}


def in_javascript(given: Delivery) -> Any:
    script = SCRIPT % ((built() / "dist" / "esm" / "webhooks.js").as_uri(),)
    question = {
        "body": base64.b64encode(given.body).decode(),
        "headers": dict(given.headers),
        "secrets": list(given.secrets),
        "nowS": given.now_s,
    }
    done = subprocess.run(
        [node(), "--input-type=module", "--eval", script],
        input=json.dumps(question), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


CLIENTS = pytest.mark.parametrize("client", [in_python, in_javascript], ids=["python", "javascript"])


@CLIENTS
@pytest.mark.parametrize("given", GOOD.values(), ids=GOOD)
def test_what_the_service_signed_is_taken(client: Callable[[Delivery], Any], given):
    assert client(given) == EVENT


@CLIENTS
@pytest.mark.parametrize("given", BAD.values(), ids=BAD)
def test_a_forgery_is_refused(client: Callable[[Delivery], Any], given):
    assert client(given) == {"refused": "WebhookVerificationError"}


@CLIENTS
@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_***", "a secret", "ct_live_abc"])
def test_a_malformed_secret_is_the_receiver_s_mistake(client: Callable[[Delivery], Any], secret):
    assert client(replace(delivery(), secrets=(secret,))) == {"refused": "TypeError"}
