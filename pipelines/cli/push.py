"""The commands that bring a release to a portal, a bucket, a folder. Reads options and secrets, says what happened; `exports.push` does it.

They only read the home, and take no lock of it: a run may go on meanwhile. A pack that is broken is no obstacle where the home is given.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from urllib.parse import urlsplit

import typer

from pipelines.cli.releases import HomeOption, PackOption, placed
from pipelines.core.errors import Zpo2Error
from pipelines.core.settings import Settings
from pipelines.runs.run import FAILED, WRONG

if TYPE_CHECKING:
    from exports.push.push_plan import PushPlan

VersionOption = Annotated[str | None, typer.Option("--version", help="Version of the release; default: the current one.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]
SECRET = re.compile(r"ZPO2_SECRET_[A-Z0-9_]+")

push = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Bring a release to where its readers look for it. The same push again does only what is missing.",
    epilog="Example: zpo2 push dir --pack packs/demo --to portal",
)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.add_typer(push, name="push")


@push.command(
    "ckan",
    epilog="Example: zpo2 push ckan --pack packs/demo --url https://portal.example.org --api-key-env ZPO2_SECRET_CKAN --owner-org office",
)
def push_ckan(  # noqa: PLR0917 - options of the command
    url: Annotated[str, typer.Option("--url", help="Address of the portal, without /api.")],
    api_key_env: Annotated[str, typer.Option("--api-key-env", help="Variable that holds the API key: ZPO2_SECRET_<NAME>.")],
    owner_org: Annotated[str | None, typer.Option("--owner-org", help="Organisation that owns the datasets: name or id.")] = None,
    upload: Annotated[
        bool | None,
        typer.Option("--upload/--links", help="Upload the files, or link to them; default: links where the pack has a base_uri."),
    ] = None,
    prefix: Annotated[str | None, typer.Option("--prefix", help="What names of datasets begin with; default: the id of the pack.")] = None,
    language: Annotated[
        str | None, typer.Option("--language", help="Language of titles and descriptions; default: the pack's first.")
    ] = None,
    version: VersionOption = None,
    dry_run: DryRunOption = False,
    pack: PackOption = None,
    home: HomeOption = None,
) -> None:
    """Make a CKAN portal show the release: one dataset a table, with the fields of ckanext-dcat."""
    with _told(pack, home, version) as (out, settings):
        from exports.push import ckan
        from exports.push.ckan_client import Portal, portal_address

        address = portal_address(url, settings.allowed_hosts())
        portal = Portal(address, _secret(settings, api_key_env, urlsplit(address).hostname or ""), api_key_env)
        options = ckan.Options(upload, owner_org, prefix, language, dry_run)
        count, changed = ckan.push(out, portal, options, _say)
        _say(f"{out.version}: {count} datasets on {portal.root}, {_outcome(changed, dry_run)}")


@push.command("dir", epilog="Example: zpo2 push dir --pack packs/demo --to portal")
def push_dir(
    to: Annotated[Path, typer.Option("--to", help="Folder that is served, or copied on.")],
    version: VersionOption = None,
    dry_run: DryRunOption = False,
    pack: PackOption = None,
    home: HomeOption = None,
) -> None:
    """Copy the release into a folder, where it appears at once or not at all."""
    with _told(pack, home, version) as (out, _):
        from exports.push import folder

        changed = folder.push(out, to.absolute(), _say, dry_run=dry_run)
        _say(f"{out.version}: {to}, {_outcome(changed, dry_run)}")


@push.command(
    "s3",
    epilog="Example: zpo2 push s3 --pack packs/demo --bucket data --prefix zpo2 --endpoint https://s3.example.org "
    "--access-key-env ZPO2_SECRET_S3_ID --secret-key-env ZPO2_SECRET_S3_KEY",
)
def push_s3(  # noqa: PLR0917 - options of the command
    bucket: Annotated[str, typer.Option("--bucket", help="Name of the bucket.")],
    access_key_env: Annotated[str, typer.Option("--access-key-env", help="Variable that holds the access key: ZPO2_SECRET_<NAME>.")],
    secret_key_env: Annotated[str, typer.Option("--secret-key-env", help="Variable that holds the secret key: ZPO2_SECRET_<NAME>.")],
    prefix: Annotated[str | None, typer.Option("--prefix", help="What names of objects begin with, such as open/data.")] = None,
    endpoint: Annotated[str | None, typer.Option("--endpoint", help="Address of the store; default: that of AWS.")] = None,
    region: Annotated[str, typer.Option("--region", help="Region of the bucket, where the store has regions.")] = "us-east-1",
    version: VersionOption = None,
    dry_run: DryRunOption = False,
    pack: PackOption = None,
    home: HomeOption = None,
) -> None:
    """Put the release into a bucket of an object store that speaks S3, the pointer last."""
    with _told(pack, home, version) as (out, settings):
        from exports.push import s3

        host = _host(endpoint) if endpoint else "amazonaws.com"
        key, secret = (_secret(settings, variable, host) for variable in (access_key_env, secret_key_env))
        where = s3.Bucket(bucket, (prefix or "").strip("/"), endpoint, region, key, secret)
        changed = s3.push(out, where, _say, dry_run=dry_run)
        _say(f"{out.version}: {where}, {_outcome(changed, dry_run)}")


@contextmanager
def _told(pack: Path | None, home: Path | None, version: str | None) -> Iterator[tuple[PushPlan, Settings]]:
    """Yield the release that is meant; what goes wrong is a line and an exit code. Raises PackError, HomeError."""
    from exports.push.push_plan import select_release

    place, settings = placed(pack, home)
    try:
        yield select_release(place.public, version), settings
    except Zpo2Error as error:
        _stop(error.exit_code, str(error))
    except OSError as error:
        _stop(FAILED, f"{error.filename or place.public}: {error.strerror or error}")


def _host(endpoint: str) -> str:
    """Return the host of the address of a store."""
    try:
        parts = urlsplit(endpoint)
        host = parts.hostname if parts.scheme in ("https", "http") and not (parts.username or parts.query or parts.fragment) else None
    except ValueError:
        host = None
    if not host:
        _stop(WRONG, "--endpoint: expected the address of a store, such as https://s3.example.org")
    return host


def _secret(settings: Settings, variable: str, host: str) -> str:
    """Return the secret in `variable`, which may go to `host`."""
    if not SECRET.fullmatch(variable):
        # what was given is not repeated: it may be the secret itself
        _stop(WRONG, "a secret is given by the name of its variable: ZPO2_SECRET_<NAME>, in capital letters, digits and _")
    secret = (settings.secret(variable) or "").strip()
    if not secret:
        _stop(WRONG, f"{variable} is not set")
    if not (secret.isascii() and secret.isprintable()):
        _stop(WRONG, f"{variable}: has characters that no key has")
    hosts = settings.secret_hosts(variable)
    if hosts and host.lower() not in hosts:
        _stop(WRONG, f"{variable}_HOSTS does not name {host}: the secret is not sent there")
    return secret


def _outcome(changed: int, dry_run: bool) -> str:
    if not changed:
        return "nothing to do"
    number = f"{changed} " if not isinstance(changed, bool) else ""
    return f"{number}to change; nothing was sent" if dry_run else f"{number}changed" if number else "done"


def _say(line: str) -> None:
    # what a portal answers may be commands to the terminal
    print("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line), flush=True)


def _stop(code: int, line: str) -> NoReturn:
    print(line, file=sys.stderr)
    raise SystemExit(code)
