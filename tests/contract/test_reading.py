"""Lists, pages, selectors, watches, tables, discovery."""
import base64
import json

import pytest

from conftest import REAL, config_map, release
from server import TABLE, count, path_of, seen


@pytest.fixture
def maps(server, namespace):
    """Real clusters put a map of their own into each namespace: ours have a label."""
    path = path_of("ConfigMap", namespace)
    return path


def ours(**query):
    return {"labelSelector": "by=us", **query}


def fill(server, path, *names, **labels):
    return [server.post(path, config_map(name, {"by": "us", **labels})).ok(201) for name in names]


def names(reply):
    return [item["metadata"]["name"] for item in reply.ok().body["items"]]


# ---- lists ----


def test_a_list_is_ordered_and_has_a_version(server, maps):
    made = fill(server, maps, "c", "a", "b")
    reply = server.get(maps, **ours())
    assert names(reply) == ["a", "b", "c"]
    assert reply.body["kind"] == "ConfigMapList" and reply.body["apiVersion"] == "v1"
    assert reply.version >= made[-1].version
    assert server.get(path_of("Release", maps.split("/")[4])).ok().body["items"] == []


def test_all_namespaces_at_once(server, maps, namespace):
    fill(server, maps, "a")
    found = server.get("/api/v1/configmaps", **ours()).ok().body["items"]
    assert (namespace, "a") in [(i["metadata"]["namespace"], i["metadata"]["name"]) for i in found]


def test_pages_show_one_version(server, maps):
    fill(server, maps, *"abcde")
    first = server.get(maps, **ours(limit=2))
    assert names(first) == ["a", "b"]
    server.delete(f"{maps}/d").ok()
    server.merge(f"{maps}/c", {"data": {"a": "2"}}).ok()
    fill(server, maps, "cc")
    second = server.get(maps, **ours(limit=2, continue_=first.body["metadata"]["continue"]))
    assert names(second) == ["c", "d"] and second.version == first.version
    assert second.body["items"][0]["data"] == {"a": "1"}
    third = server.get(maps, **ours(limit=2, continue_=second.body["metadata"]["continue"]))
    assert names(third) == ["e"] and "continue" not in third.body["metadata"]


def test_the_rest_is_counted_without_selectors(server, namespace):
    path = path_of("Release", namespace)
    for name in "abc":
        server.post(path, release(name)).ok(201)
    assert server.get(path, limit=1).body["metadata"]["remainingItemCount"] == 2
    assert "remainingItemCount" not in server.get(path, limit=1, labelSelector="!x").body["metadata"]


def test_an_old_token_has_expired(server, maps):
    fill(server, maps, *"abc")
    token = server.get(maps, **ours(limit=1)).body["metadata"]["continue"]
    decoded = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    assert decoded["v"] == "meta.k8s.io/v1" and decoded["rv"] > 0
    for wrong in ("abc", "%%%"):
        server.get(maps, **ours(continue_=wrong)).refused(400, "BadRequest", "continue")
    if REAL:
        return  # it compacts every five minutes, and nobody waits for that
    decoded["rv"] = 1
    old = base64.urlsafe_b64encode(json.dumps(decoded, separators=(",", ":")).encode()).decode().rstrip("=")
    reply = server.get(maps, **ours(limit=1, continue_=old))
    reply.refused(410, "Expired", "too old")
    again = server.get(maps, **ours(limit=1, continue_=reply.body["metadata"]["continue"]))
    assert names(again) == ["b"]


def test_versions_of_lists(server, maps):
    fill(server, maps, "a")
    server.get(maps, resourceVersion="99999999").refused(504, "Timeout", "Too large resource version")
    server.get(maps, resourceVersion="abc").refused(400, "BadRequest", "invalid resource version")
    now = server.get(maps, **ours()).version
    fill(server, maps, "b")
    then = server.get(maps, **ours(resourceVersion=str(now), resourceVersionMatch="Exact"))
    assert names(then) == ["a"] and then.version == now
    assert names(server.get(maps, **ours(resourceVersion="0"))) == ["a", "b"]


# ---- selectors ----


@pytest.mark.parametrize("selector, found", [
    ("tier=web", "a"), ("tier==web", "a"), ("tier!=web", "bc"), ("tier", "ab"), ("!tier", "c"),
    ("tier in (web,db)", "ab"), ("tier in (db)", "b"), ("tier notin (web)", "bc"), ("tier,zone=x", "b"),
    ("tier in (web, db),!zone", "a"), ("tier=", ""), ("zone=x,tier=db", "b"), ("nobody", ""), ("!nobody", "abc"),
])
def test_label_selectors(server, maps, selector, found):
    fill(server, maps, "a", tier="web")
    fill(server, maps, "b", tier="db", zone="x")
    fill(server, maps, "c", zone="x")
    assert names(server.get(maps, labelSelector=f"by=us,{selector}")) == list(found)


