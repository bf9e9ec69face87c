#!/usr/bin/env python3
"""What the operator costs and how fast it is, for many Releases on simulated nodes; see hack/bench footprint.

Usage (by hack/bench): footprint.py [--sizes 10,100,500,1000] [--quick] [--report FILE]
"""
import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/cluster"))
sys.dont_write_bytecode = True

import audit  # noqa: E402 (the path must be set first)
import local_operator  # noqa: E402
import report  # noqa: E402
from fleet import Fleet, KeptApi  # noqa: E402
from kube import path_of  # noqa: E402
from local_operator import LocalOperator  # noqa: E402
from stub_prometheus import StubPrometheus  # noqa: E402
from waiting import eventually  # noqa: E402
from weir_objects import step  # noqa: E402

NAMESPACE = "scale"
STEPS = [5, 25, 50, 100]
WAIT_AT_25 = [step(5), step(25, "1h"), step(50), step(100)]
READS = ("get", "list")
WRITES = ("create", "update", "patch", "delete")
DETECT_ALL = 100
KILL_AT = 500


def say(text):
    print(f"{time.strftime('%H:%M:%S', time.gmtime())} {text}", file=sys.stderr, flush=True)


class Cost:
    """What the operator used from now on."""

    def __init__(self, operator):
        self.operator = operator
        operator.forget_peak()
        self.begin, self.cpu, self.log = time.time(), operator.cpu_seconds(), operator.log_bytes()

    def so_far(self):
        end = time.time()
        events = [e for e in audit.requests(self.begin) if audit.received(e) <= end]
        verbs = Counter(event["verb"] for event in events if not is_lease(event))
        return {
            "seconds": end - self.begin, "cpu": self.operator.cpu_seconds() - self.cpu,
            "resident": self.operator.resident_mib(), "peak": self.operator.peak_mib(),
            "requests": len(events), "lease": sum(map(is_lease, events)),
            "reads": sum(verbs[v] for v in READS), "writes": sum(verbs[v] for v in WRITES),
            "by_name": audit.by_name(events), "refused": by_code(events), "log": self.operator.log_bytes() - self.log,
        }


def is_lease(event):
    return event.get("objectRef", {}).get("resource") == "leases"


def by_code(events):
    return dict(Counter(str(e["responseStatus"]["code"]) for e in events if e["responseStatus"]["code"] >= 400))


