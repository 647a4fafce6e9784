"""The flags that several commands share, as tables: options of a removal, and how the service is reached."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Optional, get_args, get_type_hints

import typer

from cutout_client.cli.failures import failing


@dataclass(frozen=True)
class Flag:
    """One flag.

    Attributes:
        name: Name of the parameter; the flag is ``--name-with-dashes``.
        help: One sentence.
        kind: Type of its value; bool makes ``--name / --no-name``.
        values: Words that it takes, for help and completion.
        metavar: How its value is written in the help; by default from ``values``.
        environment: Variable of the environment that stands for it.
        short: A short form such as ``-j``.
        default: Its default.
    """

    name: str
    help: str
    kind: type = str
    values: Sequence[str] = ()
    metavar: str = ""
    environment: str = ""
    short: str = ""
    default: Any = None

    def parameter(self, panel: str) -> inspect.Parameter:
        """Return the parameter as Typer reads it."""
        dashed = self.name.replace("_", "-")
        names = [f"--{dashed}/--no-{dashed}" if self.kind is bool and self.default is None else f"--{dashed}"]
        metavar = self.metavar or "|".join(self.values) or None
        option = typer.Option(
            self.default,
            *names,
            *([self.short] if self.short else []),
            help=self.help,
            metavar=metavar if self.kind is not bool else "",
            envvar=self.environment or None,
            rich_help_panel=panel,
            show_default=self.default not in {None, False},
            autocompletion=self._complete if self.values else None,
        )
        kind = inspect.Parameter.KEYWORD_ONLY
        annotation = Optional[self.kind] if self.default is None else self.kind
        return inspect.Parameter(self.name, kind, default=option, annotation=annotation)

    def _complete(self, incomplete: str) -> list[str]:
        return [value for value in self.values if value.startswith(incomplete)]


LENGTH, PERCENT, COLOR = "12px|5%", "0-100", "COLOR"

REMOVAL = (
    Flag("format", "Output format; by default the ending of --output, or png.",
         values=("png", "jpg", "webp", "avif", "tiff", "bmp", "gif", "zip")),
    Flag("channels", "rgba: the picture; alpha: its mask.", values=("rgba", "alpha")),
    Flag("size", "Cap of the output, never an enlargement.", values=("preview", "medium", "hd", "full")),
    Flag("crop", "Crop to the subject.", bool),
    Flag("crop_margin", "Space around the cropped subject: one, two or four lengths.", metavar="'10% 30px'"),
    Flag("bg_color", "A colour behind the subject: CSS name or hex digits.", metavar=COLOR),
    Flag("despill", "Remove colour spill at soft edges.", bool),
    Flag("semitransparency", "Keep regions that are half transparent, such as windows.", bool),
    Flag("own_alpha", "What becomes of transparency that the image brings along.",
         values=("honour", "keep", "discard")),
    Flag("on_empty", "What comes where nothing is found: an empty picture, or an error.", values=("image", "error")),
    Flag("frames", "all: an animation comes back as an animation (png, webp, gif).", values=("first", "all")),
    Flag("depth", "16: all bits of a 16-bit image, as png or tiff.", values=("8", "16")),
    Flag("profile", "keep: the image's own ICC profile.", values=("srgb", "keep")),
    Flag("metadata", "keep: the image's EXIF; keep_gps: with the place.", values=("none", "keep", "keep_gps")),
    Flag("roi", "Only this part can be foreground.", metavar="'X1 Y1 X2 Y2'"),
)  # fmt: skip
SCENE = (
    Flag("background", "An image behind the subject.", metavar="FILE|URL"),
    Flag("bg_fit", "How the background fills the canvas.", values=("cover", "fit")),
    Flag("bg_blur", "Blur the background or, without one, the photo's own.", metavar=PERCENT),
    Flag("canvas", "Size of the picture.", metavar="original|background|1200x800"),
    Flag("canvas_fit", "How the photo fills the canvas.", values=("fit", "cover")),
    Flag("scale", "Share of the canvas that the subject takes.", metavar="80%|original"),
    Flag("position", "Where the subject stands.", metavar="center|top-left|'50% 100%'"),
    Flag("shadow", "A shadow below the subject.", values=("none", "drop", "contact")),
    Flag("shadow_offset_x", "Shadow: to the right.", metavar=LENGTH),
    Flag("shadow_offset_y", "Shadow: down.", metavar=LENGTH),
    Flag("shadow_blur", "Shadow: softness.", metavar=LENGTH),
    Flag("shadow_opacity", "Shadow: opacity.", metavar=PERCENT),
    Flag("shadow_color", "Shadow: colour.", metavar=COLOR),
    Flag("stroke_width", "Width of an outline behind the subject.", metavar=LENGTH),
    Flag("stroke_color", "Outline: colour.", metavar=COLOR),
    Flag("stroke_opacity", "Outline: opacity.", metavar=PERCENT),
    Flag("stroke_softness", "Outline: softness of its outer edge.", metavar=LENGTH),
)
ENGINE = (
    Flag("local", "Run the pipeline in this process, without service and key.", bool, default=False),
    Flag("model", "Model of the local pipeline (see cutout models).", metavar="NAME"),
    Flag("mask_first", "Send a small JPEG and compose at full size here.", bool, default=False),
    Flag("jobs", "Images that are worked on at once; by default 4, and with --local the cores.", int, short="-j",
         metavar="N"),
)  # fmt: skip
CONNECTION = (
    Flag("api_key", "Key of your account.", environment="CUTOUT_API_KEY", metavar="KEY"),
    Flag("base_url", "Where the service is.", environment="CUTOUT_BASE_URL", metavar="URL"),
    Flag("timeout", "Seconds for each try of a request.", float, environment="CUTOUT_TIMEOUT", metavar="S",
         default=60.0),
)  # fmt: skip
PANELS = {"Picture": REMOVAL, "Scene": SCENE, "How": ENGINE, "Service": CONNECTION}
NOT_FIELDS = frozenset({"background"})
"""Flags of a removal that are no options of ``POST /v2``."""


@dataclass(frozen=True)
class Connection:
    """How the service is reached."""

    api_key: str | None
    base_url: str | None
    timeout: float


@dataclass(frozen=True)
class Engine:
    """What does the work."""

    local: bool
    model: str | None
    mask_first: bool
    jobs: int | None


@dataclass(frozen=True)
class Removal:
    """What is wanted of each picture. options: by name, only those that were given."""

    options: dict[str, Any]
    background: str | None


def command(*panels: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a command of a function: shared flags come as ``removal``, ``engine`` and ``connection``, errors in words.

    Args:
        *panels: Keys of :data:`PANELS`.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        flags = {panel: PANELS[panel] for panel in panels}

        @wraps(function)
        def run(**given: Any) -> Any:
            values = {panel: {flag.name: given.pop(flag.name) for flag in flags[panel]} for panel in flags}
            if "Picture" in values:
                wanted = {**values["Picture"], **values["Scene"]}
                background = wanted.pop("background")
                options = {name: value for name, value in wanted.items() if value is not None}
                given["removal"] = Removal(options, background)
            if "How" in values:
                given["engine"] = Engine(**values["How"])
            if "Service" in values:
                given["connection"] = Connection(**values["Service"])
            return failing(function)(**given)

        own = [each for each in _signature(function) if each.name not in {"removal", "engine", "connection"}]
        shared = [flag.parameter(panel) for panel, group in flags.items() for flag in group]
        every = [*own, *shared]
        run.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in every}
        return run

    return decorate


def _signature(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters of a function, keyword only, with annotations as types."""
    # Of a class, since Python before 3.11 hides an annotation behind Optional where a function's default is None.
    holder = type("Holder", (), {"__annotations__": function.__annotations__, "__module__": function.__module__})
    kinds = get_type_hints(holder, include_extras=True)
    for kind in kinds.values():
        if get_args(kind)[:1] == (bool,):  # a flag takes no value, so the help names no type of one
            kind.__metadata__[0].metavar = ""
    return [
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=kinds[each.name])
        for each in inspect.signature(function).parameters.values()
    ]
