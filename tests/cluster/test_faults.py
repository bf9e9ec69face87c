"""Faults at moments that nobody chose, while ten releases are under way: they cost time, and nothing else."""
import contextlib
import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import audit
import components
from gateway_sight import GatewaySight
from kube import Watch, kubectl
from load import Counts
from story import restarts
from waiting import eventually
from weir_objects import step

SHOPS = 10
BAD = {2, 5, 8}
STEPS = [25, 50, 100]


def test_faults_cost_ten_releases_time_and_nothing_else(api, shops, new_namespace, leaders, figures):
    seed = int(os.environ.get("WEIR_SEED") or random.SystemRandom().randrange(1_000_000))
    figures.add("faults", seed=seed)
    dice = random.Random(seed)
    leaders.wait_two()
    sight = GatewaySight(api, new_namespace())
    fleet = [Shopkeeper(shop, number in BAD, dice.randint(4, 9)) for number, shop in enumerate(shops(SHOPS))]
    begin = time.time()
    with contextlib.ExitStack() as all_load, ThreadPoolExecutor(1) as aside:
        for keeper in fleet:
            keeper.begin_v1()
        for keeper in fleet:
            keeper.wait_v1()
            keeper.load = all_load.enter_context(keeper.shop.outside(rps=20))
        for keeper in fleet:
            keeper.begin_v2()
        faults = [strike(fault, dice.uniform(2, 8), leaders) for fault in (kill_leader, delete_leader, restart_api_server)]
        caught_up = aside.submit(sight.caught_up)
        faults.append(strike(kill_leader, dice.uniform(2, 8), leaders))
        for keeper in fleet:
            keeper.wait_end()
        time.sleep(2)
        faults.append(Fault("the gateway's watches are back", faults[2].begin, caught_up.result()))
    for keeper in fleet:
        keeper.check(faults)
    tell(figures, faults, begin, sum(k.load.record.all.total for k in fleet))


def tell(figures, faults, begin, requests):
    writes = [audit.received(e) for e in audit.requests(begin) if e["verb"] in audit.WRITES]
    *strikes, sight = faults
    silences = [min((w for w in writes if w > fault.end), default=None) for fault in strikes]
    # On a slow machine the last of them may find everything done.
    assert None not in silences[:2], silences
    for number, (fault, next_write) in enumerate(zip(strikes, silences), 1):
        silence = "nothing was left to do" if next_write is None else round(next_write - fault.end, 2)
        figures.add("faults", **{f"s of silence after {fault.name} ({number})": silence})
    figures.add("faults", **{"s until the gateway's watches were back": round(sight.end - sight.begin, 1)})
    figures.add("faults", **{"s in all": round(time.time() - begin, 1), "requests": requests})


# ---- the faults ----


@dataclass
class Fault:
    name: str
    begin: float  # seconds since the epoch
    end: float  # when it was over, as far as we had a hand in it


def strike(fault, pause, leaders):
    time.sleep(pause)
    eventually("a leader runs", leaders.leading_pid, timeout=60)
    begin = time.time()
    fault(leaders)
    return Fault(fault.__name__.replace("_", " "), begin, time.time())


def kill_leader(leaders):
    os.kill(leaders.leading_pid(), signal.SIGKILL)


def delete_leader(leaders):
    leaders.delete(leaders.leader())


def restart_api_server(_):
    with components.gone("kube-apiserver"):
        time.sleep(1)
    eventually("the API server is ready", lambda: kubectl("get", "--raw", "/readyz", check=False).returncode == 0, timeout=60)


# ---- what becomes of the releases ----


class Shopkeeper:
    """One release of the ten: good or bad, with a hold of its own, so that each fault meets them at different places."""

    def __init__(self, shop, bad, hold):
        self.shop, self.bad, self.hold, self.load = shop, bad, hold, None
        self.pods = Watch(shop.api, "Pod", shop.namespace, f"weir.dev/release={shop.name}")
        for watch in (self.pods, shop.releases, shop.routes):
            watch.lists_again = True

    def begin_v1(self):
        steps = [step(weight, f"{self.hold}s") for weight in STEPS[:-1]] + [step(100)]
        # A gateway with ten changed routes on a busy machine says Accepted long before all of its traffic goes there.
        self.shop.apply_policy(steps=steps, drain="15s", watch="1s", minReadySeconds=1)
        self.generation = self.shop.apply("v1", replicas=2)

    def wait_v1(self):
        self.stable = self.shop.wait_phase("Healthy", self.generation)["stable"]["revision"]

    def begin_v2(self):
        self.generation = self.shop.apply("v2", replicas=2, error_rate=0.5 if self.bad else 0)

    def wait_end(self):
        self.final = self.shop.wait_phase("RolledBack" if self.bad else "Healthy", self.generation, timeout=180)
        self.canary = self.shop.canary_revision(self.generation)

    def check(self, faults):
        where = self.shop.namespace
        steps = self.shop.steps_of(self.canary)
        assert self.final["stable"]["revision"] == (self.stable if self.bad else self.canary), where
        # A fault may take from the judge what was counted of a bad one, which then has one weight more before it is found.
        taken_back = [STEPS[:n] + [0] for n in (1, 2)]
        assert [w.of for w in steps] in (taken_back if self.bad else [STEPS]), f"{where}: {steps}"
        assert set(self.load.failed()) <= ({"v2 500"} if self.bad else set()), f"{where}: {self.load.failed()}\n{self.story(faults)}"
        for weights, following in zip(steps, steps[1:]):
            if following.of:
                held = following.at - self.counts_from(weights.of)
                assert held >= self.hold, f"{where}: {weights.of} % was held for {held:.2f} s of {self.hold}"
        self.check_pods()

    def story(self, faults):
        """What happened when, second by second: weights, faults, and what callers did not get."""
        told = [(w.at, f"weights {w.of}") for w in self.shop.written()] + [(fault.end, fault.name) for fault in faults]
        seconds = {}
        for line in self.load.record.bins:
            counts = seconds.setdefault(int(line["from"]), Counts())
            counts.add(line)
        told += [(second, dict(counts.failed())) for second, counts in seconds.items() if counts.failed()]
        return "\n".join(f"{time.strftime('%T', time.gmtime(at))} {what}" for at, what in sorted(told, key=lambda one: one[0]))

    def counts_from(self, weight):
        """The last time in status from which the hold of a weight counts, in seconds since the epoch."""
        canaries = [seen.object.get("status", {}).get("canary") or {} for seen in self.shop.releases.snapshot()]
        return max(audit.seconds(c["since"]) for c in canaries if c.get("weight") == weight and "since" in c)

    def check_pods(self):
        """Each revision had two pods in its life, and none of them was started a second time."""
        by_revision = {}
        for seen in self.pods.snapshot():
            pod = seen.object
            assert not restarts(pod), f"{self.shop.namespace}: {pod['metadata']['name']} was started again"
            by_revision.setdefault(pod["metadata"]["labels"]["weir.dev/revision"], set()).add(pod["metadata"]["uid"])
        counts = {revision: len(pods) for revision, pods in by_revision.items()}
        assert counts.pop(self.stable) == 2, self.shop.namespace
        assert counts in ([{self.canary: 1}, {self.canary: 2}] if self.bad else [{self.canary: 2}]), f"{self.shop.namespace}: {counts}"
