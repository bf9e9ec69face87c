#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "unit/cli_test_support.h"

namespace weir::cli_test {
namespace {

const std::string kPolicy = R"yaml(apiVersion: weir.dev/v1alpha1
kind: CanaryPolicy
metadata: {name: standard}
spec:
  steps: [{weight: 10, hold: 1m}, {weight: 100}]
  sources: [{name: p, prometheus: {url: "http://p:9090"}}]
  objectives:
  - name: errors
    ratio: {badQuery: 'bad{s="$(service)"}', totalQuery: 'all{s="$(service)"}', atMost: "5%"}
)yaml";

const std::string kRelease = R"yaml(apiVersion: weir.dev/v1alpha1
kind: Release
metadata: {name: shop}
spec:
  template:
    spec:
      containers:
      - name: web
        image: shop:1.4
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: http}}
  service: {ports: [{name: http, port: 80, targetPort: http}]}
  traffic: {type: GatewayAPI, gatewayAPI: {parentRefs: [{name: web}]}}
  strategy: {type: Canary, canary: {policyRef: {name: standard}}}
)yaml";

std::string replaced(std::string text, const std::string& part, const std::string& by) {
  const auto at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return at == std::string::npos ? text : text.replace(at, part.size(), by);
}

// What lint prints about standard input, without the policy's note.
std::string lint(const std::string& text) { return run({"lint", "-"}, text).out; }
std::string lint_both(const std::string& policy, const std::string& release) {
  return lint(policy + "---\n" + release);
}

TEST(Lint, HasNothingToSayAboutWhatIsRight) {
  const auto ran = run({"lint", "-"}, kPolicy + "---\n" + kRelease);
  EXPECT_EQ(ran.code, exit_code::kOk);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "2 objects of weir.dev in 1 files: 0 errors, 0 warnings\n");
}

TEST(Lint, NamesLineObjectAndField) {
  auto release =
      replaced(kRelease, "  template:\n", "  replcas: 3\n  lifecycle: Sleep\n  template:\n");
  const auto ran = run({"lint", "-"}, kPolicy + "---\n" + release);
  EXPECT_EQ(ran.code, exit_code::kFailed);
  EXPECT_EQ(ran.out,
            "-:15: error: Release/shop: spec.replcas: unknown field, did you mean \"replicas\"?\n"
            "-:16: error: Release/shop: spec.lifecycle: found \"Sleep\", must be one of "
            "PreStopSleep, AsGiven\n");
  EXPECT_EQ(ran.err, "2 objects of weir.dev in 1 files: 2 errors, 0 warnings\n");
}

TEST(Lint, PrintsTheRoleForTheSecretsThatPoliciesName) {
  const auto with_secret = [](const std::string& name, const std::string& secret) {
    const auto named = replaced(kPolicy, "{name: standard}", name);
    return replaced(named, "9090\"", "9090\", secretRef: {name: " + secret + "}");
  };
  const auto text = with_secret("{name: a, namespace: shop}", "one") + "---\n" +
                    with_secret("{name: b, namespace: shop}", "two") + "---\n" + kRelease;
  const auto done = run({"lint", "--rbac", "--service-account", "ops/weir", "-"}, text);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, R"(---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: weir-secrets
  namespace: shop
rules:
- apiGroups:
  - ""
  resourceNames:
  - one
  - two
  resources:
  - secrets
  verbs:
  - get
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: weir-secrets
  namespace: shop
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: weir-secrets
subjects:
- kind: ServiceAccount
  name: weir
  namespace: ops
)");
}

TEST(Lint, APolicyWithoutNamespaceIsInTheOneThatIsSaid) {
  const auto named = replaced(kPolicy, "9090\"", "9090\", secretRef: {name: one}");
  EXPECT_NE(run({"lint", "--rbac", "-n", "cart", "-"}, named).out.find("  namespace: cart\n"),
            std::string::npos);
}

TEST(Lint, GrantsNothingWhenNoSecretIsNamed) {
  const auto done = run({"lint", "--rbac", "-"}, kPolicy);
  EXPECT_EQ(done.out, "");
  EXPECT_EQ(done.err, "nothing names a Secret: nothing to grant\n");
  EXPECT_NE(run({"lint", "--rbac", "--service-account", "weir", "-"}, kPolicy).code, 0);
  EXPECT_NE(run({"lint", "--rbac", "-"}, replaced(kPolicy, "5%", "500%")).code, 0);
}

