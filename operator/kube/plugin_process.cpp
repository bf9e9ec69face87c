#include "kube/plugin_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/deadline.h"

namespace weir {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  void reset(int number = -1) {
    if (number_ >= 0) ::close(number_);
    number_ = number;
  }

 private:
  int number_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// Ours, with what the request adds in its place.
std::vector<std::string> environment_of(const PluginRequest& request) {
  std::vector<std::string> texts;
  const auto is_replaced = [&](std::string_view text) {
    return std::any_of(request.environment.begin(), request.environment.end(),
                       [&](const auto& added) { return text.starts_with(added.first + "="); });
  };
  for (char** at = environ; *at != nullptr; ++at)
    if (!is_replaced(*at)) texts.emplace_back(*at);
  for (const auto& [name, value] : request.environment)
    texts.push_back(fmt::format("{}={}", name, value));
  return texts;
}

class Child {
 public:
  explicit Child(const PluginRequest& request) : request_(request) {}
  ~Child() {
    if (pid_ > 0) end();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Result<void> start();
  Result<std::string> collect();

 private:
  Error cannot_start(int error) const;
  void prepare(posix_spawn_file_actions_t& files, posix_spawnattr_t& attributes, int out) const;
  void end();
  // What has been printed so far; false when there is too much of it, or no more to come.
  bool take(std::string& output);
  Result<void> verdict() const;

  const PluginRequest& request_;
  pid_t pid_ = -1;  // until it has been waited for
  int status_ = 0;
  Descriptor process_;
  Descriptor output_;
};

Error Child::cannot_start(int error) const {
  if (error == ENOENT)
    return Error{ErrorKind::NotFound, fmt::format("no program {}", request_.command)};
  return Error{ErrorKind::Invalid,
               fmt::format("{} cannot be started: {}", request_.command, std::strerror(error))};
}

void Child::prepare(posix_spawn_file_actions_t& files, posix_spawnattr_t& attributes,
                    int out) const {
  ::posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  if (!request_.on_terminal)
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // Ours ignores SIGPIPE, and as operator blocks what asks it to end.
  sigset_t none;
  sigset_t pipe;
  sigemptyset(&none);
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &pipe);
  int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  // A group of its own can be killed as a whole, but may not read from the terminal.
  if (!request_.on_terminal) flags |= POSIX_SPAWN_SETPGROUP;
  ::posix_spawnattr_setflags(&attributes, static_cast<short>(flags));
}

Result<void> Child::start() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return cannot_start(errno);
  output_.reset(ends[0]);
  const Descriptor write_end(ends[1]);
  ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  std::vector<std::string> words{request_.command};
  words.insert(words.end(), request_.arguments.begin(), request_.arguments.end());
  auto variables = environment_of(request_);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  prepare(files, attributes, write_end.get());
  const int error = ::posix_spawnp(&pid_, request_.command.c_str(), &files, &attributes,
                                   pointers(words).data(), pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    pid_ = -1;
    return cannot_start(error);
  }
  // Not glibc's pidfd_open(): the header of 2.36 forgets extern "C".
  process_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (process_.get() < 0) return cannot_start(errno);
  return {};
}

void Child::end() {
  ::kill(request_.on_terminal ? pid_ : -pid_, SIGKILL);
  ::waitpid(pid_, &status_, 0);
  pid_ = -1;
}

bool Child::take(std::string& output) {
  std::array<char, 4096> buffer;
  for (;;) {
    const auto got = ::read(output_.get(), buffer.data(), buffer.size());
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    output.append(buffer.data(), static_cast<std::size_t>(got));
    if (output.size() > request_.max_output) return false;
  }
}

Result<void> Child::verdict() const {
  if (WIFEXITED(status_) && WEXITSTATUS(status_) == 0) return {};
  const auto how = WIFEXITED(status_) ? fmt::format("exit code {}", WEXITSTATUS(status_))
                                      : fmt::format("signal {}", WTERMSIG(status_));
  return Error{ErrorKind::Forbidden, fmt::format("{} failed: {}", request_.command, how)};
}

// Until the program has ended; what it started may go on and keep the pipe open.
Result<std::string> Child::collect() {
  const SystemClock clock;
  const auto deadline = Deadline::after(clock, request_.limit);
  std::string output;
  std::array<pollfd, 2> waits{pollfd{process_.get(), POLLIN, 0}, pollfd{output_.get(), POLLIN, 0}};
  for (bool running = true; running;) {
    const auto left = deadline.left(clock);
    if (left == milliseconds(0))
      return Error{ErrorKind::Timeout, fmt::format("{} has not ended within {} s", request_.command,
                                                   request_.limit.count() / 1000)};
    ::poll(waits.data(), waits.size(), static_cast<int>(left.count()));
    running = waits[0].revents == 0;
    const bool more = take(output);
    if (output.size() > request_.max_output)
      return Error{ErrorKind::Invalid, fmt::format("{} printed more than {} bytes",
                                                   request_.command, request_.max_output)};
    if (!more) waits[1].fd = -1;  // closed: only its end is awaited
  }
  ::waitpid(pid_, &status_, 0);
  pid_ = -1;
  if (auto good = verdict(); !good) return std::move(good).error();
  return output;
}

}  // namespace

Result<std::string> run_plugin(const PluginRequest& request) {
  Child child(request);
  if (auto started = child.start(); !started) return std::move(started).error();
  return child.collect();
}

}  // namespace weir
