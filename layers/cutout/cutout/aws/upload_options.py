"""What people want done with an object that they put into the bucket themselves: its metadata, or else its tags.

The names are those of the fields of ``POST /v2``, and ``mask`` and ``webhook_url``; ``-`` counts as ``_``, for headers
like it better. Tools write metadata of their own, so what has another name is none of ours.
"""

from collections.abc import Callable, Mapping
from typing import Final

from cutout.api.fields import Fields
from cutout.api.options import OPTIONS, boolean, parse_options
from cutout.errors import ImageUrlFetchFailedError, InvalidOptionError
from cutout.job_parts import JobOptions
from cutout.urls import check_url

KNOWN: Final = OPTIONS | {"mask", "webhook_url"}


def find_wishes(metadata: Mapping[str, str], tags: Callable[[], Mapping[str, str]]) -> Fields:
    """The options among an object's metadata; where there are none, among its tags, which are asked for only then.

    Raises InvalidRequestError when one option is given twice.
    """
    return _known(metadata) or _known(tags()) or Fields()


def wished_webhook(fields: Fields, url_allow: frozenset[str]) -> str | None:
    """The URL to tell of the end. url_allow: ``host:port`` pairs that may be private. Raises InvalidOptionError."""
    url = fields.text("webhook_url")
    if url is not None:
        try:
            check_url(url, url_allow, "webhook URL")
        except ImageUrlFetchFailedError as error:
            raise InvalidOptionError(error.message, {"option": "webhook_url"}) from error
    return url


def wished_options(fields: Fields) -> JobOptions:
    """What is wanted. Raises InvalidOptionError."""
    return JobOptions(parse_options(fields), mask=boolean("mask", fields.text("mask") or "false"))


def _known(texts: Mapping[str, str]) -> Fields | None:
    pairs = [(name.strip().lower().replace("-", "_"), text) for name, text in texts.items()]
    wanted = [(name, text) for name, text in pairs if name in KNOWN]
    return Fields(wanted) if wanted else None