TEST(Lint, TellsWhatWholePodsMakeOfTheSteps) {
  auto release = replaced(kRelease, "{type: GatewayAPI, gatewayAPI: {parentRefs: [{name: web}]}}",
                          "{type: Replicas}");
  release = replaced(release, "  template:\n", "  replicas: 4\n  template:\n");
  const auto said = lint_both(kPolicy, release);
  EXPECT_NE(said.find("spec.traffic.type: with Replicas a share is a number of pods beside the 4 "
                      "of stable: 10 % is 1 of 5 pods (20 %)\n"),
            std::string::npos)
      << said;
  EXPECT_EQ(lint_both(replaced(kPolicy, "weight: 10", "weight: 25"), release), "");
}

TEST(Lint, APresetOfAGatewayCountsNothingWithRouterReplicas) {
  auto release = replaced(kRelease, "{type: GatewayAPI, gatewayAPI: {parentRefs: [{name: web}]}}",
                          "{type: Replicas}");
  const auto with = [&](const std::string& dialect) {
    const auto policy =
        replaced(kPolicy, "badQuery: 'bad{s=\"$(service)\"}', totalQuery: 'all{s=\"$(service)\"}'",
                 "preset: {name: Errors, dialect: " + dialect + "}");
    return lint_both(policy, release);
  };
  EXPECT_NE(with("Traefik").find("no gateway knows the revisions: objective errors"),
            std::string::npos);
  EXPECT_EQ(with("Http").find("no gateway"), std::string::npos);
}

// `create` cannot be limited to names.
TEST(Lint, GrantsCopiesOfTheSecretsThatReleasesName) {
  const auto named =
      replaced(kRelease, "  template:", "  config: {secretRefs: [{name: keys}]}\n  template:");
  const auto done = run({"lint", "--rbac", "-"}, named);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_NE(done.out.find(R"(rules:
- apiGroups:
  - ""
  resourceNames:
  - keys
  resources:
  - secrets
  verbs:
  - get
- apiGroups:
  - ""
  resources:
  - secrets
  verbs:
  - create
---
)"),
            std::string::npos)
      << done.out;
}

TEST(Lint, ReportsConfigThatTheTemplateDoesNotName) {
  const auto named =
      replaced(kRelease, "  template:", "  config: {configMapRefs: [{name: app}]}\n  template:");
  EXPECT_EQ(
      lint_both(kPolicy, named),
      "-:15: error: Release/shop: spec.config.configMapRefs[0].name: found \"app\", must be a "
      "ConfigMap that spec.template names in volumes, envFrom or env\n");
}

TEST(Lint, ReportsMissingFieldsWhereTheyBelong) {
  EXPECT_EQ(
      lint(replaced(kPolicy, "  - name: errors\n    ratio", "  - severity: Warning\n    ratio")),
      "-:8: error: CanaryPolicy/standard: spec.objectives[0].name: missing, must be a DNS "
      "label (lower-case letters, digits and '-', at most 63 characters)\n");
}

TEST(Lint, ReadsFilesDirectoriesAndJson) {
  const kube_test::TempFolder folder;
  folder.write("b/policy.yaml", kPolicy);
  folder.write("b/c/release.yml", replaced(kRelease, "name: standard", "name: other"));
  folder.write("a.json", R"({"apiVersion": "weir.dev/v1alpha1", "kind": "Realise"})");
  folder.write("b/kustomization.yaml", "resources: [policy.yaml]\n");
  folder.write("b/notes.txt", ": : :");
  const auto ran = run({"lint", folder.path()});
  const auto in = [&](const std::string& name) { return folder.path() + "/" + name; };
  EXPECT_EQ(ran.out, in("a.json") +
                         ":1: error: Realise/: kind: found \"Realise\", must be one of "
                         "CanaryPolicy, Release, Pipeline, PipelineRun\n" +
                         in("b/c/release.yml") +
                         ":14: note: Release/shop: spec.strategy.canary.policyRef.name: "
                         "CanaryPolicy other is not among these files\n");
  EXPECT_EQ(ran.err, "3 objects of weir.dev in 4 files: 1 errors, 0 warnings\n");
  EXPECT_EQ(run({"lint", in("b/policy.yaml"), in("b/c/release.yml")}).code, exit_code::kOk);
  const auto missing = run({"lint", in("nothing.yaml")});
  EXPECT_EQ(missing.code, exit_code::kFailed);
  EXPECT_EQ(missing.err, "weir lint: no file " + in("nothing.yaml") + "\n");
}

