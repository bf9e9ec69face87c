"""The bench's table, beside what the peers need for the same work."""
import time

# Measured by us on a machine of the same size (2 processors, Kubernetes 1.36.3, kwok 0.8.0): Argo Rollouts 1.10.1 and Flagger 1.36.1 at
# their defaults, pods and routers as objects only, the stub as metrics server; requests counted from the audit log as ours are.
# Where two runs differ, the better one of the peer stands here.
ARGO, FLAGGER = "Argo Rollouts 1.10.1", "Flagger 1.36.1"
PEERS = {
    ("idle", 10): ("85 MB, 0.05 s, 30", "56 MB, 0.29 s, 600"),
    ("idle", 100): ("102 MB, 0.09 s, 67", "64 MB, 4.3 s, 6,000"),
    ("idle", 500): ("187 MB, 0.06 s, 33", "92 MB, 8.3 s, 7,640"),
    ("wall", 10): ("6.2 s (median 6.0)", "79 s (median 78.6)"),
    ("wall", 100): ("71 s (median 67)", "105 s (median 103)"),
    ("wall", 500): ("669 s (median 601)", "612 s (median 560)"),
    ("peak", 10): ("90 MB", "56 MB"), ("peak", 100): ("140 MB", "67 MB"), ("peak", 500): ("381 MB", "100 MB"),
    ("cpu", 10): ("0.26 s", "0.11 s"), ("cpu", 100): ("0.24 s", "0.16 s"), ("cpu", 500): ("0.82 s", "0.15 s"),
    ("requests", 10): ("2 reads, 66 writes", "112 reads, 24 writes"),
    ("requests", 100): ("2 reads, 59 writes", "133 reads, 19 writes"),
    ("requests", 500): ("4 reads, 50 writes", "163 reads, 17 writes"),
    ("log", 10): ("84,000", "1,400"),
    "one": ("0.94 s", "15.4 s"), "all": ("9.5 s, worst 16.2 s", "20.0 s, worst 21.1 s"),
    ("start", 500): ("first 18.1 s, all 29.4 s", "first 10.5 s, all 50.5 s"),
    ("kill", 500): ("17.0 s (at 100)", "10.3 s (at 100)"),
    "object": ("4,200 (2,500), and 4 AnalysisRuns of 2,000", "2,000 (1,150), and 1 more Deployment"),
    "binary": ("95.1 MB", "56.6 MB"),
}
AIMS = {
    ("idle", 500): "20 MB, 0.05 s, 30", ("wall", 500): "90 s", ("peak", 500): "30 MB", ("cpu", 500): "0.02 s",
    ("requests", 500): "0 reads, 16 writes", "one": "0.8 s", "all": "1.5 s", ("start", 500): "first 1 s, all 3 s", "binary": "10 MB",
}
HEADING = """# Footprint

{date}, {processors} processors; something waited for a processor during {before:.0f} % of the minute before and {after:.0f} % of the last
minute. Control plane, the stubs and the driver share the processors with the operator: wall times are upper bounds, and so are
seconds of CPU; requests, bytes and memory do not depend on it. 2 replicas, 5 → 25 → 50 → 100 %, one sample per step, a sample each
second; one run each.{quick}
"""


def text(results, facts):
    begin = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(facts["begin"]))
    quick = " **Quick: windows too short to compare.**" if facts["quick"] else ""
    before, after = facts["pressure"]
    head = HEADING.format(date=begin, processors=facts["processors"], before=before, after=after, quick=quick)
    return f"{head}\n{table(results, facts)}\n{details(results)}"


def table(results, facts):
    rows = [("what", "releases", "Weir", "aim", ARGO, FLAGGER), ("---",) * 6]
    for size, found in results.items():
        rows += [row(title, key, size, value) for title, key, value in figures(found, size)]
    for newest in [found["object"] for found in results.values() if "object" in found][-1:]:
        rows.append(row("Release in etcd, bytes (without managedFields)", "object", "", f"{newest['whole']:,} ({newest['without']:,})"))
    rows.append(row("binary, stripped", "binary", "", f"{facts['binary'] / 1e6:.1f} MB"))
    return "".join("| " + " | ".join(map(str, cells)) + " |\n" for cells in rows)


def row(title, key, size, value):
    full = key if key in PEERS else (key, size)
    argo, flagger = PEERS.get(full, ("", ""))
    return title, size, value, AIMS.get(full, ""), argo, flagger


def figures(found, size):
    """Of what has been measured so far: title, key of the peers' figures, text."""
    if start := found.get("start"):
        yield "start after kill -9 at rest", "start", \
            f"first {start['first']:.2f} s, all {start['all']:.2f} s, {start['cpu']:.2f} s CPU, peak {start['peak']:.1f} MB"
    if idle := found.get("idle"):
        yield "idle: memory, CPU a minute, requests a minute", "idle", \
            f"{idle['resident']:.1f} MB, {idle['cpu']:.2f} s, {idle['requests']:.0f}"
    if release := found.get("release"):
        yield from release_figures(release, size)
    if detect := found.get("detect"):
        yield f"switched to bad → weight 0, one (n = {detect['one']['n']})", "one", worst(detect["one"]["switch"])
        yield "… from the bad sample served", "sample", f"{worst(detect['one']['sample'])}; bad samples {detect['one']['samples']}"
        yield f"switched to bad → weight 0, {detect['count']} at once", "all", worst(detect["all"]["switch"])
        yield "… from each one's bad sample served", "sample", f"{worst(detect['all']['sample'])}; bad samples {detect['all']['samples']}"
    if kill := found.get("kill"):
        yield "kill -9 while all are released: until the next write", "kill", \
            f"{kill['silence']:.2f} s; all done after {kill['seconds']:.1f} s, {len(kill['wrong'])} not in the steps"


def release_figures(release, size):
    done, settled = release["done"], release["settled"]
    yield "all at once: until the last is done", "wall", f"{release['last']:.1f} s (median {release['median']:.1f})"
    yield "… peak memory", "peak", f"{release['peak']:.1f} MB"
    yield "… CPU per release", "cpu", f"{settled['cpu'] / size:.4f} s"
    yield "… requests per release", "requests", f"{settled['reads'] / size:.1f} reads, {settled['writes'] / size:.1f} writes"
    yield "… bytes of log per release", "log", f"{settled['log'] / size:,.0f}"
    yield "… queries per release", "queries", f"{release['queries']:.1f}"
    yield "… not in the steps 5, 25, 50, 100", "wrong", f"{len(release['wrong'])} ({done['writes'] / size:.1f} writes to the end)"


def worst(pair):
    return f"{pair[0]:.2f} s, worst {pair[1]:.2f} s"


def details(results):
    """Requests by verb and kind of all releases of a size."""
    parts = []
    for size, found in results.items():
        costs = [("idle", found.get("idle")), ("released at once", found.get("release", {}).get("settled"))]
        for title, cost in [(title, cost) for title, cost in costs if cost]:
            lines = "".join(f"- {name}: {count}\n" for name, count in cost["by_name"].items())
            refused = "".join(f"- refused with {code}: {count}\n" for code, count in cost["refused"].items())
            parts.append(f"## {size} releases, {title}: requests\n\n{lines or '- none'}{refused}\n")
    return "\n".join(parts)
