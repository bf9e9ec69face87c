"""Create, update, patch: who may write what, and what a write changes."""
import pytest

from conftest import config_map, release, replica_set
from server import MERGE, STRATEGIC, path_of


@pytest.fixture
def maps(namespace):
    return path_of("ConfigMap", namespace)


@pytest.fixture
def releases(namespace):
    return path_of("Release", namespace)


# ---- create ----


def test_the_server_gives_identity(server, maps, namespace):
    meta = server.post(maps, config_map("a")).ok(201).body["metadata"]
    assert meta["uid"] and int(meta["resourceVersion"]) > 0 and meta["creationTimestamp"].endswith("Z")
    assert meta["namespace"] == namespace and "generation" not in meta
    assert server.get(f"{maps}/a").ok().body["metadata"]["uid"] == meta["uid"]


def test_what_only_the_server_may_say_is_not_taken(server, releases):
    thing = release()
    thing["metadata"].update(uid="mine", creationTimestamp="2020-01-01T00:00:00Z", generation=7)
    thing["status"] = {"phase": "Healthy"}
    made = server.post(releases, thing).ok(201).body
    assert made["metadata"]["uid"] != "mine" and made["metadata"]["generation"] == 1
    assert not made["metadata"]["creationTimestamp"].startswith("2020") and "status" not in made


def test_a_name_is_taken_once(server, maps):
    server.post(maps, config_map("a")).ok(201)
    reply = server.post(maps, config_map("a"))
    reply.refused(409, "AlreadyExists", 'configmaps "a" already exists')
    assert reply.body["details"] == {"name": "a", "kind": "configmaps"}


def test_a_name_can_be_made(server, maps):
    made = [server.post(maps, {"metadata": {"generateName": "a-"}}).ok(201).body["metadata"]["name"] for _ in range(3)]
    assert len(set(made)) == 3 and all(name.startswith("a-") and len(name) == 7 for name in made)


@pytest.mark.parametrize("name", ["A", "a_b", "-a", "a.", "a" * 254, "a/b", "a..b"])
def test_a_name_is_a_subdomain(server, maps, name):
    server.post(maps, config_map(name)).refused(422, "Invalid", "metadata.name")


def test_no_name_is_refused(server, maps, releases):
    causes = server.post(maps, {"metadata": {}}).refused(422, "Invalid", "name or generateName is required")
    assert causes[0]["field"] == "metadata.name" and causes[0]["reason"] == "FieldValueRequired"
    thing = release()
    thing["metadata"] = {}
    server.post(releases, thing).refused(422, "Invalid", "metadata.name: Required value")


@pytest.mark.parametrize("labels", [{"a b": "c"}, {"a": "b c"}, {"a": "x" * 64}, {"/a": "b"}, {"": "b"}])
def test_labels_have_a_form(server, maps, labels):
    server.post(maps, config_map("a", labels)).refused(422, "Invalid", "metadata.labels")


def test_a_label_is_text(server, maps):
    server.post(maps, config_map("a", {"a": 1})).refused(400, "BadRequest")


def test_nothing_is_made_where_nothing_is(server):
    server.post(path_of("ConfigMap", "contract-nowhere"), config_map("a")).refused(
        404, "NotFound", 'namespaces "contract-nowhere" not found')


def test_the_body_must_fit_the_path(server, maps, releases):
    server.post(maps, {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "a"}}).refused(400, "BadRequest")
    server.post(maps, config_map("a", namespace="elsewhere")).refused(400, "BadRequest", "namespace")
    server.post(maps, config_map("a", resourceVersion="5")).refused(500, "", "resourceVersion should not be set")
    thing = release()
    del thing["kind"]
    server.post(releases, thing).refused(400, "BadRequest", "Object 'Kind' is missing")


def test_a_dry_run_leaves_nothing(server, maps, releases):
    assert server.post(maps, config_map("a"), dryRun="All").ok(201).body["metadata"]["uid"]
    server.get(f"{maps}/a").refused(404, "NotFound", 'configmaps "a" not found')
    server.post(releases, release(replicas=-1), dryRun="All").refused(422, "Invalid", "spec.replicas")
    server.post(maps, config_map("a")).ok(201)
    server.merge(f"{maps}/a", {"data": {"a": "2"}}, dryRun="All").ok()
    server.delete(f"{maps}/a", dryRun="All").ok()
    assert server.get(f"{maps}/a").ok().body["data"] == {"a": "1"}


# ---- versions, generations, identity ----


