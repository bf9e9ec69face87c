"""What an administrator installs: the chart and the plain manifests. Needs helm, and no cluster but for the last two."""
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from kube import kubectl

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/weir"
SETS_OF_EXAMPLES = ("shop", "good", "bad")


def helm(*arguments, check=True):
    done = subprocess.run(["helm", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


def render(*arguments, chart=CHART):
    text = helm("template", "weir", chart, "--namespace", "weir-system", *arguments).stdout
    return [thing for thing in yaml.safe_load_all(text) if thing]


def of_kind(things, *kinds):
    return [thing for thing in things if thing["kind"] in kinds]


def test_the_chart_installs_the_definitions_of_the_repository():
    ours = [yaml.safe_load(path.read_text()) for path in sorted(ROOT.glob("crds/*.weir.dev.yaml"))]
    for crd in ours:
        crd["metadata"].setdefault("annotations", {})["helm.sh/resource-policy"] = "keep"
    assert of_kind(render(), "CustomResourceDefinition") == ours
    assert not of_kind(render("--set", "crds.install=false"), "CustomResourceDefinition")


def test_the_archive_holds_the_definitions_themselves(tmp_path):
    helm("package", CHART, "--destination", tmp_path)
    [archive] = tmp_path.glob("weir-*.tgz")
    assert render(chart=archive) == render()


def test_a_definition_is_never_run_as_a_template(tmp_path):
    chart = tmp_path / "weir"
    shutil.copytree(CHART, chart)
    path = next(chart.glob("files/crds/releases*"))
    crd = yaml.safe_load(path.read_text())
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] = "{{ fail .Values }} $(name)"
    path.write_text(yaml.safe_dump(crd))
    [shown] = [c for c in of_kind(render(chart=chart), "CustomResourceDefinition") if "releases" in c["metadata"]["name"]]
    assert shown["spec"] == crd["spec"]


@pytest.mark.parametrize("wrong", ["nonsense=1", "image.tga=dev", "replicas=-1", "logLevel=loud", "crds.install=perhaps",
                                   "admissionPolicies.install=perhaps", "metrics.serviceMonitor.interval=often"])
def test_a_wrong_value_is_refused(wrong):
    done = helm("template", "weir", CHART, "--set", wrong, check=False)
    assert done.returncode != 0 and "values don't meet the specifications" in done.stderr


@pytest.mark.parametrize("arguments, of_pods", [((), ["patch"]), (("--set", "adoption.enabled=false"), [])])
def test_the_operator_may_do_what_it_needs_and_no_more(arguments, of_pods):
    [role] = [role for role in of_kind(render(*arguments), "ClusterRole") if role["metadata"]["name"] == "weir"]
    resources = {resource for rule in role["rules"] for resource in rule["resources"]}
    verbs = {verb for rule in role["rules"] for verb in rule["verbs"]}
    assert "secrets" not in resources and "*" not in resources | verbs
    pods = [verb for rule in role["rules"] if "pods" in rule["resources"] for verb in rule["verbs"]]
    assert pods == ["get", "list", "watch", *of_pods], "pods are read, and labelled when they are adopted"
    assert ("deployments" in resources) == bool(of_pods)
    # Nothing is ever put: apply and guarded patches only.
    assert verbs == {"get", "list", "watch", "create", "patch", "delete"}
    ours = [rule for rule in role["rules"] if {"weir.dev", "batch"} & set(rule["apiGroups"])]
    deleted = [resource for rule in ours if "delete" in rule["verbs"] for resource in rule["resources"]]
    assert deleted == ["pipelineruns"], "of Weir's own kinds only runs that are kept no longer are deleted"


def test_without_pipelines_there_are_no_rights_for_them():
    things = render("--set", "pipelines.enabled=false")
    [role] = [role for role in of_kind(things, "ClusterRole") if role["metadata"]["name"] == "weir"]
    resources = {resource for rule in role["rules"] for resource in rule["resources"]}
    assert not resources & {"jobs", "pipelines", "pipelineruns", "controllerrevisions"}
    [deployment] = of_kind(things, "Deployment")
    arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    assert not any(argument.startswith(("--step-image", "--checkout-image")) for argument in arguments)


@pytest.mark.parametrize("arguments, image", [
    (("--set", "image.repository=registry/weir,image.tag=v1"), "registry/weir-checkout:v1"),
    (("--set", "pipelines.checkoutImage=mirror/git@sha256:0"), "mirror/git@sha256:0")])
def test_sources_are_checked_out_by_an_image_of_their_own(arguments, image):
    [deployment] = of_kind(render(*arguments), "Deployment")
    assert f"--checkout-image={image}" in deployment["spec"]["template"]["spec"]["containers"][0]["args"]


def test_it_may_elect_a_leader_in_its_own_namespace_with_its_own_lease():
    things = render("--set", "fullnameOverride=other")
    [role] = of_kind(things, "Role")
    assert role["metadata"]["namespace"] == "weir-system"
    assert all(rule["resources"] == ["leases"] for rule in role["rules"])
    named = [rule for rule in role["rules"] if "resourceNames" in rule]
    assert [(rule["resourceNames"], rule["verbs"]) for rule in named] == [(["other"], ["get", "patch"])]
    assert [rule["verbs"] for rule in role["rules"] if rule not in named] == [["create"]]
    [deployment] = of_kind(things, "Deployment")
    assert "--leader-elect-resource-name=other" in deployment["spec"]["template"]["spec"]["containers"][0]["args"]


def test_people_get_their_rights_by_the_roles_they_have():
    roles = {role["metadata"]["name"]: role for role in of_kind(render(), "ClusterRole")}
    assert set(roles) == {"weir", "weir-view", "weir-edit"}
    assert {verb for rule in roles["weir-view"]["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert "rbac.authorization.k8s.io/aggregate-to-view" not in roles["weir-edit"]["metadata"]["labels"]
    assert not any("status" in resource for rule in roles["weir-edit"]["rules"] for resource in rule["resources"])
    assert len(of_kind(render("--set", "userRoles.install=false"), "ClusterRole")) == 1


def test_admission_policies_are_for_the_namespace_that_is_watched():
    kinds = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    assert not of_kind(render("--set", "admissionPolicies.install=false"), *kinds)
    assert [thing["metadata"]["name"] for thing in of_kind(render(), kinds[1])] == ["weir-requests", "weir-status"]
    for policy in of_kind(render("--set", "watchNamespace=production"), kinds[0]):
        chosen = policy["spec"]["matchConstraints"]["namespaceSelector"]["matchLabels"]
        assert chosen == {"kubernetes.io/metadata.name": "production"}
    status = of_kind(render("--set", "serviceAccount.name=other"), kinds[0])[1]
    assert "'system:serviceaccount:weir-system:other'" in status["spec"]["validations"][0]["expression"]


def test_a_service_monitor_is_made_on_request_and_finds_the_service():
    assert not of_kind(render(), "ServiceMonitor")
    things = render("--set", "metrics.serviceMonitor.enabled=true,metrics.serviceMonitor.labels.release=stack")
    [monitor], [service] = of_kind(things, "ServiceMonitor"), of_kind(things, "Service")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert [e["port"] for e in monitor["spec"]["endpoints"]] == [p["name"] for p in service["spec"]["ports"]]
    assert monitor["metadata"]["labels"]["release"] == "stack"


def test_two_replicas_have_a_disruption_budget_and_one_has_none():
    assert not of_kind(render(), "PodDisruptionBudget")
    things = render("--set", "replicas=2")
    [budget], [deployment] = of_kind(things, "PodDisruptionBudget"), of_kind(things, "Deployment")
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["selector"] == deployment["spec"]["selector"]
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_for_one_namespace_there_is_no_cluster_role():
    things = render("--set", "watchNamespace=production")
    assert not of_kind(things, "ClusterRole", "ClusterRoleBinding")
    placed = {(t["metadata"]["name"], t["metadata"]["namespace"]) for t in of_kind(things, "Role", "RoleBinding")}
    assert placed == {("weir", "production"), ("weir-leader-election", "weir-system")}
    [deployment] = of_kind(things, "Deployment")
    assert "--namespace=production" in deployment["spec"]["template"]["spec"]["containers"][0]["args"]


def by_name(things):
    for thing in things:
        thing["metadata"].get("annotations", {}).pop("helm.sh/resource-policy", None)
        if not thing["metadata"].get("annotations", True):
            del thing["metadata"]["annotations"]
    return {(thing["kind"], thing["metadata"]["name"]): thing for thing in things}


def test_the_plain_manifests_are_the_chart():
    plain = by_name(list(yaml.safe_load_all(kubectl("kustomize", str(ROOT / "manifests")))))
    del plain["Namespace", "weir-system"]
    assert plain == by_name(render()), "run manifests/generate"


def test_the_plain_manifests_are_accepted(api):
    kubectl("apply", "-f", str(ROOT / "manifests/namespace.yaml"))
    kubectl("apply", "--server-side", "--dry-run=server", "--force-conflicts", "-k", str(ROOT / "manifests"))


@pytest.mark.parametrize("example", SETS_OF_EXAMPLES)
def test_the_examples_are_accepted(namespace, example):
    kubectl("apply", "--dry-run=server", "-n", namespace, "-k", str(ROOT / "manifests/examples" / example))
