"""The choices that a user has for a local service."""

from dataclasses import dataclass
from pathlib import Path

from local.pool import MAX_WAITING


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of one instance.

    Attributes:
        port: Port of the API on 127.0.0.1; 0: a free one.
        template: The SAM template to serve.
        state: Folder of logs and of ``endpoints.json``.
        key: The live API key of the local account.
        workers: Processes of an image function, each with the model in memory; 0: one for each core, at least two.
        timeout: Seconds for one event of an image function; 0: as the template says.
        visibility: Seconds after which a queue that feeds a function returns a message; 0: as the template says.
        functions_aws: URL at which the functions reach AWS, for a proxy in front of moto; empty: moto itself.
        open_account: Account of requests without a key, by contracts that have none; empty: a key is required.
        max_waiting: Requests that may wait for a worker of a function.
    """

    port: int
    template: Path
    state: Path
    key: str
    workers: int = 0
    timeout: int = 0
    visibility: int = 0
    functions_aws: str = ""
    open_account: str = ""
    max_waiting: int = MAX_WAITING
