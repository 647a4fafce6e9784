"""Vendors' own clients in processes of their own, whose requests end at the service under test."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.node_packages import install, node, unavailable
from tests.support.tls_proxy import TlsFront

FOLDER = Path(__file__).parent / "node"


def run_node(script: str, *arguments: str, front: TlsFront, hosts: tuple[str, ...]) -> Any:
    """What a script of ``tests/clients/node`` prints, from JSON; TLS connections to ``hosts`` end at ``front``."""
    command = [node(), "--require", str(FOLDER / "redirect.cjs"), str(FOLDER / script), *arguments]
    install(FOLDER)
    environment = {
        "PATH": os.environ["PATH"],
        "NODE_EXTRA_CA_CERTS": str(front.ca_file),
        "NODE_NO_WARNINGS": "1",  # of what old clients use of Node.js
        "CUTOUT_REDIRECT": json.dumps(dict.fromkeys(hosts, front.port)),
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run_curl(url: str, *arguments: str, folder: Path) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers (lower case) and body that curl sees; run in ``folder``, where ``@file`` is looked for."""
    curl = shutil.which("curl")
    if curl is None:
        unavailable("curl is not installed")
    body, head = folder / "curl.body", folder / "curl.head"
    command = [curl, "-sS", "--noproxy", "*", "-D", str(head), "-o", str(body), *arguments, url]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    status, *lines = head.read_bytes().decode("latin-1").strip().split("\r\n\r\n")[-1].split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body.read_bytes()
