"""moto's server in a process of its own: DynamoDB, S3 and what else the functions use. Prints its URL, then serves."""

import sys
import threading

from moto.server import ThreadedMotoServer

from local.runtime import die_with_parent


def main(address: str = "127.0.0.1") -> None:
    """Serve on a free port of an address of this machine until the parent is gone."""
    die_with_parent()
    server = ThreadedMotoServer(address, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