TEST(Lint, GoesOnBehindAFileThatIsNoYaml) {
  const kube_test::TempFolder folder;
  const auto broken = folder.write("a.yaml", kPolicy + "---\na: [1,\nb: 2\n");
  const auto good = folder.write("b.yaml", replaced(kRelease, "GatewayAPI,", "Ingress,"));
  const auto out = run({"lint", broken, good}).out;
  EXPECT_EQ(out.substr(0, broken.size() + 12), broken + ":13: error: ") << out;
  EXPECT_NE(out.find(good + ":13: error: Release/shop: spec.traffic.type"), std::string::npos)
      << out;
}

TEST(Lint, RefusesWhatKubectlWouldReadOtherwise) {
  const auto out = lint(replaced(kRelease, "metadata: {name: shop}",
                                 "metadata: {name: shop, annotations: {a: yes, b: 'yes'}}"));
  EXPECT_NE(out.find("-:3: error: Release/shop: metadata.annotations.a: kubectl reads something "
                     "else than what stands here"),
            std::string::npos)
      << out;
  EXPECT_EQ(out.find("annotations.b"), std::string::npos);
  EXPECT_NE(lint(replaced(kPolicy, "metadata:", "kind: x\nmetadata:")).find("a second time"),
            std::string::npos);
}

TEST(Lint, RefusesWhatIsNoObject) {
  EXPECT_EQ(lint("- 1\n"), "-:1: error: not a Kubernetes object: apiVersion or kind is missing\n");
  EXPECT_EQ(lint("---\n---\n# nothing\n"), "");
  EXPECT_EQ(lint("apiVersion: v1\nkind: Pod\nwhatever: [yes]\n"), "");
}

TEST(Lint, LooksIntoLists) {
  std::string list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n- ";
  for (const char c : replaced(kPolicy, "steps", "stepps"))
    list += c == '\n' ? std::string("\n  ") : std::string(1, c);
  EXPECT_EQ(lint(list + "\n"),
            "-:10: error: CanaryPolicy/standard: spec.stepps: unknown field, did you mean "
            "\"steps\"?\n");
}

TEST(Lint, RefusesAListThatIsNone) {
  for (const auto* items : {"{a: 1}", "text", "5"})
    EXPECT_EQ(lint(std::string("apiVersion: v1\nkind: List\nitems: ") + items),
              "-:3: error: List/: items: must be a list\n");
  EXPECT_EQ(lint("apiVersion: v1\nkind: List\n"), "");
}

TEST(Lint, WarnsOfPoliciesThatDoNotJudge) {
  EXPECT_EQ(lint("apiVersion: weir.dev/v1alpha1\nkind: CanaryPolicy\nmetadata: {name: p}\n"
                 "spec: {steps: [{weight: 100}]}\n"),
            "-:4: warning: CanaryPolicy/p: spec.objectives: none: every release goes to 100 %, "
            "whatever happens to its callers\n");
  EXPECT_EQ(lint(replaced(kPolicy, "'bad{s=\"$(service)\"}'", "'sum(increase(bad[1m]))'")),
            "-:9: warning: CanaryPolicy/standard: spec.objectives[0].ratio.badQuery: increase() "
            "makes a rate of the counter; Weir counts the requests itself and needs the counter as "
            "it is\n"
            "-:9: warning: CanaryPolicy/standard: spec.objectives[0].ratio.badQuery: names neither "
            "$(service) nor $(revision): it counts the requests of all revisions, and each is "
            "judged by them\n");
  EXPECT_EQ(lint(replaced(kPolicy, "'bad{", "'rate_limited_total{")), "");
}

TEST(Lint, WarnsOfAnObjectiveThatCanHardlyPass) {
  const std::string policy =
      "apiVersion: weir.dev/v1alpha1\nkind: CanaryPolicy\nmetadata: {name: p}\nspec:\n"
      "  sources: [{name: m, prometheus: {url: 'http://p:9090'}}]\n  objectives:\n"
      "  - name: errors\n    ratio: {preset: {name: Errors, dialect: Http}, versusStable: {}}\n";
  EXPECT_EQ(lint(policy), "");
  EXPECT_EQ(
      lint(policy + "    onUnsure: Hold\n"),
      "-:9: warning: CanaryPolicy/p: spec.objectives[0].onUnsure: Hold waits until the canary "
      "is shown to be no worse than stable; without a margin one that is as good never is, "
      "and a person is asked: give versusStable.atMostTimes or plusAtMost\n");
  EXPECT_EQ(lint(replaced(policy + "    onUnsure: Hold\n", "{}}", "{atMostTimes: '1.5'}}")), "");
}