@pytest.mark.parametrize("selector", ["a in b", "a in (b", "a b", "=b", "a=b c", "a,,b"])
def test_a_label_selector_that_is_none(server, maps, selector):
    server.get(maps, labelSelector=selector).refused(400, "BadRequest")


def test_field_selectors(server, maps, namespace):
    fill(server, maps, "a", "b")
    assert names(server.get(maps, **ours(fieldSelector="metadata.name=b"))) == ["b"]
    assert names(server.get(maps, **ours(fieldSelector="metadata.name!=b"))) == ["a"]
    assert names(server.get("/api/v1/configmaps", **ours(fieldSelector=f"metadata.namespace={namespace},metadata.name=a"))) == ["a"]
    server.get(maps, fieldSelector="data.a=b").refused(400, "BadRequest", "data.a")
    server.get(path_of("Release", namespace), fieldSelector="spec.replicas=1").refused(400, "BadRequest", "spec.replicas")


def test_events_are_found_by_their_object(server, namespace):
    path = path_of("Event", namespace)
    for name in ("x", "y"):
        thing = {"metadata": {"name": name}, "reason": "R", "type": "Normal",
                 "involvedObject": {"kind": "Release", "namespace": namespace, "name": name}}
        server.post(path, thing).ok(201)
    assert names(server.get(path, fieldSelector="involvedObject.name=y,involvedObject.kind=Release")) == ["y"]


# ---- watches ----


def test_a_watch_tells_what_happened_since(server, maps):
    begin = server.get(maps).version
    made = fill(server, maps, "a")[0]
    changed = server.merge(f"{maps}/a", {"data": {"a": "2"}}).ok()
    server.delete(f"{maps}/a").ok()
    events = server.watch(maps, count(3), **ours(resourceVersion=begin))
    assert seen(events) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    versions = [int(e["object"]["metadata"]["resourceVersion"]) for e in events]
    assert versions[:2] == [made.version, changed.version] and versions[2] > versions[1]
    assert events[0]["object"]["data"] == {"a": "1"} and events[2]["object"]["data"] == {"a": "2"}
    assert seen(server.watch(maps, count(1), **ours(resourceVersion=versions[1]))) == [("DELETED", "a")]


def test_a_watch_waits(server, maps):
    import threading

    begin = server.get(maps).version
    later = threading.Timer(0.5, lambda: fill(server, maps, "late"))
    later.start()
    assert seen(server.watch(maps, count(1), **ours(resourceVersion=begin))) == [("ADDED", "late")]
    later.join()


def test_a_watch_without_version_begins_with_what_is_there(server, maps):
    fill(server, maps, "b", "a")
    for query in ({}, {"resourceVersion": "0"}):
        assert sorted(seen(server.watch(maps, count(2), **ours(**query)))) == [("ADDED", "a"), ("ADDED", "b")]


def test_the_end_of_the_beginning_is_marked(server, maps):
    fill(server, maps, "a")
    events = server.watch(maps, lambda events: events[-1]["type"] == "BOOKMARK", **ours(
        sendInitialEvents="true", resourceVersionMatch="NotOlderThan", allowWatchBookmarks="true"))
    assert seen(events)[0] == ("ADDED", "a") and len(events) == 2
    meta = events[-1]["object"]["metadata"]
    assert meta["annotations"] == {"k8s.io/initial-events-end": "true"} and int(meta["resourceVersion"]) > 0
    assert events[-1]["object"]["kind"] == "ConfigMap"


def test_a_selector_sees_objects_come_and_go(server, maps):
    begin = server.get(maps).version
    server.post(maps, config_map("a")).ok(201)
    server.merge(f"{maps}/a", {"metadata": {"labels": {"by": "us"}}}).ok()
    server.merge(f"{maps}/a", {"data": {"a": "2"}}).ok()
    last = server.merge(f"{maps}/a", {"metadata": {"labels": {"by": "them"}}, "data": {"a": "3"}}).ok()
    server.delete(f"{maps}/a").ok()
    fill(server, maps, "b")
    events = server.watch(maps, count(4), **ours(resourceVersion=begin))
    assert seen(events) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a"), ("ADDED", "b")]
    gone = events[2]["object"]
    assert int(gone["metadata"]["resourceVersion"]) == last.version and gone["data"] == {"a": "2"}


def test_a_field_selector_watches_one(server, maps):
    begin = server.get(maps).version
    fill(server, maps, "a", "b")
    assert seen(server.watch(maps, count(1), resourceVersion=begin, fieldSelector="metadata.name=b")) == [("ADDED", "b")]


