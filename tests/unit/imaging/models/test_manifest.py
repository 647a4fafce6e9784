from dataclasses import replace
from hashlib import md5, sha256
from pathlib import Path

import pytest

from cutout.errors import ServiceUnavailableError
from cutout.imaging.models.manifest import Activation, ManifestError, Resize, Scale, Stretch, load_manifest, verify

MODELS = Path(__file__).parents[4] / "models"
MANIFEST = load_manifest(MODELS)
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def test_the_default_row_is_ours_and_an_empty_name_selects_it() -> None:
    ours = MANIFEST.select("")
    assert ours.name == MANIFEST.default == "cutout-s"
    assert ours.url == ""
    assert (ours.stretch, ours.activation, ours.scale) == (Stretch.NONE, Activation.NONE, Scale.BYTE)
    assert ours.size_bytes <= 12_000_000


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ManifestError, match="u2netp"):
        MANIFEST.select("u3net")


@pytest.mark.parametrize(
    ("name", "size_px", "scale", "normalisation", "activation", "licence"),
    [
        ("ben2", 1024, Scale.BYTE, ((0, 0, 0), (1, 1, 1)), Activation.NONE, "MIT"),
        ("isnet-general-use", 1024, Scale.MAX, ((0.5, 0.5, 0.5), (1, 1, 1)), Activation.NONE, "Apache-2.0"),
        ("u2net", 320, Scale.MAX, IMAGENET, Activation.NONE, "Apache-2.0"),
        ("u2netp", 320, Scale.MAX, IMAGENET, Activation.NONE, "Apache-2.0"),
        ("birefnet-general-lite", 1024, Scale.MAX, IMAGENET, Activation.SIGMOID, "MIT"),
    ],
)
def test_public_models_are_fed_as_their_reference_codes_do(  # noqa: PLR0917
    name: str, size_px: int, scale: Scale, normalisation: tuple, activation: Activation, licence: str
) -> None:
    row = MANIFEST.select(name)
    assert (row.size_px, row.scale, (row.mean, row.std)) == (size_px, scale, normalisation)
    assert (row.activation, row.stretch, row.licence) == (activation, Stretch.MINMAX, licence)
    assert row.resize is (Resize.BILINEAR if name == "ben2" else Resize.LANCZOS)
    assert row.url.startswith("https://")
    assert row.url.endswith("/" + row.file)
    assert row.arena is (size_px < 1024)


def test_a_model_is_found_by_its_name_or_an_alias_where_its_file_is(tmp_path: Path) -> None:
    (tmp_path / MANIFEST.select("ben2").file).touch()
    assert [MANIFEST.installed(name, tmp_path) for name in ("ben2", "ben_custom")] == [MANIFEST.select("ben2")] * 2
    assert MANIFEST.installed("u2net", tmp_path) is None, "its file is missing"
    assert [MANIFEST.installed(name, tmp_path) for name in ("sam", "", "BEN2", "../ben2")] == [None] * 4


GOOD = (MODELS / "manifest.toml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('default = "cutout-s"', 'default = "none"', "names no row"),
        ('default = "cutout-s"', "default = 3", "names no row"),
        ('scale = "max"', 'scale = "min"', "min"),
        ("output = 0\n", "", "missing"),
        ("output = 0\n", "output = 0\nextra = 1\n", "unknown"),
        ('file = "u2net.onnx"', 'file = "../u2net.onnx"', "plain name"),
        ("sha256 = ", "sha256 = 'xyz' # ", "64"),
        ("cpu_s = 0.4", "cpu_s = 0", "cpu_s"),
        ("peak_mb = 1000", "peak_mb = -1", "peak_mb"),
        ("mean = [0.5, 0.5, 0.5]", "mean = [0.5]", "unpack"),
        ("[models.ben2]", "[models.ben2", "cannot be read"),
        ('aliases = ["ben_custom"]', 'aliases = ["u2net"]', "two rows"),
        ('aliases = ["ben_custom"]', 'aliases = ["u2net_custom"]', "two rows"),
        ('aliases = ["ben_custom"]', 'aliases = "ben"', "list of names"),
        ('aliases = ["ben_custom"]', "aliases = [2]", "list of names"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_fault(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    (tmp_path / "manifest.toml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ManifestError, match=message):
        load_manifest(tmp_path)


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        load_manifest(tmp_path)


def test_a_row_needs_a_checksum_and_md5_is_enough_where_nothing_else_is_published(tmp_path: Path) -> None:
    ben2 = MANIFEST.select("ben2").sha256
    (tmp_path / "manifest.toml").write_text(GOOD.replace(ben2, ""))
    with pytest.raises(ManifestError, match="ben2: a sha256 or an md5"):
        load_manifest(tmp_path)
    u2net = MANIFEST.select("u2net").sha256
    (tmp_path / "manifest.toml").write_text(GOOD.replace(u2net, ""))
    assert load_manifest(tmp_path).select("u2net").sha256 == ""


def test_every_given_checksum_is_held_against_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"weights")
    right = {"sha256": sha256(b"weights").hexdigest(), "md5": md5(b"weights", usedforsecurity=False).hexdigest()}
    row = replace(MANIFEST.select("u2net"), **right)
    verify(row, path)
    verify(replace(row, md5=""), path)
    verify(replace(row, sha256=""), path)
    for kind, found in right.items():
        with pytest.raises(ServiceUnavailableError) as caught:
            verify(replace(row, **{kind: "0" * len(found)}), path)
        assert caught.value.details["checksum"] == kind
        assert caught.value.details["found"] == found
    with pytest.raises(ServiceUnavailableError, match="missing"):
        verify(row, tmp_path / "none.onnx")
