"""Keeps a few processes running: restarts those that crash, passes on what they say, and stops them all."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

LONGEST_PAUSE = 30.0
STEADY = 60.0  # seconds after which a process counts as healthy again
GRACE = 20.0


@dataclass
class Process:
    """One command in a process group of its own, so that its children end with it."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    popen: subprocess.Popen[str] | None = None
    started_at: float = 0.0
    next_start: float = 0.0
    pause: float = field(default=0.5)

    def start(self) -> None:
        """Start the command and a thread that prints its lines after its name."""
        self.started_at = time.monotonic()
        self.popen = subprocess.Popen(
            self.command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=self._pass_on, args=(self.popen,), daemon=True).start()

    def signal_leader(self, number: signal.Signals) -> None:
        """Ask the process itself, which tells its own children when it is ready."""
        if self.popen and self.popen.poll() is None:
            self.popen.send_signal(number)

    def end_group(self) -> None:
        """Kill whatever is left of the process and its children."""
        if self.popen:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()

    def _pass_on(self, popen: subprocess.Popen[str]) -> None:
        assert popen.stdout is not None  # noqa: S101  (for the type checker: it is a pipe)
        for line in popen.stdout:
            say(f"{self.name:>6} | {line.rstrip()}")


class Supervisor:
    """Runs the processes until a signal asks to stop."""

    def __init__(self, processes: list[Process]) -> None:
        """The processes start in this order and stop in the opposite one."""
        self.processes = processes
        self.stopping = threading.Event()
        self.hurry = False

    def install_signals(self) -> None:
        """Let Ctrl-C, SIGTERM and a closed terminal stop everything; a second one does not wait."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def start(self) -> None:
        """Start every process once."""
        for process in self.processes:
            process.start()

    def watch(self) -> None:
        """Restart what ends, waiting longer each time, until asked to stop."""
        while not self.stopping.wait(0.2):
            for process in self.processes:
                self._look_after(process)

    def stop(self) -> None:
        """Stop every process and all their children."""
        for process in reversed(self.processes):
            process.signal_leader(signal.SIGTERM)
        until = time.monotonic() + GRACE
        while any(process.popen and process.popen.poll() is None for process in self.processes):
            if self.hurry or time.monotonic() > until:
                break
            time.sleep(0.05)
        for process in self.processes:
            process.end_group()

    def _look_after(self, process: Process) -> None:
        now = time.monotonic()
        if process.popen is not None and process.popen.poll() is not None:
            code = process.popen.returncode
            process.end_group()
            process.popen = None
            process.pause = 0.5 if now - process.started_at > STEADY else min(process.pause * 2, LONGEST_PAUSE)
            process.next_start = now + process.pause
            say(f"{process.name} ended with code {code}; it starts again in {process.pause:.0f} s.")
        elif process.popen is None and now >= process.next_start:
            process.start()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.hurry = self.stopping.is_set()
        self.stopping.set()


def say(line: str) -> None:
    """Print a line at once; a closed terminal is no reason to stop half way."""
    with suppress(OSError, ValueError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
