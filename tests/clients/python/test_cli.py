"""The command line through Typer's runner, on the local pipeline: what is found, made, skipped, said and refused."""

import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from cutout_client.cli.app import app
from cutout_client.cli.flags import NOT_FIELDS, REMOVAL, SCENE
from cutout_client.cli.interrupts import Stop
from cutout_client.options import NAMES
from tests.dialects.pictures import astronaut, cat, plain

LOCAL = ("--local", "-j", "1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: photos/a.jpg, photos/b.png, photos/in/c.webp and what is no photo."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUTOUT_CONFIG", str(tmp_path / "config.toml"))
    (tmp_path / "photos" / "in").mkdir(parents=True)
    (tmp_path / "photos" / "a.jpg").write_bytes(cat(60, 40, "JPEG"))
    (tmp_path / "photos" / "b.png").write_bytes(cat(64, 40))
    (tmp_path / "photos" / "in" / "c.webp").write_bytes(cat(68, 40, "WEBP"))
    (tmp_path / "photos" / "notes.txt").write_text("no photo")
    return tmp_path


def cutout(*arguments: str, **how: Any) -> Any:
    """Run the command; an error that is not told in words is a test's failure."""
    result = CliRunner().invoke(app, arguments, **how)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def lines(result: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def made_in(folder: Path) -> list[str]:
    return sorted(
        each.relative_to(folder).as_posix()
        for each in folder.rglob("*")
        if each.suffix and each.is_file() and not each.name.startswith(".")
    )


def test_every_option_of_the_contract_has_a_flag() -> None:
    assert {flag.name for flag in (*REMOVAL, *SCENE)} - NOT_FIELDS == NAMES


def test_one_photo_gets_its_cutout_beside_it(folder: Path) -> None:
    result = cutout("remove", "photos/a.jpg", *LOCAL)
    assert (result.exit_code, result.output) == (0, "")
    with Image.open("photos/a-cutout.png") as made:
        assert (made.mode, made.size) == ("RGBA", (60, 40))
    assert not list(Path("photos").glob(".*")), "one photo leaves no log"


def test_a_folder_keeps_its_tree_and_is_gone_on_with(folder: Path) -> None:
    first = cutout("remove", "photos", "-o", "out", "--format", "webp", "--json", *LOCAL)
    assert made_in(folder / "out") == ["a.webp", "b.webp", "in/c.webp"]
    *each, summary = lines(first)
    assert [(line["source"], line["status"], line["width"]) for line in each] == [
        ("photos/a.jpg", "made", 60), ("photos/b.png", "made", 64), ("photos/in/c.webp", "made", 68),
    ]  # fmt: skip
    assert (summary["summary"]["made"], summary["summary"]["exit_code"]) == (3, 0)
    times = {path: (folder / "out" / path).stat().st_mtime_ns for path in made_in(folder / "out")}

    (folder / "photos" / "b.png").write_bytes(cat(66, 40))
    (folder / "out" / "in" / "c.webp").unlink()
    again = lines(cutout("remove", "photos", "-o", "out", "--format", "webp", "--json", *LOCAL))
    assert [line.get("status") for line in again[:-1]] == ["skipped", "made", "made"]
    assert (folder / "out" / "a.webp").stat().st_mtime_ns == times["a.webp"]


@pytest.mark.parametrize("other", [["--crop"], ["--bg-color", "red"], ["--force"]])
def test_other_settings_or_force_make_everything_anew(folder: Path, other) -> None:
    cutout("remove", "photos", "-o", "out", *LOCAL)
    again = lines(cutout("remove", "photos", "-o", "out", "--json", *other, *LOCAL))
    assert [line.get("status") for line in again[:-1]] == ["made"] * 3
    same = lines(
        cutout("remove", "photos", "-o", "out", "--json", *[part for part in other if part != "--force"], *LOCAL)
    )
    assert [line.get("status") for line in same[:-1]] == ["skipped"] * 3


def test_a_log_that_was_cut_off_costs_its_last_line_only(folder: Path) -> None:
    cutout("remove", "photos", "-o", "out", *LOCAL)
    log = folder / "out" / ".cutout-done.jsonl"
    log.write_text(log.read_text()[:-20])
    again = lines(cutout("remove", "photos", "-o", "out", "--json", *LOCAL))
    assert sorted(line["status"] for line in again[:-1]) == ["made", "skipped", "skipped"]


def test_the_output_s_folder_and_earlier_cutouts_are_no_input(folder: Path) -> None:
    cutout("remove", "photos", "-o", "photos/out", *LOCAL)
    cutout("remove", "photos/a.jpg", *LOCAL)
    again = lines(cutout("remove", "photos", "-o", "photos/out", "--json", *LOCAL))
    assert [line.get("source") for line in again[:-1]] == ["photos/a.jpg", "photos/b.png", "photos/in/c.webp"]


def test_photos_of_one_name_do_not_overwrite_each_other(folder: Path) -> None:
    (folder / "photos" / "a.png").write_bytes(cat(62, 40))
    (folder / "more").mkdir()
    (folder / "more" / "a.jpg").write_bytes(cat(70, 40, "JPEG"))
    cutout("remove", "photos/a.jpg", "photos/a.png", "more/a.jpg", "photos/a.jpg", "-o", "out", *LOCAL)
    assert made_in(folder / "out") == ["a-2.png", "a.jpg.png", "a.png.png"]


def test_a_pattern_may_be_quoted(folder: Path) -> None:
    result = cutout("remove", "photos/**/*.[jw]*", "-o", "out", "--json", *LOCAL)
    assert [line.get("source") for line in lines(result)[:-1]] == ["photos/a.jpg", "photos/in/c.webp"]


def test_folders_within_folders_can_be_left_out(folder: Path) -> None:
    cutout("remove", "photos", "-o", "out", "--no-recursive", *LOCAL)
    assert made_in(folder / "out") == ["a.png", "b.png"]


def test_the_ending_of_the_output_is_the_format(folder: Path) -> None:
    assert cutout("remove", "photos/a.jpg", "-o", "x.jpeg", "--bg-color", "lime", *LOCAL).exit_code == 0
    with Image.open("x.jpeg") as made:
        assert made.format == "JPEG"
        red, green, blue = made.getpixel((58, 2))
        assert (red < 40, green > 200, blue < 40) == (True, True, True)


def test_standard_input_becomes_standard_output(folder: Path) -> None:
    result = cutout("remove", "-", "--channels", "alpha", *LOCAL, input=astronaut(100))
    assert result.exit_code == 0
    (folder / "mask.png").write_bytes(result.stdout_bytes)
    with Image.open(folder / "mask.png") as mask:
        assert (mask.mode, mask.size) == ("L", (100, 100))
    assert cutout("remove", "-", "-o", "b.png", *LOCAL, input=astronaut(100)).stdout_bytes == b""
    assert Path("b.png").read_bytes().startswith(b"\x89PNG")


def test_a_background_and_every_kind_of_flag_reach_the_pipeline(folder: Path) -> None:
    (folder / "sea.png").write_bytes(plain(30, 30, colour="blue"))
    scene = (
        "--background",
        "sea.png",
        "--canvas",
        "100x50",
        "--scale",
        "60%",
        "--position",
        "center",
        "--shadow",
        "drop",
    )
    result = cutout(
        "remove", "photos/a.jpg", "-o", "x.png", *scene, "--shadow-blur", "5%", "--no-semitransparency", *LOCAL
    )
    assert (result.exit_code, result.output) == (0, "")
    with Image.open("x.png") as made:
        assert made.size == (100, 50)
        assert made.convert("RGB").getpixel((1, 1)) == (0, 0, 255)


def test_failures_are_told_one_a_line_and_the_rest_is_made(folder: Path) -> None:
    (folder / "photos" / "bad.jpg").write_bytes(b"\xff\xd8\xff broken")
    result = cutout("remove", "photos", "-o", "out", *LOCAL)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("photos/bad.jpg: invalid_image: ")
    assert len(made_in(folder / "out")) == 3
    again = lines(cutout("remove", "photos", "-o", "out", "--json", *LOCAL))
    assert [line.get("status") for line in again[:-1]] == ["skipped", "skipped", "failed", "skipped"]
    assert again[-1]["summary"]["errors"] == {"invalid_image": 1}


def test_a_wrong_option_ends_the_run_at_once(folder: Path) -> None:
    result = cutout("remove", "photos", "-o", "out", "--format", "webp", "--size", "huge", *LOCAL)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[0].startswith("photos/a.jpg: invalid_option: size must be one of preview")
    assert "2 images were not tried" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.jpg"], "no file nowhere.jpg"),
        (["photos/*.heic"], "nothing matches photos/*.heic"),
        (["empty"], "no image in empty"),
        (["photos", "-o", "one.png"], "one.png is one file, but there are 3 images"),
        (["photos/b.png", "-o", "photos"], "photos/b.png is one of the images"),
        (["photos/b.png", "--mask-first"], "--local works at full size"),
        (["photos/b.png", "--model", "huge"], "huge"),
    ],
)
def test_wrong_usage_is_said_in_a_line(folder: Path, arguments, words) -> None:
    (folder / "empty").mkdir()
    result = cutout("remove", *arguments, *LOCAL)
    assert result.exit_code in {1, 2}
    assert words in result.stderr
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1
    assert made_in(folder) == ["photos/a.jpg", "photos/b.png", "photos/in/c.webp", "photos/notes.txt"]


