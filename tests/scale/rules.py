"""What must hold of every write to a route, however many releases there are."""
STEPS = [5, 25, 50, 100]


def broken_rules(name, changes):
    """Sentences about the writes to one route that were not allowed."""
    for change in changes:
        if sum(change.weights.values()) != 100:
            yield f"{name}: weights {change.weights} do not make 100"
    for before, after in zip(changes, changes[1:]):
        if why := refusal(before, after):
            yield f"{name}: {why}: {before} -> {after}"


def refusal(before, after):
    same_canary = after.canary == before.canary and after.canary != ""
    if after.stable != before.stable:
        earned = after.stable == before.canary and before.weight == 100
        return "" if earned else "promoted without 100 %"
    if after.canary and not same_canary and after.weight > 0:
        return "a new canary began above 0"
    if same_canary and after.weight > before.weight and after.weight != next_step(before.weight):
        return "a step was left out"
    return ""


def next_step(weight):
    return next(step for step in STEPS if step > weight)


def pods_for(weight, replicas):
    return max(1, -(-weight * replicas // 100)) if weight and replicas else 0


class ReadyLog:
    """How many pods of each revision were ready by their EndpointSlice, which is what gateways go by, over time."""

    def __init__(self):
        self.counts = {}  # (release, revision) -> [(since, ready)]

    def note(self, at, slice_, is_gone):
        labels = slice_["metadata"].get("labels", {})
        log = self.counts.setdefault((labels.get("weir.dev/release"), labels.get("weir.dev/revision")), [(0.0, 0)])
        ready = 0 if is_gone else sum(e["conditions"].get("ready", False) for e in slice_.get("endpoints") or [])
        if ready != log[-1][1]:
            log.append((at, ready))

    def longest_below(self, key, needed, begin, end):
        """Seconds of the longest while, from begin to end, in which fewer than needed were ready."""
        longest, since = 0.0, None
        log = self.counts.get(key, [(0.0, 0)])
        for (start, ready), (stop, _) in zip(log, log[1:] + [(end, 0)]):
            if min(stop, end) <= max(start, begin):
                continue
            since = (since or max(start, begin)) if ready < needed else None
            if since:
                longest = max(longest, min(stop, end) - since)
        return longest
