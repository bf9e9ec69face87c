#include "step/run.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "step/message.h"

namespace weir::step {
namespace {

constexpr long kKillAfterMs = 10'000;  // of SIGTERM
constexpr int kTimedOut = 124;
constexpr int kNotFound = 127;
constexpr std::array<int, 6> kForwarded{SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

long now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

// A script with a "#!" line is run by what that names, another one by the shell, which stops at its first error.
std::vector<std::string> words_of(const RunOptions& options) {
  if (options.script.empty()) return options.command;
  if (options.script.compare(0, 2, "#!") != 0) return {"/bin/sh", "-ec", options.script};
  // Not CLOEXEC: the interpreter opens it by this path.
  const int fd = memfd_create("script", 0);
  if (fd < 0 || !write_all(fd, options.script.data(), options.script.size())) return {};
  return {"/proc/self/fd/" + std::to_string(fd)};
}

struct Pipe {
  int read = -1;
  int write = -1;
  bool open_both() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return true;
  }
};

class Step {
 public:
  explicit Step(const RunOptions& options) : options_(options), words_(words_of(options)) {}

  int run() {
    const auto before = read_results(options_.results);
    const auto reports_before = find_reports(options_.reports);
    if (!begin()) {
      leave(message_, options_);
      return kNotFound;
    }
    while (!ended_) turn();
    drain();
    const int code = exit_code();
    if (code == 0) message_ = message_of(before, read_results(options_.results), bytes());
    message_.reports = read_reports(options_.reports, reports_before);
    make_fit(message_, bytes());
    if (!leave(message_, options_)) complain("its termination message cannot be written");
    if (!message_.error.empty()) complain(message_.error);
    return code == 0 && !message_.failure.empty() ? 1 : code;
  }

 private:
  std::size_t bytes() const { return options_.message_bytes; }

  static void complain(const std::string& what) {
    const auto text = "weir-step: " + what + "\n";
    write_all(STDERR_FILENO, text.data(), text.size());
  }

  bool fail_to_begin(const std::string& what, int error) {
    message_.failure = "Config";
    message_.error = what + ": " + std::strerror(error);
    complain(message_.error);
    return false;
  }

  bool begin() {
    if (words_.empty()) return fail_to_begin("the script cannot be kept", errno);
    const bool relayed = options_.no_output_ms > 0;
    Pipe failure;
    if (!failure.open_both() || (relayed && !(out_.open_both() && err_.open_both())))
      return fail_to_begin("pipe", errno);
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    for (const int each : kForwarded) sigaddset(&watched, each);
    sigprocmask(SIG_BLOCK, &watched, &usual_);
    signals_ = signalfd(-1, &watched, SFD_CLOEXEC);
    child_ = fork();
    if (child_ < 0 || signals_ < 0) return fail_to_begin("fork", errno);
    if (child_ == 0) become(failure.write);
    setpgid(child_, child_);  // whichever of the two comes first
    for (const int end : {failure.write, out_.write, err_.write})
      if (end >= 0) close(end);
    int error = 0;
    const auto got = read(failure.read, &error, sizeof error);
    close(failure.read);
    begun_ = heard_ = now_ms();
    if (got != sizeof error) return true;
    waitpid(child_, nullptr, 0);
    return fail_to_begin(words_.front(), error);
  }

  [[noreturn]] void become(int failure) {
    setpgid(0, 0);
    sigprocmask(SIG_SETMASK, &usual_, nullptr);
    if (out_.write >= 0) {
      dup2(out_.write, STDOUT_FILENO);
      dup2(err_.write, STDERR_FILENO);
    }
    std::vector<char*> words;
    words.reserve(words_.size() + 1);
    for (auto& word : words_) words.push_back(word.data());
    words.push_back(nullptr);
    execvp(words[0], words.data());
    const int error = errno;
    (void)!write(failure, &error, sizeof error);
    _exit(kNotFound);
  }

  // Waits for whatever comes first.
  void turn() {
    std::array<pollfd, 3> fds{
        {{signals_, POLLIN, 0}, {out_.read, POLLIN, 0}, {err_.read, POLLIN, 0}}};
    const int events = poll(fds.data(), fds.size(), milliseconds_left());
    if (events > 0) {
      if (fds[1].revents != 0) relay(out_.read, STDOUT_FILENO);
      if (fds[2].revents != 0) relay(err_.read, STDERR_FILENO);
      if (fds[0].revents != 0) take_signal();
    }
    check_time();
  }

  // A closed one is not asked again: poll passes over negative numbers.
  void relay(int& from, int to) {
    std::array<char, 16384> buffer{};
    const auto got = read(from, buffer.data(), buffer.size());
    if (got <= 0) {
      close(from);
      from = -1;
      return;
    }
    heard_ = now_ms();
    write_all(to, buffer.data(), static_cast<std::size_t>(got));
  }

  void take_signal() {
    signalfd_siginfo info{};
    if (read(signals_, &info, sizeof info) != sizeof info) return;
    const int number = static_cast<int>(info.ssi_signo);
    if (number != SIGCHLD) {
      kill(-child_, number);
      return;
    }
    // As the first process of its container it is given all that lost their parents.
    int status = 0;
    for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG))
      if (pid == child_) {
        ended_ = true;
        status_ = status;
      }
  }

  long next_deadline() const {
    if (!message_.timeout.empty()) return killed_at_ + kKillAfterMs;
    long next = 0;
    if (options_.timeout_ms > 0) next = begun_ + options_.timeout_ms;
    if (options_.no_output_ms > 0) {
      const long quiet = heard_ + options_.no_output_ms;
      next = next == 0 ? quiet : std::min(next, quiet);
    }
    return next;
  }

  int milliseconds_left() const {
    const long next = next_deadline();
    if (next == 0) return -1;
    return static_cast<int>(std::clamp(next - now_ms(), 0L, 3'600'000L));
  }

  void check_time() {
    const long now = now_ms();
    const long next = next_deadline();
    if (ended_ || next == 0 || now < next) return;
    if (!message_.timeout.empty()) {
      kill(-child_, SIGKILL);
      killed_at_ = now;
      return;
    }
    const bool whole = options_.timeout_ms > 0 && now >= begun_ + options_.timeout_ms;
    message_.timeout = whole ? "Step" : "NoOutput";
    const long ms = whole ? options_.timeout_ms : options_.no_output_ms;
    message_.error = (whole ? "ended after " : "no output for ") + seconds_of(ms);
    kill(-child_, SIGTERM);
    killed_at_ = now;
  }

  static std::string seconds_of(long ms) {
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
  }

  // What was written before the end; not what processes that it left behind write later.
  void drain() {
    for (auto* from : {&out_.read, &err_.read}) {
      const int to = from == &out_.read ? STDOUT_FILENO : STDERR_FILENO;
      if (*from >= 0) fcntl(*from, F_SETFL, O_NONBLOCK);
      while (*from >= 0) relay(*from, to);
    }
  }

  int exit_code() const {
    if (!message_.timeout.empty()) return kTimedOut;
    return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
  }

  const RunOptions& options_;
  std::vector<std::string> words_;
  Message message_;
  Pipe out_;
  Pipe err_;
  sigset_t usual_{};
  int signals_ = -1;
  pid_t child_ = -1;
  bool ended_ = false;
  int status_ = 0;
  long begun_ = 0;
  long heard_ = 0;
  long killed_at_ = 0;
};

}  // namespace

int run(const RunOptions& options) { return Step(options).run(); }

}  // namespace weir::step