class Bench:
    def __init__(self, arguments, folder):
        self.quick = arguments.quick
        self.api = KeptApi()
        local_operator.install(self.api)
        kubeconfig = f"{folder}/kubeconfig"
        local_operator.write_kubeconfig(self.api, kubeconfig)
        self.binary = os.environ["WEIR_BINARY"]
        self.operator = LocalOperator(self.binary, kubeconfig, folder)
        self.stub = StubPrometheus(local_operator.free_port())
        self.fleet = Fleet(self.api, NAMESPACE, self.stub.url)
        self.fleet.apply_policy()
        self.version = 1
        self.results = {}
        self.report = Path(arguments.report)
        self.facts = {"binary": stripped_bytes(self.binary), "pressure": (pressure(), 0.0), "begin": time.time(),
                      "processors": os.cpu_count(), "quick": self.quick}

    def write_report(self):
        self.facts["pressure"] = (self.facts["pressure"][0], pressure())
        self.report.write_text(report.text(self.results, self.facts), encoding="utf-8")

    def close(self):
        self.fleet.close()
        self.operator.stop()
        self.stub.stop()

    def next_version(self):
        self.version += 1
        return f"v{self.version}"

    def run(self, size):
        say(f"{size} releases: creating them")
        if self.operator.process is None:
            self.operator.start()
        self.fleet.add_up_to(size)
        self.settle(size)
        parts = [("start", self.start), ("idle", self.idle), ("release", self.release), ("object", self.object_size)]
        if size == DETECT_ALL or self.quick:
            parts.append(("detect", self.detect))
        if size == KILL_AT or self.quick:
            parts.append(("kill", self.kill))
        found = self.results[size] = {}
        for name, measure in parts:
            found[name] = measure(size)
            say(f"{size} releases, {name}: {json.dumps(found[name])}")
            self.write_report()  # what there is so far: the larger sizes take their time

    def settle(self, size):
        """Until nothing is left to be done: no pods but the stable ones, no requests for some seconds."""
        self.fleet.wait_at_rest(self.fleet.names, 60 + size)
        self.fleet.wait_pods(2 * size, 60 + size)
        time.sleep(3 if self.quick else 10)

    def start(self, size):
        """Killed and started again when there is nothing to do."""
        self.operator.kill()
        self.operator.start()
        begin, first = self.operator.started, None
        while True:
            passes = self.operator.metric("weir_reconciles_total")
            if passes and first is None:
                first = time.time() - begin
            if passes >= size:
                break
            assert time.time() < begin + 120, f"only {passes} passes in 120 s after the start"
            time.sleep(0.02)
        return {"first": first, "all": time.time() - begin, "cpu": self.operator.cpu_seconds(), "peak": self.operator.peak_mib()}

    def idle(self, _):
        time.sleep(5 if self.quick else 20)
        cost, length = Cost(self.operator), 15 if self.quick else 60
        time.sleep(length)
        found = cost.so_far()
        per_minute = 60 / found["seconds"]
        return {**found, "cpu": found["cpu"] * per_minute, "requests": found["requests"] * per_minute}

    def object_size(self, _):
        """Bytes of JSON as the server stores it, of a Release that has been released at least twice if any has."""
        release = self.api.expect("GET", path_of("Release", NAMESPACE, self.fleet.names[0]))
        whole = len(json.dumps(release, separators=(",", ":")))
        del release["metadata"]["managedFields"]
        return {"whole": whole, "without": len(json.dumps(release, separators=(",", ":")))}

    def release(self, size):
        say(f"{size} releases at once")
        queries = self.stub.record()["queries"]
        cost, marks = Cost(self.operator), self.marks()
        times = self.fleet.release_all(self.fleet.names, self.next_version(), 300 + 2 * size)
        done = cost.so_far()
        self.settle(size)
        settled = cost.so_far()
        return {"last": max(times.values()), "median": statistics.median(times.values()), "first": min(times.values()),
                "done": done, "settled": settled, "wrong": self.wrong(marks), "peak": settled["peak"],
                "queries": (self.stub.record()["queries"] - queries) / size}

    def marks(self):
        return {name: len(self.fleet.routes.of[name]) for name in self.fleet.names}

    def wrong(self, marks):
        """The releases that did not get exactly the steps, in their order, since then."""
        return [name for name in self.fleet.names if self.climb(name, marks[name]) != STEPS]

    def climb(self, name, mark):
        weights = [t.weight for t in self.fleet.routes.of[name][mark:] if t.canary and t.weight]
        return [w for i, w in enumerate(weights) if i == 0 or weights[i - 1] != w]

    def detect(self, size):
        say(f"{size} releases: breach at 25 %")
        self.fleet.apply_policy(steps=WAIT_AT_25)
        version = self.next_version()
        names = self.fleet.names[:size]
        self.fleet.each(names, lambda name: self.fleet.set_image(name, version))
        self.fleet.wait_canary_weight(names, 25, 120 + size)
        time.sleep(3)
        single = names[:min(10, size // 2)]
        one = [self.breach([name]) for name in single]
        rest = names[len(single):]
        many = self.breach(rest)
        self.fleet.wait_at_rest(names, 120, phases=("RolledBack",))
        found = {"one": summary([o for run in one for o in run]), "all": summary(many), "count": len(rest)}
        self.fleet.apply_policy()
        self.stub.declare_all_good()
        self.fleet.release_all(names, self.next_version(), 120 + 2 * size)
        self.settle(len(self.fleet.names))
        return found

    def breach(self, names):
        """Of each: seconds from the switch, and from its first bad sample, to weight 0, and how many bad samples it took."""
        switched = self.stub.declare_bad(releases=names)
        taken_back = lambda name: self.fleet.routes.of[name][-1].weight == 0
        eventually("weight 0", lambda: all(map(taken_back, names)), 120, interval=0.02)
        samples = self.stub.record()["bad_samples"]
        found = []
        for name in names:
            zero = next(t.at for t in self.fleet.routes.of[name] if t.at > switched and t.weight == 0)
            bad = [at for at in samples[name] if at >= switched - 1]
            found.append((zero - switched, zero - bad[0], sum(at < zero for at in bad)))
        return found

    def kill(self, size):
        """Killed in the middle of releasing all; started again at once."""
        say(f"{size} releases: kill -9 in the middle")
        marks, version, begin = self.marks(), self.next_version(), time.time()
        before = {name: self.fleet.stable(name) for name in self.fleet.names}
        self.fleet.each(self.fleet.names, lambda name: self.fleet.set_image(name, version))
        beyond = lambda name: self.fleet.routes.of[name][-1].weight >= 25 or self.fleet.stable(name) != before[name]
        middle = lambda: sum(map(beyond, self.fleet.names)) >= size / 4
        eventually("a quarter of the releases has 25 % or more", middle, 60 + size, interval=0.05)
        killed = time.time()
        self.operator.kill()
        self.operator.start()
        new = lambda name: self.fleet.stable(name) != before[name] and self.fleet.releases.of[name].is_at_rest()
        eventually("all are released after the kill", lambda: all(map(new, self.fleet.names)), 300 + 2 * size)
        done = time.time()
        self.settle(size)
        writes = [audit.received(e) for e in audit.requests(killed) if e["verb"] in WRITES and not is_lease(e)]
        # What the dead process had under way is answered after its death; the new one needs longer than that to start.
        silence = min((at for at in writes if at > self.operator.started + 0.02), default=done) - killed
        return {"after": killed - begin, "silence": silence, "seconds": done - begin, "wrong": self.wrong(marks)}


def summary(runs):
    """Median and worst of each column of `breach`."""
    switch, sample, count = zip(*runs)
    return {"switch": (statistics.median(switch), max(switch)), "sample": (statistics.median(sample), max(sample)),
            "samples": dict(Counter(count)), "n": len(runs)}


def stripped_bytes(binary):
    """What people download; the file of a build has its debugging tables still."""
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(["strip", "-o", file.name, binary], check=True)
        return os.path.getsize(file.name)


def pressure():
    """Percent of the last minute in which something waited for a processor."""
    found = re.search(r"avg60=([\d.]+)", Path("/proc/pressure/cpu").read_text(encoding="ascii"))
    return float(found.group(1))


def main():
    # Whoever ends the script that runs us ends us like this; what we started must end too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", default="")
    parser.add_argument("--quick", action="store_true", help="ten releases and short waits: tries the bench itself")
    parser.add_argument("--report", required=True)
    arguments = parser.parse_args()
    sizes = [int(size) for size in (arguments.sizes or ("10" if arguments.quick else "10,100,500,1000")).split(",")]
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, folder)
        try:
            for size in sorted(sizes):
                bench.run(size)
        finally:
            bench.close()
    print(bench.report.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