def test_what_changes_nothing_is_no_write(server, maps):
    before = server.post(maps, config_map("a")).version
    assert server.merge(f"{maps}/a", {"data": {"a": "1"}}).ok().version == before
    assert server.json_patch(f"{maps}/a", []).ok().version == before
    after = server.merge(f"{maps}/a", {"data": {"a": "2"}}).ok().version
    assert after > before and server.get(f"{maps}/a").version == after


def test_a_stale_version_is_a_conflict(server, maps, releases):
    for path, thing in ((maps, config_map("a")), (releases, release("a"))):
        before = server.post(path, thing).ok(201)
        server.merge(f"{path}/a", {"metadata": {"labels": {"x": "y"}}}).ok()
        stale = {"metadata": {"resourceVersion": str(before.version)}}
        reply = server.merge(f"{path}/a", stale)
        reply.refused(409, "Conflict", "the object has been modified")
        assert reply.body["details"]["name"] == "a"
        server.put(f"{path}/a", before.body).refused(409, "Conflict", "the object has been modified")
        server.json_patch(f"{path}/a", [{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}]).refused(
            409, "Conflict")


def test_the_right_version_is_none(server, maps):
    version = server.post(maps, config_map("a")).version
    server.merge(f"{maps}/a", {"metadata": {"resourceVersion": str(version)}, "data": {"a": "2"}}).ok()


def test_another_uid_is_another_object(server, maps, releases):
    for path, thing in ((maps, config_map("a")), (releases, release("a"))):
        made = server.post(path, thing).ok(201).body
        other = {"metadata": {"uid": "00000000-dead-4000-8000-000000000000"}}
        causes = server.merge(f"{path}/a", other).refused(422, "Invalid", "metadata.uid")
        assert causes[0]["field"] == "metadata.uid"
        made["metadata"]["uid"] = other["metadata"]["uid"]
        server.put(f"{path}/a", made).refused(409, "Conflict", "UID in precondition")


def test_name_and_namespace_stay(server, maps):
    server.post(maps, config_map("a")).ok(201)
    server.merge(f"{maps}/a", {"metadata": {"name": "b"}}).refused(400, "BadRequest", "does not match the name on the URL")
    server.merge(f"{maps}/a", {"metadata": {"namespace": "b"}}).refused(400, "BadRequest")


def test_generations_count_changes_of_the_spec(server, releases):
    def generation(reply):
        return reply.ok().body["metadata"]["generation"]

    server.post(releases, release()).ok(201)
    assert generation(server.merge(f"{releases}/shop", {"metadata": {"labels": {"a": "b"}}})) == 1
    assert generation(server.merge(f"{releases}/shop", {"spec": {"replicas": 3}})) == 2
    assert generation(server.merge(f"{releases}/shop/status", {"status": {"phase": "Healthy"}})) == 2
    assert generation(server.merge(f"{releases}/shop", {"metadata": {"generation": 9}})) == 2
    assert generation(server.merge(f"{releases}/shop", {"spec": {"replicas": 3}})) == 2


@pytest.mark.parametrize("kind, thing, counts", [
    ("ReplicaSet", replica_set(), True),
    ("ConfigMap", config_map("web"), False),
    ("Service", {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}, False),
    ("Lease", {"metadata": {"name": "web"}, "spec": {"holderIdentity": "a"}}, False),
    ("EndpointSlice", {"metadata": {"name": "web"}, "addressType": "IPv4", "endpoints": []}, True),
    ("HTTPRoute", {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "web"},
                   "spec": {"rules": [{"backendRefs": [{"name": "a", "port": 80}]}]}}, True),
])
def test_some_kinds_have_no_generation(server, namespace, kind, thing, counts):
    assert ("generation" in server.post(path_of(kind, namespace), thing).ok(201).body["metadata"]) == counts


# ---- update ----


def test_a_put_replaces_all(server, maps):
    made = server.post(maps, config_map("a", {"x": "y"}, {"a": "1", "b": "2"})).ok(201).body
    made["data"] = {"c": "3"}
    del made["metadata"]["labels"]
    after = server.put(f"{maps}/a", made).ok().body
    assert after["data"] == {"c": "3"} and "labels" not in after["metadata"]


def test_a_put_makes_nothing(server, maps):
    server.put(f"{maps}/a", config_map("a")).refused(404, "NotFound")


