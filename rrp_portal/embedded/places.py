"""Where the embedded services keep data, sockets and locks, and as whom they run."""

import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LONGEST_SOCKET_FOLDER = 70  # a Unix socket's whole path must stay under about 100 characters
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


class CannotStart(RuntimeError):
    """A service cannot start; the message is one sentence for the person at the terminal."""


def run_folder() -> Path:
    """Where all local data lies: `.run` in the project, or the folder RRP_RUN_FOLDER names; created when missing."""
    folder = Path(os.environ.get("RRP_RUN_FOLDER") or PROJECT / ".run").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def package_folder(package: str) -> Path:
    """The folder of an installed package, found without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(f"The package {package} is not installed: run `make install` first.")
    return Path(next(iter(spec.submodule_search_locations)))


def socket_folder(name: str) -> Path:
    """A short path for the sockets of one service, different for every run folder and user."""
    mark = hashlib.sha256(f"{run_folder()}:{os.getuid()}".encode()).hexdigest()[:10]
    base = Path(tempfile.gettempdir())
    if len(str(base)) > LONGEST_SOCKET_FOLDER - 30:
        base = Path("/tmp")  # noqa: S108  (the folder made inside is private, and its owner is checked)
    return base / f"rrp-{mark}-{name}"


def make_private(folder: Path) -> None:
    """Create the socket folder for oneself only; refuse one that somebody else made first."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in {os.getuid(), server_uid()}:
        raise CannotStart(f"{folder} belongs to somebody else: remove it, or set TMPDIR to another folder.")


def server_uid() -> int:
    """The user id PostgreSQL runs under: the caller's, or an unprivileged one when the caller is root."""
    return pwd.getpwnam(UNPRIVILEGED).pw_uid if os.getuid() == 0 else os.getuid()


def give_to_server(folder: Path) -> None:
    """Create the folder, private to the user PostgreSQL runs under."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.getuid() == 0:
        os.chown(folder, server_uid(), pwd.getpwnam(UNPRIVILEGED).pw_gid)
    folder.chmod(0o700)


def as_server(*needed: Path) -> list[str]:
    """The command prefix that drops root for PostgreSQL, able to reach the folders it needs; empty for other users."""
    if os.getuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise CannotStart("PostgreSQL does not run as root: install util-linux (setpriv), or run as another user.")
    account = pwd.getpwnam(UNPRIVILEGED)
    prefix = [setpriv, f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    if not all(_open_to_others(path) for path in needed):  # a checkout below a private folder such as /root
        prefix += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return prefix


def _open_to_others(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the file, waiting for it, so that one process at a time starts or stops a service."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