TEST(Lint, WarnsOfHoldsThatAreOverBeforeAnythingIsJudged) {
  const auto hasty = replaced(kPolicy, "hold: 1m", "hold: 20s");
  EXPECT_EQ(lint(hasty), "");  // NoData holds the step until there is data
  EXPECT_EQ(lint(hasty + "    onNoData: Advance\n"),
            "-:10: warning: CanaryPolicy/standard: spec.objectives[0].onNoData: the hold of 20s at "
            "10 % ends before the first judged sample (warmup 30s, then every 5s): the step is "
            "never judged\n");
  EXPECT_NE(lint(hasty + "    onNoData: Rollback\n").find("every release is rolled back there"),
            std::string::npos);
  const auto value = replaced(kPolicy, kPolicy.substr(kPolicy.find("ratio")),
                              "value: {query: max(lag), atMost: \"1\"}\n");
  EXPECT_EQ(lint(value),
            "-:9: warning: CanaryPolicy/standard: spec.objectives[0].value.failAfter: 3 samples, "
            "one every 15s, after a warmup of 30s take 1m15s: the hold of 1m at 10 % is over "
            "before they can fail\n");
}

TEST(Lint, WarnsOfReleasesThatServeTooEarlyOrTheWrongThing) {
  const auto out = lint_both(
      kPolicy, replaced(replaced(replaced(kRelease, "shop:1.4", "registry:5000/shop"),
                                 "        readinessProbe: {httpGet: {path: /, port: http}}\n", ""),
                        "targetPort: http", "targetPort: web"));
  EXPECT_EQ(out,
            "-:17: warning: Release/shop: spec.template.spec.containers: none has a "
            "readinessProbe: a pod counts as ready as soon as it runs\n"
            "-:19: warning: Release/shop: spec.template.spec.containers[0].image: "
            "registry:5000/shop may become another image without a new revision, and is then "
            "neither released step by step nor taken back: name a version\n"
            "-:21: warning: Release/shop: spec.service.ports[0].targetPort: no container has a "
            "port named web\n");
  for (const auto* image : {"shop:v1", "shop@sha256:abc", "registry:5000/a/shop:1"})
    EXPECT_EQ(lint_both(kPolicy, replaced(kRelease, "shop:1.4", image)), "") << image;
}

TEST(Lint, WarnsOfObjectsInEachOthersWay) {
  const auto service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: shop}\n";
  EXPECT_EQ(lint_both(kPolicy, kRelease + service),
            "-:22: warning: Release/shop: spec.service.name: Service shop in - is in the way: Weir "
            "makes its own and takes no foreign one\n");
  const auto elsewhere = replaced(service, "{name: shop}", "{name: shop, namespace: b}");
  const auto here = replaced(kRelease, "{name: shop}", "{name: shop, namespace: a}");
  EXPECT_EQ(lint_both(kPolicy, here + elsewhere), "");
  const auto twins = lint_both(kPolicy, kRelease + "---\n" + kRelease);
  EXPECT_EQ(twins,
            "-:28: warning: Release/shop: metadata.name: stands in - line 11 too; the last "
            "one applied wins\n");
  const auto same_service = replaced(replaced(kRelease, "{name: shop}", "{name: till}"),
                                     "service: {", "service: {name: shop, ");
  EXPECT_NE(
      lint_both(kPolicy, kRelease + "---\n" + same_service)
          .find("-:37: warning: Release/till: spec.service.name: Release shop in - has the same"),
      std::string::npos);
}

TEST(Lint, SpeaksJson) {
  const auto ran = run({"lint", "-o", "json", "-"}, replaced(kPolicy, "steps", "stepps"));
  EXPECT_EQ(ran.code, exit_code::kFailed);
  EXPECT_EQ(Json::parse(ran.out), Json::parse(R"([{
    "severity": "error", "file": "-", "line": 5, "kind": "CanaryPolicy", "name": "standard",
    "path": "spec.stepps", "message": "unknown field, did you mean \"steps\"?"}])"));
  EXPECT_EQ(run({"lint", "-o", "json", "-"}, kPolicy).out, "[]\n");
}

TEST(Lint, FindsNothingWrongWithTheExamples) {
  const auto ran = run({"lint", WEIR_SOURCE_DIR "/manifests/examples"});
  EXPECT_EQ(ran.code, exit_code::kOk);
  EXPECT_EQ(ran.out, "");
}

}  // namespace
}  // namespace weir::cli_test