def test_a_watch_ends_in_time(server, maps):
    with pytest.raises(AssertionError, match="not enough"):
        server.watch(maps, count(1), timeout=1, **ours())


# ---- what kubectl prints ----


def test_a_table_has_the_columns_of_the_definition(server, namespace):
    path = path_of("Release", namespace)
    server.post(path, release()).ok(201)
    status = {"phase": "Progressing", "stable": {"revision": "abc"}, "canary": {"revision": "def", "weight": 25}, "message": "m"}
    server.merge(f"{path}/shop/status", {"status": status}).ok()
    for place in (path, f"{path}/shop"):
        table = server.get(place, accept=TABLE).ok().body
        assert table["kind"] == "Table" and table["apiVersion"] == "meta.k8s.io/v1"
        assert [(c["name"], c["type"], c["priority"]) for c in table["columnDefinitions"]] == [
            ("Name", "string", 0), ("Phase", "string", 0), ("Stable", "string", 0), ("Canary", "string", 0),
            ("Weight", "integer", 0), ("Message", "string", 1), ("Age", "date", 0)]
        assert table["rows"][0]["cells"][:6] == ["shop", "Progressing", "abc", "def", 25, "m"]
        assert table["rows"][0]["cells"][6].endswith("s")
        assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
        assert table["rows"][0]["object"]["metadata"]["name"] == "shop"


def test_a_table_column_can_pick_a_condition(server, namespace):
    path = path_of("CanaryPolicy", namespace)
    server.post(path, {"apiVersion": "weir.dev/v1alpha1", "kind": "CanaryPolicy", "metadata": {"name": "p"}, "spec": {}}).ok(201)
    assert server.get(path, accept=TABLE).body["rows"][0]["cells"][:4] == ["p", None, "30m", None]
    ready = {"type": "Ready", "status": "True", "reason": "R", "message": "fine", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    server.merge(f"{path}/p/status", {"status": {"conditions": [{**ready, "type": "Other"}, ready]}}).ok()
    assert server.get(path, accept=TABLE).body["rows"][0]["cells"][:4] == ["p", "True", "30m", "fine"]


def test_a_watch_can_be_a_table(server, namespace):
    path = path_of("Release", namespace)
    begin = server.get(path).version
    for name in "ab":
        server.post(path, release(name)).ok(201)
    events = server.watch(path, count(2), accept=TABLE, resourceVersion=begin)
    assert [e["object"]["kind"] for e in events] == ["Table", "Table"]
    assert [e["object"]["rows"][0]["cells"][0] for e in events] == ["a", "b"]
    assert events[0]["object"]["columnDefinitions"] and not events[1]["object"]["columnDefinitions"]


# ---- discovery ----


def test_ours_are_discovered(server):
    groups = {g["name"] for g in server.get("/apis").ok().body["groups"]}
    assert {"weir.dev", "apps", "batch", "autoscaling", "coordination.k8s.io", "discovery.k8s.io",
            "gateway.networking.k8s.io"} <= groups
    group = server.get("/apis/weir.dev").ok().body
    assert group["kind"] == "APIGroup" and group["preferredVersion"]["groupVersion"] == "weir.dev/v1alpha1"
    resources = {r["name"]: r for r in server.get("/apis/weir.dev/v1alpha1").ok().body["resources"]}
    assert set(resources) == {
        "canarypolicies", "canarypolicies/status", "pipelineruns", "pipelineruns/status", "pipelines", "pipelines/status",
        "releases", "releases/status", "releases/scale"}
    ours_ = resources["releases"]
    assert ours_["shortNames"] == ["rel"] and ours_["categories"] == ["weir"] and ours_["namespaced"]
    assert set(ours_["verbs"]) == {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
    assert resources["releases/scale"]["kind"] == "Scale"


def test_the_core_is_discovered(server):
    assert server.get("/api").ok().body["versions"] == ["v1"]
    resources = {r["name"]: r for r in server.get("/api/v1").ok().body["resources"]}
    assert resources["services"]["shortNames"] == ["svc"] and not resources["namespaces"]["namespaced"]
    assert server.get("/version").ok().body["major"] == "1"
    assert server.get("/readyz").ok().body == "ok"


@pytest.mark.parametrize("path", ["/apis/weir.dev/v1alpha1/nopes", "/apis/nope.dev/v1", "/api/v2/configmaps", "/nope"])
def test_what_is_not_served_is_not_found(server, path):
    assert server.get(path).status == 404


def test_an_object_that_is_not_there(server, namespace):
    reply = server.get(path_of("Release", namespace, "nobody"))
    reply.refused(404, "NotFound", 'releases.weir.dev "nobody" not found')
    assert reply.body["details"] == {"name": "nobody", "group": "weir.dev", "kind": "releases"}