def test_the_config_file_and_the_environment_stand_for_flags(folder: Path) -> None:
    (folder / "config.toml").write_text(
        'timeout = 5.0\n[remove]\nlocal = true\nformat = "webp"\nbg-color = "red"\njobs = 1\n'
    )
    assert cutout("remove", "photos", "-o", "out").exit_code == 0
    assert made_in(folder / "out") == ["a.webp", "b.webp", "in/c.webp"]
    assert cutout("remove", "photos/a.jpg", "-o", "flag.png", "--format", "png").exit_code == 0
    assert Path("flag.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[remove]\ncolour = 1", "remove has no colour"),
        ("[x]", "there is no x"),
        ("=", "config.toml"),
        ('key = "a"', "no key"),
    ],
)
def test_a_wrong_config_file_is_refused(folder: Path, text, words) -> None:
    (folder / "config.toml").write_text(text)
    result = cutout("remove", "photos/a.jpg", *LOCAL)
    assert result.exit_code == 2
    assert words in result.stderr


def test_models_are_listed_with_the_default_first_of_all_told(folder: Path) -> None:
    assert cutout("models").stdout.startswith("* cutout-s")
    found = json.loads(cutout("models", "--json").stdout)
    assert [each["name"] for each in found if each["installed"]] == ["cutout-s"]


