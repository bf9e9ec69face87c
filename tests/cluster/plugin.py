"""`kubectl weir`, called as people call it."""
import os
import subprocess

OK, FAILED, USAGE, TIMED_OUT, ROLLED_BACK, NOT_FOUND, FORBIDDEN = 0, 1, 2, 3, 5, 6, 7


class Plugin:
    def __init__(self, folder, namespace):
        self.namespace = namespace
        self.environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}

    def __call__(self, *words, stdin=None, code=OK, environment=None):
        """What it printed; its exit code must be `code`."""
        done = subprocess.run(["kubectl", "weir", *map(str, words)], input=stdin, capture_output=True, text=True,
                              timeout=180, env={**self.environment, **(environment or {})}, check=False)
        assert done.returncode == code, f"kubectl weir {words}: {done.returncode}: {done.stdout}{done.stderr}"
        return done

    def out(self, *words, **how):
        return self(words[0], "-n", self.namespace, *words[1:], **how).stdout
