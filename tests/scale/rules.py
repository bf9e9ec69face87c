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
    """How many pods of each revision were ready, over time."""

    def __init__(self):
        self.pods = {}  # pod -> whether it is ready
        self.counts = {}  # (release, revision) -> [(since, ready)]

    def note(self, at, pod, is_gone):
        meta = pod["metadata"]
        labels = meta.get("labels", {})
        key = (labels.get("weir.dev/release"), labels.get("weir.dev/revision"))
        conditions = pod.get("status", {}).get("conditions", [])
        ready = not is_gone and "deletionTimestamp" not in meta and any(
            c["type"] == "Ready" and c["status"] == "True" for c in conditions)
        was = self.pods.get(meta["name"], False)
        self.pods[meta["name"]] = ready
        if ready != was:
            log = self.counts.setdefault(key, [(0.0, 0)])
            log.append((at, log[-1][1] + (1 if ready else -1)))

    def between(self, key, begin, end):
        log = self.counts.get(key, [(0.0, 0)])
        at_begin = [ready for since, ready in log if since <= begin][-1]
        return [at_begin] + [ready for since, ready in log if begin < since <= end]

    def least(self, key, begin, end):
        """The fewest that were ready at any moment in between."""
        return min(self.between(key, begin, end))

    def most(self, key, begin, end):
        return max(self.between(key, begin, end))
