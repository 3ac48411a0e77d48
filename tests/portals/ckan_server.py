"""Start and stop a real CKAN on loopback, with PostgreSQL, Redis and, in place of Solr, a stub that keeps nothing.

    python tests/portals/ckan_server.py start FOLDER
    python tests/portals/ckan_server.py stop FOLDER

Needs Debian's packages postgresql and redis-server, and CKAN in FOLDER/ckan-venv (`install.sh` makes it). Everything else lives in FOLDER, and
nothing listens beyond loopback. CKAN reads datasets from its database where the search index has none, so a push needs no real index.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

URL = "http://127.0.0.1:5050"
POSTGRES_PORT, REDIS_PORT, SOLR_PORT = 55432, 56379, 58983
ORGANISATION, OTHER_ORGANISATION = "office", "archive"
PLUGINS = "datastore dcat xloader"
SETTINGS = {
    "ckan.site_url": URL,
    "ckan.plugins": PLUGINS,
    "sqlalchemy.url": f"postgresql://ckan:ckan@127.0.0.1:{POSTGRES_PORT}/ckan",
    "ckan.datastore.write_url": f"postgresql://ckan:ckan@127.0.0.1:{POSTGRES_PORT}/datastore",
    "ckan.datastore.read_url": f"postgresql://reader:reader@127.0.0.1:{POSTGRES_PORT}/datastore",
    "ckanext.xloader.jobs_db.uri": f"postgresql://ckan:ckan@127.0.0.1:{POSTGRES_PORT}/ckan",
    "ckan.redis.url": f"redis://127.0.0.1:{REDIS_PORT}/0",
    "solr_url": f"http://127.0.0.1:{SOLR_PORT}/solr/ckan",
}


def start(folder: Path) -> None:
    """Start the services and an empty CKAN, and write `access.json` with tokens. Raises RuntimeError if something does not come up."""
    stop(folder)
    shutil.rmtree(folder / "storage", ignore_errors=True)
    (folder / "ckan.ini").unlink(missing_ok=True)
    for name in ("run", "log", "storage"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    _start_postgres(folder)
    _start(folder, "redis", shutil.which("redis-server") or "redis-server", "--port", str(REDIS_PORT), "--bind", "127.0.0.1", "--save", "")
    schema = next((folder / "ckan-venv").glob("lib/python3*/site-packages/ckan/config/solr/schema.xml"))
    _start(folder, "solr", sys.executable, str(Path(__file__).with_name("solr_stub.py")), str(SOLR_PORT), str(schema))
    time.sleep(1)
    _ckan(folder, "generate", "config", str(folder / "ckan.ini"), configured=False)
    settings = {**SETTINGS, "ckan.storage_path": str(folder / "storage")}
    _ckan(folder, "config-tool", str(folder / "ckan.ini"), *(f"{name} = {value}" for name, value in settings.items()), configured=False)
    _ckan(folder, "db", "init")
    permissions = _ckan(folder, "datastore", "set-permissions")
    _postgres("psql", "--quiet", "--set", "ON_ERROR_STOP=1", "datastore", text=permissions)
    _start(
        folder, "ckan", str(_program(folder)), "-c", str(folder / "ckan.ini"), "run", "-H", "127.0.0.1", "-p", "5050", "--disable-reloader"
    )
    _wait_until_up(folder)
    _make_users(folder)


def stop(folder: Path) -> None:
    """Stop everything that `start` has started, and remove its database."""
    for name in ("ckan", "solr", "redis"):
        path = folder / "run" / f"{name}.pid"
        if path.exists():
            _end(int(path.read_text(encoding="utf-8")))
            path.unlink()
    location = folder / "run" / "postgres"
    if location.exists():
        data = Path(location.read_text(encoding="utf-8"))
        if (data / "postmaster.pid").exists():
            _postgres(str(_postgres_folder() / "pg_ctl"), "-D", str(data), "-m", "fast", "-w", "stop")
        shutil.rmtree(data, ignore_errors=True)
        location.unlink()


def call(action: str, token: str, **body: object) -> dict[str, object]:
    """Return the result of an action of the API."""
    request = urllib.request.Request(
        f"{URL}/api/3/action/{action}", json.dumps(body).encode(), {"Content-Type": "application/json", "Authorization": token}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        result: dict[str, object] = json.load(response)["result"]
    return result


def _make_users(folder: Path) -> None:
    """Make two organisations and an editor of the first."""
    _ckan(folder, "user", "add", "administrator", "email=administrator@example.org", "password=a-long-password")
    _ckan(folder, "sysadmin", "add", "administrator")
    administrator = _ckan(folder, "user", "token", "add", "administrator", "tests", "-q").split()[-1]
    for organisation in (ORGANISATION, OTHER_ORGANISATION):
        call("organization_create", administrator, name=organisation)
    call("user_create", administrator, name="publisher", email="publisher@example.org", password="a-long-password")
    call("organization_member_create", administrator, id=ORGANISATION, username="publisher", role="editor")
    token = call("api_token_create", administrator, user="publisher", name="tests")["token"]
    (folder / "access.json").write_text(json.dumps({"administrator": administrator, "publisher": token}), encoding="utf-8")


def _start_postgres(folder: Path) -> None:
    data = Path(tempfile.mkdtemp(prefix="zpo2-portals-"))  # PostgreSQL's own user may not be able to enter `folder`
    (folder / "run" / "postgres").write_text(str(data), encoding="utf-8")
    if os.geteuid() == 0:
        shutil.chown(data, "postgres")
    _postgres(str(_postgres_folder() / "initdb"), "-D", str(data), "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
    options = f"-p {POSTGRES_PORT} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    _postgres(str(_postgres_folder() / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(data / "log"), "-w", "start")
    roles = "create role ckan login superuser password 'ckan'; create role reader login password 'reader'"
    _postgres("psql", "--quiet", "postgres", text=roles)
    for name in ("ckan", "datastore"):
        _postgres("createdb", "--owner", "ckan", name)


def _postgres_folder() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(re.sub(r"\D", "", path.parent.name)))
    if not versions:
        raise RuntimeError("Debian's package postgresql is not installed")
    return versions[-1]


def _postgres(*command: str, text: str = "") -> None:
    """Run a command of PostgreSQL as its own user, since it refuses to run as root."""
    environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(POSTGRES_PORT), "PGUSER": "postgres"}
    user = "postgres" if os.geteuid() == 0 else None
    done = subprocess.run(
        command, user=user, env=environment, cwd="/", input=text, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")


def _program(folder: Path) -> Path:
    return folder / "ckan-venv" / "bin" / "ckan"


def _ckan(folder: Path, *arguments: str, configured: bool = True) -> str:
    """Run a command of CKAN and return what it prints."""
    command = [str(_program(folder)), *(["-c", str(folder / "ckan.ini")] if configured else []), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(f"ckan {' '.join(arguments)}: {done.stderr.strip()[-1000:]}")
    return done.stdout


def _start(folder: Path, name: str, *command: str) -> None:
    with (folder / "log" / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder, start_new_session=True)
    (folder / "run" / f"{name}.pid").write_text(str(process.pid), encoding="utf-8")


def _wait_until_up(folder: Path) -> None:
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"{URL}/api/3/action/status_show", timeout=10):
                return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"{URL}: CKAN did not come up; see {folder / 'log' / 'ckan.log'}")


def _end(process: int) -> None:
    for signal in (15, 9):
        for _ in range(50):
            try:
                os.kill(process, signal)
                os.waitpid(process, os.WNOHANG)
            except ChildProcessError:
                pass
            except ProcessLookupError:
                return
            time.sleep(0.1)


if __name__ == "__main__":
    {"start": start, "stop": stop}[sys.argv[1]](Path(sys.argv[2]).absolute())
