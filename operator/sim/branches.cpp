#include "sim/branches.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace weir::sim {
namespace {

std::string describe(int status) {
  if (WIFSIGNALED(status)) return fmt::format("killed by signal {}", WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return fmt::format("exit code {}", WEXITSTATUS(status));
  return "";
}

}  // namespace

bool Branches::branch(std::size_t index) {
  while (running_.size() >= most_) wait_for_some();
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) {
    on_end_({index, "", fmt::format("no pipe: {}", std::strerror(errno))});
    return false;
  }
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    for (const auto& [pipe, other] : running_) ::close(pipe);
    running_.clear();  // they are the original's
    our_pipe_ = ends[1];
    return true;
  }
  ::close(ends[1]);
  if (pid < 0) {
    ::close(ends[0]);
    on_end_({index, "", fmt::format("no process: {}", std::strerror(errno))});
    return false;
  }
  running_.emplace(ends[0], Running{index, pid, clock_.monotonic() + kLongestBranch});
  return false;
}

void Branches::leave(const std::string& word) const {
  std::size_t written = 0;
  while (written < word.size()) {
    const auto n = ::write(our_pipe_, word.data() + written, word.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) ::_exit(1);
    written += static_cast<std::size_t>(n);
  }
  ::_exit(0);
}

void Branches::join() {
  while (!running_.empty()) wait_for_some();
}

void Branches::wait_for_some() {
  std::vector<pollfd> polled;
  auto until = SteadyTime::max();
  for (const auto& [pipe, branch] : running_) {
    polled.push_back({pipe, POLLIN, 0});
    until = std::min(until, branch.until);
  }
  const auto left = std::chrono::ceil<milliseconds>(until - clock_.monotonic()).count();
  (void)::poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(0, left)));
  const auto now = clock_.monotonic();
  for (const auto& one : polled) {
    auto& branch = running_.at(one.fd);
    if (one.revents != 0) {
      if (!read_from(one.fd, branch)) end(one.fd, "");
    } else if (now >= branch.until) {
      ::kill(branch.pid, SIGKILL);
      end(one.fd, fmt::format("it took longer than {} s", kLongestBranch.count()));
    }
  }
}

// False at its end.
bool Branches::read_from(int pipe, Running& branch) const {
  std::array<char, 4096> buffer{};
  const auto n = ::read(pipe, buffer.data(), buffer.size());
  if (n < 0) return errno == EINTR;
  branch.said.append(buffer.data(), static_cast<std::size_t>(n));
  return n > 0;
}

void Branches::end(int pipe, std::string trouble) {
  auto branch = std::move(running_.extract(pipe).mapped());
  ::close(pipe);
  int status = 0;
  while (::waitpid(branch.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (trouble.empty()) trouble = describe(status);
  on_end_({branch.index, std::move(branch.said), std::move(trouble)});
}

}  // namespace weir::sim
