"""The counting program is itself tested: a loader that hid failures would make every story pass."""
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GO_TEST = ". hack/lib/common.sh && . hack/lib/go.sh && need_go && cd tests/cluster/web && go vet . && go test ."


def test_the_web_program_counts_right():
    done = subprocess.run(["bash", "-c", f"set -e; {GO_TEST}"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
