"""What may import what (the design, section 2), read from the source; and what a zip function really loads."""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local import ROOT

PACKAGE = ROOT / "layers" / "cutout"
MAX_LINES = 300
MAX_HANDLER_LINES = 12
MAX_MODULES = 14

DOMAIN = {"errors", "ids", "accounts", "authentication", "usage", "jobs"}
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "content_coding": set(),
    "ids": set(),
    "imaging": {"errors"},
    "accounts": {"errors", "ids"},
    "authentication": {"errors", "ids", "accounts"},
    "outbound": {"errors", "content_coding"},
    "signing": set(),
    "usage": {"errors", "ids", "accounts"},
    "jobs": {"errors", "ids", "accounts", "usage", "imaging.spec"},
    "webhooks": {"outbound.connection", "jobs"},
    "api": DOMAIN | {"content_coding", "outbound.urls", "imaging.spec", "imaging.codecs.formats", "cutout"},
    "settings": {"errors", "ids", "imaging.spec", "usage"},
    "aws": DOMAIN | {"imaging.spec", "outbound", "signing", "webhooks", "api", "settings"},
    "services": DOMAIN | {"imaging", "outbound", "webhooks", "api"},
    "container": DOMAIN | {"imaging", "outbound", "webhooks", "api", "settings", "aws", "services"},
    "functions": DOMAIN | {"imaging", "webhooks", "api", "settings", "aws", "services", "container", "cutout"},
    "slim": set(),  # no part of the package: it makes the layer
}
"""Each part of the package (and the functions), and the parts or modules it may import, itself apart.

``services`` imports nothing of ``aws``: stores reach it as the protocols of ``services/ports.py``.
"""

HOMES = {
    "numpy": "cutout.imaging",
    "PIL": "cutout.imaging",
    "isal": "cutout.imaging",
    "pi_heif": "cutout.imaging",
    "onnxruntime": "cutout.imaging.models.onnx",
    "awslambdaric": "cutout.aws.runtime",
    "botocore": "cutout.aws",
    "aws_lambda_powertools": "cutout.aws",
    "certifi": "cutout.outbound.connection",
    "cryptography": "cutout.signing",
    "multipart": "cutout.api.body.parts",
    "tinycss2": "cutout.api.colors",
}
"""Third parties, and the one room or module that may know each. What is not listed is not used."""