def test_some_kinds_can_be_put_without_a_version(server, maps, releases):
    server.post(maps, config_map("a")).ok(201)
    server.put(f"{maps}/a", config_map("a", data={"a": "2"})).ok()
    server.post(releases, release()).ok(201)
    server.put(f"{releases}/shop", release(replicas=2)).refused(422, "Invalid", "must be specified for an update")


# ---- patches ----


def test_a_merge_patch_merges_and_removes(server, maps):
    server.post(maps, config_map("a", {"x": "y"}, {"a": "1", "b": "2"})).ok(201)
    after = server.merge(f"{maps}/a", {"data": {"a": None, "c": "3"}}).ok().body
    assert after["data"] == {"b": "2", "c": "3"} and after["metadata"]["labels"] == {"x": "y"}


def test_a_json_patch_tests(server, maps):
    server.post(maps, config_map("a")).ok(201)
    done = server.json_patch(f"{maps}/a", [{"op": "test", "path": "/data/a", "value": "1"},
                                           {"op": "add", "path": "/data/b", "value": "2"}])
    assert done.ok().body["data"] == {"a": "1", "b": "2"}
    for patch in ([{"op": "test", "path": "/data/a", "value": "9"}, {"op": "remove", "path": "/data/b"}],
                  [{"op": "remove", "path": "/data/c"}], [{"op": "fly", "path": "/data"}]):
        reply = server.json_patch(f"{maps}/a", patch)
        assert reply.refused(422, "Invalid", "the server rejected our request due to an error in our request") == []
    assert server.get(f"{maps}/a").body["data"] == {"a": "1", "b": "2"}


def test_a_patch_must_be_one(server, maps, releases):
    server.post(maps, config_map("a")).ok(201)
    server.json_patch(f"{maps}/a", {"op": "test"}).refused(400, "BadRequest")
    server.merge(f"{maps}/a", [1]).refused(400, "BadRequest")
    server.merge(f"{maps}/b", {}).refused(404, "NotFound")
    server.post(releases, release()).ok(201)
    for kind in ("application/json", STRATEGIC):
        server.request("PATCH", f"{releases}/shop", {}, kind).refused(415, "UnsupportedMediaType")


def test_a_strategic_patch_merges_lists_by_key(server, namespace):
    path = path_of("Service", namespace)
    thing = {"metadata": {"name": "a"}, "spec": {"ports": [{"name": "x", "port": 80}, {"name": "y", "port": 81}]}}
    server.post(path, thing).ok(201)
    patch = {"spec": {"ports": [{"port": 81, "appProtocol": "h2c"}, {"port": 80, "$patch": "delete"}]}}
    ports = server.request("PATCH", f"{path}/a", patch, STRATEGIC).ok().body["spec"]["ports"]
    assert [(p["name"], p.get("appProtocol")) for p in ports] == [("y", "h2c")]


# ---- subresources ----