def test_a_model_whose_file_is_not_here_is_an_error(folder: Path) -> None:
    result = cutout("remove", "photos/a.jpg", "--local", "--model", "u2netp")
    assert result.exit_code == 1
    assert "cannot be loaded" in result.stderr


def test_two_settings_are_put_side_by_side_on_a_page(folder: Path) -> None:
    result = cutout("compare", "-", "channels=alpha", "photos", "-o", "sheet", *LOCAL)
    assert (result.exit_code, result.stdout.strip()) == (0, "sheet/index.html")
    page = Path("sheet/index.html").read_text(encoding="utf-8")
    for source in ("../photos/a.jpg", "a/a.png", "b/a.png", "a/in/c.png", "b/in/c.png"):
        assert f'src="{source}"' in page
        assert (folder / "sheet" / source).resolve().is_file()
    assert "no cutout of" not in page
    for side, mode in (("a", "RGBA"), ("b", "L")):
        with Image.open(folder / "sheet" / side / "a.png") as made:
            assert made.mode == mode


def test_folders_of_cutouts_are_compared_as_they_are(folder: Path) -> None:
    cutout("remove", "photos", "-o", "one", *LOCAL)
    cutout("remove", "photos/a.jpg", "-o", "two", "--crop", *LOCAL)
    assert cutout("compare", "one", "two", "photos", "-o", "sheet", "--local").exit_code == 0
    page = Path("sheet/index.html").read_text(encoding="utf-8")
    assert 'src="../two/a.png"' in page
    assert page.count("no cutout of") == 2
    assert cutout("compare", "one", "size:hd", "photos", "-o", "sheet", "--local").exit_code == 2


def test_serve_says_how_where_there_is_no_service(folder: Path) -> None:
    result = cutout("serve", "--checkout", str(folder))
    assert result.exit_code == 2
    assert "make run" in result.stderr


def test_help_and_version_work_without_anything_else(folder: Path) -> None:
    assert cutout("--version").stdout.startswith("cutout ")
    for command in ("remove", "watch", "compare", "serve", "models", "account", "usage", "keys", "jobs"):
        shown = cutout(command, "--help")
        assert shown.exit_code == 0
        assert command in shown.stdout
        assert re.findall(r"--([\w-]+).*<bool>", shown.stdout) in ([], ["help"])  # flags take no value; Typer's does


def test_time_stamps_alone_make_a_photo_changed(folder: Path) -> None:
    cutout("remove", "photos", "-o", "out", *LOCAL)
    os.utime(folder / "photos" / "a.jpg", (time.time(), time.time() - 100))
    again = lines(cutout("remove", "photos", "-o", "out", "--json", *LOCAL))
    assert [line.get("status") for line in again[:-1]] == ["made", "skipped", "skipped"]


def test_ctrl_c_is_noted_and_not_raised_in_the_middle_of_something() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Stop().listening() as stop:
        stop.sleep(0)
        assert not stop.requested
        signal.raise_signal(signal.SIGINT)
        assert stop.requested
        stop.sleep(3600)
    assert signal.getsignal(signal.SIGINT) is before
