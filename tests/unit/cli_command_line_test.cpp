#include <gtest/gtest.h>

#include "unit/cli_test_support.h"

namespace weir::cli_test {
namespace {

#define EXPECT_PART(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(CommandLine, WithoutACommandTellsHowToUseIt) {
  const auto none = run({});
  EXPECT_EQ(none.code, exit_code::kUsage);
  EXPECT_EQ(none.out, "");
  EXPECT_PART(none.err, "usage: weir COMMAND");
  for (const auto* word : {"help", "-h", "--help"}) {
    const auto help = run({word});
    EXPECT_EQ(help.code, exit_code::kOk);
    EXPECT_EQ(help.out, none.err);
    EXPECT_EQ(help.out.find("__complete"), std::string::npos);
  }
}

TEST(CommandLine, HelpOfACommandHasItsFlagsAndExamples) {
  const auto help = run({"help", "get"});
  EXPECT_EQ(help.code, exit_code::kOk);
  EXPECT_PART(help.out, "usage: weir get [NAME] [FLAG…]\n");
  EXPECT_PART(help.out, "  -o, --output json|yaml|name|wide for programs");
  EXPECT_PART(help.out, "\n  kubectl weir get shop --watch ");
  for (const auto& words : {std::vector<std::string>{"get", "--help"}, {"get", "x", "-h"}})
    EXPECT_EQ(run(words).out, help.out);
}

TEST(CommandLine, GuessesWhatWasMeant) {
  const auto ran = run({"explian", "shop"});
  EXPECT_EQ(ran.code, exit_code::kUsage);
  EXPECT_EQ(ran.err,
            "weir: unknown command \"explian\", did you mean \"explain\"?\n"
            "See `weir help`.\n");
  EXPECT_EQ(run({"zzz"}).err, "weir: unknown command \"zzz\"\nSee `weir help`.\n");
}

TEST(CommandLine, RefusesWordsTooManyOrTooFew) {
  const auto many = run({"get", "a", "b"});
  EXPECT_EQ(many.code, exit_code::kUsage);
  EXPECT_EQ(many.err, "weir get: b: not expected\nSee `weir get --help`.\n");
  EXPECT_EQ(run({"explain"}).err,
            "weir explain: release/NAME is missing\nSee `weir explain --help`.\n");
  EXPECT_EQ(run({"explain", "pod/x"}).code, exit_code::kUsage);
  EXPECT_EQ(run({"watch", "shop", "--timeout", "soon"}).code, exit_code::kUsage);
  EXPECT_EQ(run({"completion", "tcsh"}).code, exit_code::kUsage);
  EXPECT_EQ(run({"sim", "--seeds", "x"}).code, exit_code::kUsage);
}

TEST(CommandLine, TellsItsVersion) {
  EXPECT_EQ(run({"version"}).out, "weir 1.2.3\n");
  EXPECT_EQ(run({"--version"}).out, "weir 1.2.3\n");
  EXPECT_EQ(run({"version", "-o", "json"}).out, "{\"version\":\"1.2.3\"}\n");
  EXPECT_EQ(run({"version", "-o", "yaml"}).out, "version: \"1.2.3\"\n");
}

TEST(CommandLine, AMissingKubeconfigIsAFailure) {
  const auto ran = run({"get", "--kubeconfig=/nonexistent"});
  EXPECT_EQ(ran.code, exit_code::kFailed);
  EXPECT_EQ(ran.err, "weir get: no kubeconfig at /nonexistent\n");
}

std::string completed(const std::vector<std::string>& words) {
  std::vector<std::string> all{"__complete", "--"};
  all.insert(all.end(), words.begin(), words.end());
  return run(all).out;
}

TEST(Completion, OffersCommandsFlagsAndValues) {
  EXPECT_EQ(completed({"l"}),
            "list\treleases as a table: phase, step, weights, images\n"
            "lint\tchecks Weir's objects offline, before they reach a cluster\n"
            "logs\twhat the steps of a run have written, as long as their pods are there\n:4\n");
  EXPECT_EQ(completed({"help", "wa"}).substr(0, 6), "watch\t");
  EXPECT_EQ(completed({"list", "--all"}), "--all-namespaces\tin all namespaces\n:4\n");
  EXPECT_EQ(completed({"get", "-o", ""}), "json\nyaml\nname\nwide\n:4\n");
  EXPECT_EQ(completed({"get", "-o", "y"}), "yaml\n:4\n");
  EXPECT_EQ(completed({"get", "--output", "=", "y"}), "yaml\n:4\n");
  EXPECT_EQ(completed({"completion", ""}), "bash\nzsh\nfish\n:4\n");
  EXPECT_EQ(completed({"lint", ""}), ":0\n");
  EXPECT_EQ(completed({"get", "--kubeconfig", ""}), ":0\n");
  EXPECT_EQ(completed({"nonsense", ""}), ":4\n");
}

TEST(Completion, OffersTheReleasesOfTheCluster) {
  FakeCluster cluster;
  auto other = progressing_release();
  other["metadata"]["name"] = "shed";
  cluster.set_releases({progressing_release(), other});
  const auto ask = [&](const std::vector<std::string>& words) {
    // The kubeconfig among the words that are completed.
    std::vector<std::string> all{"__complete", "--"};
    all.insert(all.end(), words.begin(), words.end());
    return run(all).out;
  };
  const auto flag = "--kubeconfig=" + cluster.kubeconfig();
  EXPECT_EQ(ask({"explain", flag, ""}), "shop\nshed\n:4\n");
  EXPECT_EQ(ask({"explain", flag, "sho"}), "shop\n:4\n");
  EXPECT_EQ(ask({"explain", flag, "release/she"}), "release/shed\n:4\n");
  cluster.refuse_all(403, "{}");
  EXPECT_EQ(ask({"explain", flag, ""}), ":4\n");
}

TEST(Completion, ScriptsAskTheProgram) {
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    const auto script = run({"completion", shell}).out;
    EXPECT_PART(script, "__complete --");
    EXPECT_PART(script, "kubectl-weir");
  }
}

}  // namespace
}  // namespace weir::cli_test
