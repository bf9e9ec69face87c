"""Callers that count: on this machine through the gateway, and in a pod through the Service."""
import contextlib
import json
import os
import subprocess
from collections import Counter
from dataclasses import dataclass, field

from kube import kubectl
from waiting import eventually
from weir_objects import caller_pod

BIN_SECONDS = 0.1
# Counting begins once the way is there: what the first moments of a new Service cost is not the price of a release.
WAIT = ["--wait", "30s"]


@dataclass
class Counts:
    answers: Counter = field(default_factory=Counter)  # "<version> <status>"
    failures: Counter = field(default_factory=Counter)  # text of a transport error
    pods: Counter = field(default_factory=Counter)

    def add(self, line):
        self.answers.update(line["answers"])
        self.failures.update(line.get("failures", {}))
        self.pods.update(line.get("pods", {}))

    @property
    def total(self):
        return self.answers.total() + self.failures.total()

    def percent(self, version):
        ours = sum(n for key, n in self.answers.items() if key.split()[0] == version)
        return 100 * ours / self.answers.total()

    def failed(self):
        """Everything that is not a 200 of the service, by what it was."""
        return self.failures + Counter({key: n for key, n in self.answers.items() if key.split()[1] != "200"})


def read_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


class Record:
    """What a loader wrote, after it has ended."""

    def __init__(self, lines):
        assert lines and lines[-1].get("total"), "the loader was cut off before its sums"
        self.bins, self.last = lines[:-1], lines[-1]
        self.all = Counts()
        self.all.add(self.last)
        self.max_ms = self.last["max_ms"]

    def between(self, begin, end):
        """The bins that lie wholly within the window."""
        counts = Counts()
        for line in self.bins:
            if line["from"] >= begin and line["from"] + BIN_SECONDS <= end:
                counts.add(line)
        return counts


class HostProcess:
    """The program on this machine; its lines go into a file."""

    def __init__(self, web, arguments, path):
        self.path = path
        path.parent.mkdir(exist_ok=True)
        with open(path, "wb") as file:
            self.process = subprocess.Popen([web, *arguments], stdout=file, stderr=subprocess.STDOUT)

    def lines(self):
        with open(self.path, encoding="utf-8") as file:
            return read_lines(file.read())

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=15)
        return self.lines()


class PodProcess:
    """The program in a pod."""

    def __init__(self, api, namespace, name, arguments):
        self.api, self.namespace, self.name = api, namespace, name
        api.create(caller_pod(namespace, name, arguments))
        eventually(f"pod {name} runs", lambda: self.phase() == "Running")

    def phase(self):
        return self.api.get("Pod", self.namespace, self.name)["status"].get("phase")

    def stop(self):
        # Process 1 may be gone, and the container with it, before this one has ended: its exit code tells nothing.
        kubectl("exec", "-n", self.namespace, self.name, "--", "/web", "stop", check=False)
        eventually(f"pod {self.name} ends", lambda: self.phase() in ("Succeeded", "Failed"))
        return self.lines()

    def lines(self):
        return read_lines(kubectl("logs", "-n", self.namespace, self.name))


def load_from_outside(host, folder, rps):
    arguments = ["load", "--url", os.environ["WEIR_GATEWAY_URL"], "--host", host, "--rps", str(rps), "--connections", "8"]
    return HostProcess(os.environ["WEIR_TEST_WEB"], [*arguments, *WAIT], folder / "outside.jsonl")


class Outside:
    """Load from outside alone: for many services at once."""

    def __init__(self, host, folder, rps):
        self.process = load_from_outside(host, folder, rps)
        self.record = None

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        with contextlib.suppress(Exception) if failure else contextlib.nullcontext():
            self.record = Record(self.process.stop())

    def failed(self):
        return self.record.all.failed()


class Inside:
    """Load from inside alone, each request on a connection of its own: kube-proxy shares out connections."""

    def __init__(self, api, namespace, rps=50, service="shop"):
        url = f"http://{service}.{namespace}/once"
        self.process = PodProcess(api, namespace, "caller", ["load", "--url", url, "--rps", str(rps), "--connections", "4", *WAIT])
        eventually("the caller inside has counted something", self.process.lines, timeout=40)
        self.record = None

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        with contextlib.suppress(Exception) if failure else contextlib.nullcontext():
            self.record = Record(self.process.stop())

    def failed(self):
        return self.record.all.failed()


class Callers:
    """All of them: load from outside and from inside, and one stream from outside that is never let go."""

    def __init__(self, api, namespace, host, folder, rps=200, inside_rps=50, service="shop"):
        web, gateway = os.environ["WEIR_TEST_WEB"], os.environ["WEIR_GATEWAY_URL"]
        inside = ["load", "--url", f"http://{service}.{namespace}", "--rps", str(inside_rps), "--connections", "4", *WAIT]
        stream = ["hold", "--url", f"{gateway}/stream", "--host", host]
        self.processes = {}
        self.begin("inside", PodProcess(api, namespace, "caller", inside))
        self.begin("outside", load_from_outside(host, folder, rps))
        self.begin("stream", HostProcess(web, stream, folder / "stream.jsonl"))
        self.inside = self.outside = self.stream = None

    def begin(self, name, process):
        eventually(f"the caller {name} has counted something", process.lines, timeout=40)
        self.processes[name] = process

    def counted_outside(self, since):
        """How many requests since then, while the loader runs."""
        return sum(line["sent"] for line in self.processes["outside"].lines() if line.get("from", 0) >= since)

    def let_go_of_stream(self):
        self.stream = self.processes.pop("stream").stop()

    def stop(self):
        if "stream" in self.processes:
            self.let_go_of_stream()
        self.inside, self.outside = (Record(self.processes.pop(name).stop()) for name in ("inside", "outside"))

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure is None:
            self.stop()
            return
        # The story's own failure says more than what its callers may add.
        for process in self.processes.values():
            with contextlib.suppress(Exception):
                process.stop()
