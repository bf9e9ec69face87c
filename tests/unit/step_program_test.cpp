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

}  // namespace
}  // namespace weir