def test_status_has_a_door_of_its_own(server, releases):
    server.post(releases, release()).ok(201)
    after = server.merge(f"{releases}/shop/status", {
        "metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 9}, "status": {"phase": "Healthy"}}).ok().body
    assert after["status"] == {"phase": "Healthy"} and after["spec"]["replicas"] == 1 and "labels" not in after["metadata"]
    after = server.merge(f"{releases}/shop", {"status": {"phase": "Pending"}, "spec": {"replicas": 2}}).ok().body
    assert after["status"] == {"phase": "Healthy"} and after["spec"]["replicas"] == 2
    assert server.get(f"{releases}/shop/status").ok().body["status"] == {"phase": "Healthy"}
    after["status"] = {"phase": "Degraded"}
    assert server.put(f"{releases}/shop", after).ok().body["status"] == {"phase": "Healthy"}
    after["spec"]["replicas"] = 5
    put = server.put(f"{releases}/shop/status", after).ok().body
    assert put["status"] == {"phase": "Degraded"} and put["spec"]["replicas"] == 2


def test_the_status_of_a_built_in_kind_lets_labels_through(server, namespace):
    path = path_of("ReplicaSet", namespace)
    server.post(path, replica_set()).ok(201)
    after = server.merge(f"{path}/web/status", {"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 9}}).ok().body
    assert after["metadata"]["labels"] == {"a": "b"} and after["spec"]["replicas"] == 0


def test_status_is_checked(server, releases):
    server.post(releases, release()).ok(201)
    causes = server.merge(f"{releases}/shop/status", {"status": {"phase": "Odd", "conditions": [{"type": "a"}]}}).refused(
        422, "Invalid", 'status.phase: Unsupported value: "Odd"')
    assert "status.conditions[0].reason" in {cause["field"] for cause in causes}


@pytest.mark.parametrize("kind, thing", [("Release", release("web")), ("ReplicaSet", replica_set())])
def test_scale_is_a_view_of_replicas(server, namespace, kind, thing):
    path = path_of(kind, namespace, "web")
    server.post(path_of(kind, namespace), thing).ok(201)
    scale = server.get(f"{path}/scale").ok().body
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1") and scale["status"]["replicas"] == 0
    assert scale["metadata"]["uid"] == server.get(path).body["metadata"]["uid"]
    assert server.merge(f"{path}/scale", {"spec": {"replicas": 0}}).ok().body["spec"] in ({"replicas": 0}, {})
    assert server.get(path).body["spec"]["replicas"] == 0
    server.merge(f"{path}/scale", {"spec": {"replicas": -1}}).refused(422, "Invalid", "spec.replicas")
    scale["metadata"]["resourceVersion"] = "1"
    server.put(f"{path}/scale", scale).refused(409, "Conflict", "the object has been modified")


def test_scale_of_a_release_selects_its_pods(server, releases):
    server.post(releases, release()).ok(201)
    server.merge(f"{releases}/shop/status", {"status": {"replicas": 2, "selector": "a=b"}}).ok()
    assert server.get(f"{releases}/shop/scale").body["status"] == {"replicas": 2, "selector": "a=b"}
    assert server.merge(f"{releases}/shop/scale", {"spec": {"replicas": 7}}).ok().body["spec"] == {"replicas": 7}
    after = server.get(f"{releases}/shop").body
    assert after["spec"]["replicas"] == 7 and after["metadata"]["generation"] == 2
    server.merge(f"{releases}/shop/scale", {"spec": {"replicas": 10001}}).refused(422, "Invalid", "spec.replicas")


# ---- built-in kinds ----


@pytest.mark.parametrize("change, field", [
    ({"spec": {"replicas": -1}}, "spec.replicas"),
    ({"spec": {"selector": None}}, "spec.selector"),
    ({"spec": {"selector": {"matchLabels": {"a": "b"}}}}, "spec.template.metadata.labels"),
    ({"spec": {"template": {"spec": {"containers": []}}}}, "spec.template.spec.containers"),
    ({"spec": {"template": {"spec": {"containers": [{"name": "A", "image": "a"}]}}}}, "spec.template.spec.containers[0].name"),
])
def test_a_replica_set_has_a_form(server, namespace, change, field):
    from test_schemas import merged

    server.post(path_of("ReplicaSet", namespace), merged(replica_set(), change)).refused(422, "Invalid", field)


def test_the_selector_of_a_replica_set_stays(server, namespace):
    path = path_of("ReplicaSet", namespace)
    server.post(path, replica_set()).ok(201)
    change = {"spec": {"selector": {"matchLabels": {"app": "b"}}, "template": {"metadata": {"labels": {"app": "b"}}}}}
    server.merge(f"{path}/web", change).refused(422, "Invalid", "field is immutable")


@pytest.mark.parametrize("spec, field", [
    ({"ports": [{"port": 80}, {"port": 81}]}, "spec.ports[0].name"),
    ({"ports": [{"port": 0}]}, "spec.ports[0].port"),
    ({"ports": [{"port": 80, "protocol": "tcp"}]}, "spec.ports[0].protocol"),
    ({"ports": [], "clusterIP": ""}, "spec.ports"),
])
def test_a_service_has_a_form(server, namespace, spec, field):
    server.post(path_of("Service", namespace), {"metadata": {"name": "a"}, "spec": spec}).refused(422, "Invalid", field)


def test_a_route_gets_its_defaults(server, namespace):
    route = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "a"},
             "spec": {"parentRefs": [{"name": "web"}], "rules": [{"backendRefs": [{"name": "a", "port": 80}]}]}}
    path = path_of("HTTPRoute", namespace)
    assert server.post(path, route).ok(201).body["spec"] == {
        "parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "web"}],
        "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                   "backendRefs": [{"group": "", "kind": "Service", "name": "a", "port": 80, "weight": 1}]}]}
    wrong = {"spec": {"rules": [{"backendRefs": [{"name": "a", "port": 80, "weight": -1}]}]}}
    server.request("PATCH", f"{path}/a", wrong, MERGE).refused(422, "Invalid", "spec.rules[0].backendRefs[0].weight")
