"""The commands that copy a release to a portal, a bucket or a folder. `exports.push` does the work.

They only read the workspace and take no lock: a run may go on meanwhile. With --home given they work even with a broken pack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from pipelines.cli.options import HomeOption, PackOption, printable, readable_workspace
from pipelines.core.errors import UsageError, Zpo2Error
from pipelines.core.settings import Settings

if TYPE_CHECKING:
    from exports.push.push_plan import PushPlan

VersionOption = Annotated[str | None, typer.Option("--version", help="Version of the release; default: the current one.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]
SECRET = re.compile(r"ZPO2_SECRET_[A-Z0-9_]+")

push = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Copy a release to a portal, a bucket or a folder. The same push again does only what is missing.",
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
    only: Annotated[list[str] | None, typer.Option("--only", help="Push only this dataset; may be repeated.")] = None,
    adopt: Annotated[
        list[str] | None,
        typer.Option("--adopt", help="Take over this dataset of the portal, which is not from this workspace; may be repeated."),
    ] = None,
    private: Annotated[
        bool | None,
        typer.Option("--private/--public", help="Hide the datasets, for a review, or show them; default: new ones are shown, others stay."),
    ] = None,
    version: VersionOption = None,
    dry_run: DryRunOption = False,
    pack: PackOption = None,
    home: HomeOption = None,
) -> None:
    """Show the release on a CKAN portal. Each dataset of its catalogue is one there, with the fields of ckanext-dcat."""
    with _selected(pack, home, version) as (out, settings):
        from exports.push import ckan
        from exports.push.ckan_client import Portal, portal_address

        address = portal_address(url, settings.allowed_hosts())
        portal = Portal(address, _secret(settings, api_key_env, urlsplit(address).hostname or ""), api_key_env)
        options = ckan.Options(upload, owner_org, prefix, language, frozenset(only or ()), frozenset(adopt or ()), private, dry_run)
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
    """Copy the release into a folder. It appears there at once or not at all."""
    with _selected(pack, home, version) as (out, _):
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
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="How many connections are used at once.")] = 10,
    version: VersionOption = None,
    dry_run: DryRunOption = False,
    pack: PackOption = None,
    home: HomeOption = None,
) -> None:
    """Put the release into an S3 bucket. The pointer to the current release goes last."""
    with _selected(pack, home, version) as (out, settings):
        from exports.push import s3

        host = _host(endpoint) if endpoint else "amazonaws.com"
        key, secret = (_secret(settings, variable, host) for variable in (access_key_env, secret_key_env))
        where = s3.Bucket(bucket, (prefix or "").strip("/"), endpoint, region, key, secret, jobs)
        changed = s3.push(out, where, _say, dry_run=dry_run)
        _say(f"{out.version}: {where}, {_outcome(changed, dry_run)}")


@contextmanager
def _selected(pack: Path | None, home: Path | None, version: str | None) -> Iterator[tuple[PushPlan, Settings]]:
    """Yield the release that the options name. Raises PackError, WorkspaceError, PushError, ReleaseError, Zpo2Error."""
    from exports.push.push_plan import select_release

    workspace = readable_workspace(pack, home)
    try:
        yield select_release(workspace.public, version), workspace.settings
    except OSError as error:
        raise Zpo2Error(f"{error.filename or workspace.public}: {error.strerror or error}") from None


def _host(endpoint: str) -> str:
    """Return the host of the address of a store."""
    try:
        parts = urlsplit(endpoint)
        host = parts.hostname if parts.scheme in ("https", "http") and not (parts.username or parts.query or parts.fragment) else None
    except ValueError:
        host = None
    if not host:
        raise UsageError("--endpoint: expected the address of a store, such as https://s3.example.org")
    return host


def _secret(settings: Settings, variable: str, host: str) -> str:
    """Return the secret in `variable`, which may go to `host`."""
    if not SECRET.fullmatch(variable):
        # what was given is not repeated: it may be the secret itself
        raise UsageError("a secret is given by the name of its variable: ZPO2_SECRET_<NAME>, in capital letters, digits and _")
    secret = (settings.secret(variable) or "").strip()
    if not secret:
        raise UsageError(f"{variable} is not set")
    if not (secret.isascii() and secret.isprintable()):
        raise UsageError(f"{variable}: has characters that no key has")
    hosts = settings.secret_hosts(variable)
    if hosts and host.lower() not in hosts:
        raise UsageError(f"{variable}_HOSTS does not name {host}: the secret is not sent there")
    return secret


def _outcome(changed: int, dry_run: bool) -> str:
    if not changed:
        return "nothing to do"
    number = f"{changed} " if not isinstance(changed, bool) else ""
    return f"{number}to change; nothing was sent" if dry_run else f"{number}changed" if number else "done"


def _say(line: str) -> None:
    print(printable(line), flush=True)
