// weir-step as it runs in a pod: the real program, its exit code, its output and the message that it leaves.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json.h"
#include "pipeline/step_contract.h"
#include "unit/kube_test_support.h"

namespace weir {
namespace {

class StepProgram : public testing::Test {
 protected:
  StepProgram() {
    setenv("RESULTS", folder_.path().c_str(), 1);
    setenv("REPORTS", folder_.path().c_str(), 1);
    message_ = folder_.path() + "/message";
  }

  // `arguments` as a shell reads them.
  int run(const std::string& arguments) {
    const auto command = fmt::format("exec {} run --message={} {} 2>{}/err", WEIR_STEP_PROGRAM,
                                     message_, arguments, folder_.path());
    FILE* pipe = popen(command.c_str(), "r");
    out_.clear();
    std::array<char, 4096> buffer{};
    while (const auto got = fread(buffer.data(), 1, buffer.size(), pipe))
      out_.append(buffer.data(), got);
    const int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  static std::string read(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::string err() const { return read(folder_.path() + "/err"); }
  std::string message() const { return read(message_); }
  StepMessage decoded() const { return decode_step_message(message()); }

  kube_test::TempFolder folder_;
  std::string message_;
  std::string out_;
};

TEST_F(StepProgram, HandsOnOutputAndExitCode) {
  EXPECT_EQ(run("--script='echo out; echo err >&2; exit 7'"), 7);
  EXPECT_EQ(out_, "out\n");
  EXPECT_EQ(err(), "err\n");
  EXPECT_EQ(message(), "");
  EXPECT_EQ(run("-- printf '%s,' 'a b' '$HOME'"), 0);
  EXPECT_EQ(out_, "a b,$HOME,");
}

TEST_F(StepProgram, AScriptStopsAtItsFirstErrorOrChoosesItsInterpreter) {
  EXPECT_EQ(run("--script='false; echo on'"), 1);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(run("--script='#!/bin/cat\nwords'"), 0);
  EXPECT_EQ(out_, "#!/bin/cat\nwords");
}

TEST_F(StepProgram, ResultsAreWhatThisStepWrote) {
  std::ofstream(folder_.path() + "/old") << "x\n";
  EXPECT_EQ(run("--result=old --result=digest --result=none "
                "--script='printf \"sha256:\\\"1\\n\" > $RESULTS/digest'"),
            0);
  EXPECT_EQ(decoded().results, (std::map<std::string, std::string>{{"digest", "sha256:\"1"}}));
}

TEST_F(StepProgram, ResultsThatDoNotFitFailTheStep) {
  EXPECT_EQ(run("--result=a --script='head -c 1025 /dev/zero | tr \"\\0\" x > $RESULTS/a'"), 1);
  EXPECT_EQ(decoded().failure, FailureClass::Config);
  EXPECT_EQ(decoded().error, "result a: found 1025 bytes, must be at most 1024");
  EXPECT_EQ(run("--result=a --message-bytes=100 "
                "--script='head -c 200 /dev/zero | tr \"\\0\" x > $RESULTS/a'"),
            1);
  EXPECT_EQ(decoded().error,
            "the results of this step, as JSON: found 220 bytes, must be at most 100");
  EXPECT_EQ(run("--result=a --script='printf \"\\377\" > $RESULTS/a'"), 1);
  EXPECT_EQ(decoded().error, "result a: found bytes that are no UTF-8 text");
}

TEST_F(StepProgram, AStepThatTakesTooLongIsEnded) {
  EXPECT_EQ(run("--timeout=200ms --script='sleep 60'"), 124);
  EXPECT_EQ(decoded().timeout, "Step");
  EXPECT_EQ(decoded().error, "ended after 200ms");
  // Its last words are heard.
  EXPECT_EQ(run("--timeout=200ms --no-output-timeout=1h "
                "--script='trap \"echo bye; exit 3\" TERM; sleep 60 & wait'"),
            124);
  EXPECT_EQ(out_, "bye\n");
}

TEST_F(StepProgram, AQuietStepIsEndedAndATalkingOneNot) {
  EXPECT_EQ(run("--no-output-timeout=1s --script='sleep 60'"), 124);
  EXPECT_EQ(decoded().timeout, "NoOutput");
  EXPECT_EQ(decoded().error, "no output for 1s");
  EXPECT_EQ(run("--no-output-timeout=5s --script='echo a; sleep 0.1; echo b >&2'"), 0);
  EXPECT_EQ(out_ + err(), "a\nb\n");
}

TEST_F(StepProgram, ACommandThatIsNotThereIsAnErrorOfConfiguration) {
  EXPECT_EQ(run("-- no-such-program"), 127);
  EXPECT_EQ(decoded().failure, FailureClass::Config);
  EXPECT_EQ(decoded().error, "no-such-program: No such file or directory");
}

TEST_F(StepProgram, ASignalGoesToAllOfTheStep) {
  const pid_t parent = fork();
  if (parent == 0) {
    const auto script = fmt::format(
        "--script=trap 'echo stopped > {}/seen; exit 0' TERM; "
        "touch {}/ready; sleep 60 & wait",
        folder_.path(), folder_.path());
    const auto to = "--message=" + message_;
    execl(WEIR_STEP_PROGRAM, "weir-step", "run", to.c_str(), script.c_str(), nullptr);
    _exit(99);
  }
  for (int i = 0; i < 200 && access((folder_.path() + "/ready").c_str(), F_OK) != 0; ++i)
    usleep(50'000);
  kill(parent, SIGTERM);
  int status = 0;
  waitpid(parent, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(read(folder_.path() + "/seen"), "stopped\n");
}

TEST_F(StepProgram, InstallsItself) {
  const auto command =
      fmt::format("{} install {} {}", WEIR_STEP_PROGRAM, folder_.path(), folder_.path());
  ASSERT_EQ(system(command.c_str()), 0);
  EXPECT_EQ(system((folder_.path() + "/weir-step end").c_str()), 0);
  EXPECT_EQ(access((folder_.path() + "/results").c_str(), W_OK), 0);
  EXPECT_EQ(access((folder_.path() + "/home").c_str(), W_OK), 0);
}

TEST_F(StepProgram, IsSmallAndNeedsNothing) {
  struct stat file {};
  ASSERT_EQ(stat(WEIR_STEP_PROGRAM, &file), 0);
  EXPECT_LT(file.st_size, 1'000'000);
}

TEST_F(StepProgram, WhatItDoesNotUnderstandItSays) {
  EXPECT_EQ(run("--script=x -- y"), 2);
  EXPECT_EQ(run("--timeout=5x --script=x"), 2);
  EXPECT_EQ(run(""), 2);
  EXPECT_NE(err().find("usage: weir-step"), std::string::npos);
}

// ---- reports ----

using Figures = std::map<std::string, double>;

class StepReports : public StepProgram {
 protected:
  // The one report of a step that writes `text` and ends with `code`.
  Report report_of(const std::string& kind, const std::string& text, int code = 0) {
    std::ofstream(folder_.path() + "/text") << text;
    EXPECT_EQ(run(fmt::format("--report=all:{}:r.out --script='cat $REPORTS/text > $REPORTS/r.out; "
                              "exit {}'",
                              kind, code)),
              code);
    const auto reports = decoded().reports;
    EXPECT_EQ(reports.size(), 1U) << message();
    return reports.empty() ? Report{} : reports[0];
  }
};

constexpr const char* kJUnit = R"(<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" tests="4">
  <testcase classname="tests.test_cart" name="test_add" time="0.5"/>
  <testcase classname="tests.test_cart" name="test_<é&amp;&quot;" time="1.25">
    <failure message="a"/><failure/></testcase>
  <testcase name="test_main" time="0.25"><error>boom</error></testcase>
  <testcase name="later" time="0"><skipped/></testcase>
  <system-out>failure &lt;testcase&gt;</system-out>
</testsuite></testsuites>)";

TEST_F(StepReports, OfJUnitAreCountedAndNamedAlsoWhenTheStepFails) {
  auto text = std::string(kJUnit);
  text.replace(text.find("test_<"), 6, "test_&lt;");
  for (const int code : {0, 3}) {
    const auto report = report_of("JUnit", text, code);
    EXPECT_EQ(
        report.figures,
        (Figures{{"tests", 4}, {"failures", 1}, {"errors", 1}, {"skipped", 1}, {"seconds", 2}}));
    EXPECT_EQ(report.failed,
              (std::vector<std::string>{"tests.test_cart.test_<\u00e9&\"", "test_main"}));
    EXPECT_EQ(report.error, "");
  }
}

TEST_F(StepReports, OfCoverageArePercent) {
  EXPECT_EQ(
      report_of("Cobertura",
                R"(<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage lines-valid="40" lines-covered="30" branches-valid="0" branches-covered="0"><packages/>
</coverage>)")
          .figures,
      (Figures{{"lines", 75}}));
  EXPECT_EQ(report_of("LCOV", "SF:a\nDA:1,1\nLF:3\nLH:1\nBRF:4\nBRH:1\nend_of_record\nLF:5\nLH:5\n")
                .figures,
            (Figures{{"lines", 75}, {"branches", 25}}));
}

TEST_F(StepReports, OfFiguresAreLinesOfANameAndANumber) {
  EXPECT_EQ(report_of("Figures", "# load\np99_ms 12.5\r\n\n  rps\t1e3  ").figures,
            (Figures{{"p99_ms", 12.5}, {"rps", 1000}}));
}

TEST_F(StepReports, ThatCannotBeReadSayWhy) {
  const auto error = [this](const std::string& kind, const std::string& text) {
    const auto report = report_of(kind, text);
    EXPECT_TRUE(report.figures.empty() && report.failed.empty());
    return report.error;
  };
  EXPECT_EQ(error("JUnit", "<testsuite><testcase name='a'><failure/>"),
            "r.out: no element found in line 1");
  EXPECT_EQ(error("JUnit", "<html></html>"), "r.out: it has no testsuite");
  EXPECT_EQ(error("JUnit", ""), "r.out: no element found in line 1");
  EXPECT_EQ(error("JUnit", "<testsuite>\n<a></b>"), "r.out: mismatched tag in line 2");
  EXPECT_EQ(error("Cobertura", "<coverage line-rate='1'/>"),
            "r.out: it has no element coverage with lines-valid");
  EXPECT_EQ(error("Figures", "p99_ms 1\np99_ms\n"), "r.out: line 2 does not belong there");
  EXPECT_EQ(error("Figures", "p99_ms nan"), "r.out: line 1 does not belong there");
  EXPECT_EQ(error("LCOV", "LF:many"), "r.out: line 1 does not belong there");
}

// "A billion laughs": expat refuses to let a small file become a large one.
TEST_F(StepReports, ThatGrowWhenTheyAreReadAreRefused) {
  std::string text = "<!DOCTYPE x [<!ENTITY a0 \"laughter, as much as it takes to be heard\">";
  for (int i = 1; i < 12; ++i) {
    std::string many;
    for (int k = 0; k < 10; ++k) many += fmt::format("&a{};", i - 1);
    text += fmt::format("<!ENTITY a{} \"{}\">", i, many);
  }
  const auto report = report_of("JUnit", text + "]><testsuite>&a11;</testsuite>");
  EXPECT_NE(report.error.find("amplification"), std::string::npos) << report.error;
}

TEST_F(StepReports, AreThoseThatThisStepWroteOfAllFilesThatFit) {
  std::ofstream(folder_.path() + "/old.xml") << "<testsuite><testcase name='a'/></testsuite>";
  EXPECT_EQ(run("--report=old:JUnit:old.xml --report=none:JUnit:none.xml -- true"), 0);
  EXPECT_EQ(message(), "");
  EXPECT_EQ(run("--report=all:JUnit:sub/TEST-*.xml --script='mkdir $REPORTS/sub; cd $REPORTS/sub; "
                "cp ../old.xml TEST-1.xml; cp ../old.xml TEST-2.xml; cp ../old.xml other.xml'"),
            0);
  ASSERT_EQ(decoded().reports.size(), 1U);
  EXPECT_EQ(decoded().reports[0].figures.at("tests"), 2);
}

TEST_F(StepReports, GiveNamesAndThenFiguresAwayToFit) {
  std::string text = "<testsuite>";
  for (int i = 0; i < 60; ++i)
    text += fmt::format("<testcase name='{:0>150}'><failure/></testcase>", i);
  std::ofstream(folder_.path() + "/text") << text + "</testsuite>";
  const auto reported = [&](int bytes) {
    (void)std::remove(message_.c_str());
    EXPECT_EQ(
        run(fmt::format("--message-bytes={} --report=all:JUnit:r.out --script='cp $REPORTS/text "
                        "$REPORTS/r.out; touch $REPORTS/r.out'",
                        bytes)),
        0);
    EXPECT_LE(message().size(), static_cast<std::size_t>(bytes));
    return decoded().reports;
  };
  EXPECT_EQ(reported(4096).at(0).failed.size(), 20U);
  EXPECT_EQ(reported(4096).at(0).failed.at(0).size(), 120U);
  EXPECT_EQ(reported(700).at(0).failed.size(), 4U);
  EXPECT_EQ(reported(700).at(0).figures.at("failures"), 60);
  EXPECT_EQ(reported(90).at(0).error, "left out: no room in the termination message");
  EXPECT_TRUE(reported(40).empty());
}

}  // namespace
}  // namespace weir
