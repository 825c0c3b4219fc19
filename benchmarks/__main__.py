"""`make bench`: every benchmark, one after the other; each prints its ratios. Names as arguments choose some of them."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
ALL = ("rollups", "visible", "pages", "import_fts")


def main() -> int:
    chosen = [name for name in sys.argv[1:] if name in ALL] or ALL
    worst = 0
    for name in chosen:
        print(f"\n## {name}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, str(FOLDER / f"{name}.py")], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
