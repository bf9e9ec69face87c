"""Two operators, one of which acts: what happens when it goes, with and without a word, or comes back from the dead."""
import signal
import time

import audit
from waiting import eventually

STEPS = [5, 25, 50, 100]
HOLD = 15.0
# Times in status are whole seconds, so a wait that is counted from one may end up to a second early.
ROUNDING = 1.0
LEASE = 15.0
LOOK = 5.0  # a look each 2 to 2.4 s, and an answer, on two busy cores


def test_a_release_goes_on_under_the_next_leader(shop, leaders, figures):
    leaders.wait_two()
    shop.apply_policy()
    shop.start("v1")
    begin = time.time()
    with shop.callers(rps=50) as callers:
        generation = shop.apply("v2")
        canary = shop.canary_revision(generation)
        shop.wait_accepted(canary, 5)
        asked = hand_over(leaders, lambda leader: leaders.delete(leader))
        shop.wait_accepted(canary, 25)
        leaders.wait_two()
        killed = hand_over(leaders, lambda leader: kill_without_a_word(leaders, leader))
        final = shop.wait_phase("Healthy", generation)
    figures.add("leader", **{"s until the next leads when asked to go": asked, "s when it died": killed})

    assert final["stable"]["revision"] == canary
    check_steps(shop, canary)
    assert not callers.outside.all.failed() and not callers.inside.all.failed()
    # 15 s from the last renewal, which was up to 3 s before.
    assert asked < 10 < killed < LEASE + LOOK
    writers = audit.writers(audit.requests(begin, shop.namespace))
    assert len(writers) == len(set(writers)) == 3, "leaders wrote in turns"


def test_a_leader_that_slept_through_its_lease_writes_nothing_and_ends(shop, leaders, figures):
    leaders.wait_two()
    shop.apply_policy()
    shop.start("v1")
    begin = time.time()
    with shop.callers(rps=50) as callers:
        generation = shop.apply("v2")
        canary = shop.canary_revision(generation)
        shop.wait_accepted(canary, 5)
        sleeper = leaders.leader()
        slept = hand_over(leaders, lambda leader: leaders.signal(leader, signal.SIGSTOP))
        woken = time.time()
        leaders.signal(sleeper, signal.SIGCONT)
        last = eventually("the process ends", lambda: last_end(leaders.pods()[sleeper]), timeout=30)
        ended = round(time.time() - woken, 2)
        shop.wait_phase("Healthy", generation)
    figures.add("leader", **{"s until the next leads when it hung": slept, "s until it ends when it wakes": ended})

    assert last["exitCode"] == 1
    check_steps(shop, canary)
    assert not callers.outside.all.failed() and not callers.inside.all.failed()
    writers = audit.writers(audit.requests(begin, shop.namespace))
    assert len(writers) == 2 and writers[0] == sleeper, "it wrote when it woke"
    leaders.wait_two()


def hand_over(leaders, end):
    """Ends the leader; the seconds until another holds the Lease."""
    leader, begin = leaders.leader(), time.time()
    end(leader)
    leaders.wait_other(leader, timeout=LEASE + 2 * LOOK)
    return round(time.time() - begin, 2)


def kill_without_a_word(leaders, leader):
    """Asleep it does not hear that it should go, and after two seconds the node kills it."""
    leaders.signal(leader, signal.SIGSTOP)
    leaders.delete(leader, gracePeriodSeconds=0)


def last_end(pod):
    return pod["status"]["containerStatuses"][0]["lastState"].get("terminated")


def check_steps(shop, canary):
    steps = shop.steps_of(canary)
    assert [w.of for w in steps] == STEPS
    for weights, following in zip(steps, steps[1:]):
        held = following.at - shop.wait_accepted(canary, weights.of)
        assert held >= HOLD - ROUNDING, f"{weights.of} % was held for {held:.2f} s only"
