"""What the user may choose of a local service."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """What to serve and where. port 0: a free one. state: the folder of logs and endpoints.json.

    workers: processes of an image function, each with the model in memory; 0: one for each core, at least two.
    timeout_s: of image functions, for models that are slow on this machine; 0: as the template says.
    visibility_s: after which a queue brings back what a function did not finish; 0: as the template says.
    open_account: whose requests without a key are, by contracts that have none; empty: nobody's.
    functions_aws: URL at which the functions find AWS, for a proxy in front of moto; empty: moto itself.
    """

    port: int
    template: Path
    state: Path
    key: str
    workers: int = 0
    timeout_s: int = 0
    visibility_s: int = 0
    functions_aws: str = ""
    open_account: str = ""
