"""`python -m rrp_portal.embedded`: run commands beside the embedded services, or the whole portal."""

import argparse
import subprocess
import sys
from collections.abc import Sequence

from rrp_portal.embedded import local, services
from rrp_portal.embedded.places import CannotStart


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _ACTIONS[options.action](options)
    except CannotStart as reason:
        return _complain(str(reason))
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rrp_portal.embedded", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("run", help="the whole portal: services, web, worker and beat")
    for name, words in (("exec", "a command beside the lasting services"), ("test", "a command beside throwaway ones")):
        action = actions.add_parser(name, help=words)
        action.add_argument("command", nargs=argparse.REMAINDER, help="-- and the command")
    stop = actions.add_parser("stop", help="stop services that nobody uses")
    stop.add_argument("--force", action="store_true", help="also those in use")
    return parser


def _run(options: argparse.Namespace) -> int:
    from rrp_portal.embedded import portal  # noqa: PLC0415

    return portal.run()


def _exec(options: argparse.Namespace) -> int:
    with services.for_running() as environment:
        return _call(options.command, environment)


def _test(options: argparse.Namespace) -> int:
    with services.for_testing() as environment:
        return _call(options.command, environment)


def _stop(options: argparse.Namespace) -> int:
    used = services.stop_all(even_if_used=options.force)
    return _complain("In use, and left running: " + ", ".join(used) + ".") if used else 0


def _call(command: list[str], environment: dict[str, str]) -> int:
    """Run the command with the environment it does not have yet; its exit code."""
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        return _complain("Say which command to run, after `--`.")
    try:
        process = subprocess.Popen(command, env=local.environment(environment, debug=True))
    except FileNotFoundError:
        return _complain(f"There is no command {command[0]}.")
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the command got it too, and decides
            continue


def _complain(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return 1


_ACTIONS = {"run": _run, "exec": _exec, "test": _test, "stop": _stop}

if __name__ == "__main__":
    sys.exit(main())