TYPES_ONLY = re.compile(r"mypy_boto3_\w+|_typeshed|numpy\.typing")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, ``for_types`` below ``if TYPE_CHECKING``."""

    by: str
    module: str
    line: int
    for_types: bool

    def __str__(self) -> str:
        return f"{self.by}:{self.line} imports {self.module}"


def modules() -> Iterator[tuple[str, Path]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        yield ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"), file
    for file in sorted((ROOT / "functions").rglob("*.py")):
        yield ".".join(file.relative_to(ROOT).with_suffix("").parts), file


def imports(name: str, source: str) -> Iterator[Import]:
    tree = ast.parse(source)
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: imports are absolute"
            whole = node.module or ""
            # "from cutout.aws import clients" means the module cutout.aws.clients
            found = [f"{whole}.{alias.name}" if is_module(f"{whole}.{alias.name}") else whole for alias in node.names]
        else:
            continue
        for module in found:
            yield Import(name, module, node.lineno, id(node) in typing_only)


def is_module(name: str) -> bool:
    path = PACKAGE / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def ours(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] in {"cutout", "functions", "local", "server", "tools", "training"}


def room_of(module: str) -> str:
    parts = module.split(".")
    if parts[0] != "cutout":
        return parts[0]
    return parts[1] if len(parts) > 1 else "cutout"


def within(module: str, home: str) -> bool:
    return module == home or module.startswith(f"{home}.")


def breaks_direction(found: Import) -> bool:
    by, target = room_of(found.by), room_of(found.module)
    if not ours(found.module) or (by == target and by != "functions"):
        return False
    allowed = ROOMS.get(by, set())
    return target not in allowed and not any(within(found.module, f"cutout.{module}") for module in allowed)


def breaks_home(found: Import) -> bool:
    top = found.module.split(".")[0]
    if ours(found.module) or top in sys.stdlib_module_names:
        return False
    if found.for_types and TYPES_ONLY.fullmatch(found.module):
        return False
    return top not in HOMES or not within(found.by, HOMES[top])


ALL = [found for name, file in modules() for found in imports(name, file.read_text())]


def test_imports_go_one_way():
    assert [str(found) for found in ALL if breaks_direction(found)] == []


def test_the_local_service_knows_nothing_of_the_container():
    found = [found for file in (ROOT / "local").rglob("*.py") for found in imports(file.stem, file.read_text())]
    assert [str(each) for each in found if within(each.module, "server")] == []


def test_every_third_party_has_one_home():
    assert [str(found) for found in ALL if breaks_home(found)] == []


def test_every_room_is_in_the_table():
    assert {room_of(name) for name, _ in modules()} - {"cutout"} <= ROOMS.keys()


@pytest.mark.parametrize(
    ("by", "line", "direction", "home"),
    [
        ("cutout.api.sources", "from cutout.aws import clients", True, False),
        ("cutout.services.removal", "from cutout.aws.s3.results import S3ResultStore", True, False),
        ("cutout.services.removal", "import boto3", False, True),
        ("cutout.services.removal", "from cutout.imaging.pipeline import cut_out", False, False),
        ("cutout.aws.sqs", "from cutout.services.ports import Observer", True, False),
        ("cutout.api.sources", "def f():\n    import cutout.settings", True, False),
        ("cutout.api.sources", "from cutout.imaging.codecs.decode import decode", True, False),
        ("cutout.api.sources", "from cutout.imaging import spec", False, False),
        ("cutout.imaging.codecs.decode", "from cutout.accounts import Account", True, False),
        ("cutout.errors", "from cutout.imaging.spec import Limits", True, False),
        ("cutout.container", "from local.cloud import client", True, False),
        ("functions.account.app", "from functions.health import app", True, False),
        ("cutout.outbound.fetch", "import boto3", False, True),
        ("cutout.aws.s3.results", "import botocore", False, False),
        ("functions.account.app", "from aws_lambda_powertools import Logger", False, True),
        ("cutout.imaging.matting.refine", "import onnxruntime.capi", False, True),
        ("cutout.imaging.matting.refine", "import requests", False, True),
        ("cutout.outbound.fetch", "from mypy_boto3_s3 import S3Client", False, True),
        ("cutout.outbound.fetch", "if TYPE_CHECKING:\n    from mypy_boto3_s3 import S3Client", False, False),
    ],
)
def test_the_rules_tell_a_wrong_import_from_a_right_one(by, line, direction, home):
    (found,) = imports(by, line)

    assert (breaks_direction(found), breaks_home(found)) == (direction, home)


def environment_readers(source: str) -> bool:
    return any(
        (isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv", "getenvb"})
        or (isinstance(node, ast.ImportFrom) and node.module == "os")
        for node in ast.walk(ast.parse(source))
    )


def test_only_the_settings_read_the_environment():
    assert [name for name, file in modules() if environment_readers(file.read_text())] == ["cutout.settings"]


def test_no_module_has_outgrown_a_reader():
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text().splitlines())
        for folder in ("layers", "functions", "local", "server", "tools", "training")
        for file in (ROOT / folder).rglob("*.py")
    }

    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_handlers_are_doorways():
    """Every function of a handler's file has at most twelve lines of code, its docstring apart."""
    long = {}
    for file in (ROOT / "functions").rglob("app.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                lines = (node.end_lineno or 0) - first.lineno + 1
                if lines > MAX_HANDLER_LINES and node.name != "endpoints":
                    long[f"{file.parent.name}.{node.name}"] = lines

    assert long == {}


def test_no_folder_of_the_library_is_a_drawer():
    counts = Counter(file.parent for file in PACKAGE.rglob("*.py") if file.name != "__init__.py")

    assert {str(folder): count for folder, count in counts.items() if count > MAX_MODULES} == {}


RETIRED_NOUNS = ("clerk", "clerks", "courier", "desk", "desks", "office", "wish", "wishes", "wished", "ledger")
RETIRED = (*RETIRED_NOUNS, "told", "away", "whoever", "whosoever", "elder", "dear", "persistently")
"""Words of an earlier vocabulary; the glossary in docs/architecture.md has those of today."""
_WORDS = re.compile(r"[A-Za-z][a-z]*")


def test_retired_words_do_not_come_back():
    """In identifiers and file names; the sentences that name tests may say that something is away, or was told."""
    folders = (PACKAGE, ROOT / "functions", ROOT / "local", ROOT / "server", ROOT / "tools", ROOT / "tests")
    found = sorted(
        f"{file.relative_to(ROOT)}: {name}"
        for folder in folders
        for file in folder.rglob("*.py")
        for name in (file.stem, *identifiers(file.read_text()))
        if {word.lower() for word in _WORDS.findall(name)} & set(RETIRED_NOUNS if folder.name == "tests" else RETIRED)
    )

    assert found == []


def identifiers(source: str) -> set[str]:
    """Collect the names that a module defines or uses."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
    return names


def test_every_module_says_what_its_job_is():
    assert [name for name, file in modules() if not ast.get_docstring(ast.parse(file.read_text()))] == []


HEAVY = "numpy", "PIL", "onnxruntime", "isal", "pi_heif"

LOAD_ZIP_FUNCTION = f"""
import sys

class Absent:
    def find_spec(self, name, *_):
        if name.split(".")[0] in {HEAVY!r}:
            raise ModuleNotFoundError(f"{{name}} is not in the layer")

sys.meta_path.insert(0, Absent())
import app
assert callable(app.handler)
"""


@pytest.mark.parametrize("function", ["account", "admin", "deliver_webhook", "health", "jobs"])
def test_a_zip_function_imports_without_what_only_the_image_carries(function, template):
    """As in Lambda: the function's folder and the layer on the path, our root not."""
    environment = {"PYTHONPATH": f"{ROOT / 'functions' / function}:{PACKAGE}", "AWS_DEFAULT_REGION": "eu-central-1"}
    (declared,) = [one for one in template.functions.values() if one.folder == ROOT / "functions" / function]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOAD_ZIP_FUNCTION],
        cwd=ROOT / "functions" / function,
        env=environment | declared.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


IMPORT_ALL = """
import importlib, pkgutil, socket, sys

def refuse(*_, **__):
    raise AssertionError("a module opens a socket when it is imported")

socket.socket.connect = refuse
socket.getaddrinfo = refuse
import cutout

for module in pkgutil.walk_packages(cutout.__path__, "cutout."):
    importlib.import_module(module.name)
"""


def test_importing_a_module_needs_neither_environment_nor_network():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL],
        env={"PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
