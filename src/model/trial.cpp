// SPDX-License-Identifier: Apache-2.0
#include "model/trial.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "base/fd.hpp"
#include "base/privileges.hpp"

extern char** environ;

namespace unmask {
namespace {

constexpr std::size_t kMostSaid = 64 << 10;
// Compiling EfficientNet-B7, the largest network that is imported, takes some 20 s and 2 GiB.
constexpr rlim_t kCpuSeconds = 300;
constexpr rlim_t kAddressSpace = rlim_t{16} << 30;

constexpr int kFirstInherited = STDERR_FILENO + 1;

/// Copies with numbers above those that the child gives them, so that none is overwritten before its turn.
Result<std::vector<UniqueFd>> AboveTheirPlaces(std::initializer_list<int> inherited) {
  std::vector<UniqueFd> copies;
  for (const int fd : inherited) {
    copies.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, kFirstInherited + static_cast<int>(inherited.size())));
    if (copies.back().get() < 0)
      return Fail(ErrorCode::kInternal,
                  fmt::format("a descriptor cannot be handed on: {}", std::strerror(errno)));
  }
  return copies;
}

std::string EndingOf(int status) {
  if (WIFSIGNALED(status))
    return fmt::format("signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace

Result<TrialResult> RunTrial(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                             double timeout, const std::stop_token& stop,
                             std::initializer_list<int> inherited) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return Fail(ErrorCode::kInternal, fmt::format("no pipe to a child process: {}", std::strerror(errno)));
  const UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);

  const auto given = AboveTheirPlaces(inherited);
  if (!given) return tl::unexpected(given.error());
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDERR_FILENO);
  for (std::size_t i = 0; i < given->size(); ++i)
    ::posix_spawn_file_actions_adddup2(&actions, (*given)[i].get(), kFirstInherited + static_cast<int>(i));
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, program.c_str(), &actions, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  theirs.reset();
  if (failed != 0)
    return Fail(ErrorCode::kInternal,
                fmt::format("{} cannot be started: {}", program.string(), std::strerror(failed)));

  const UniqueFd stopped(::eventfd(0, EFD_CLOEXEC));
  const std::stop_callback wake(stop, [fd = stopped.get()] { ::eventfd_write(fd, 1); });
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration<double>(timeout);
  TrialResult result;
  bool late = false;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd waiting[] = {{.fd = ours.get(), .events = POLLIN, .revents = 0},
                        {.fd = stopped.get(), .events = POLLIN, .revents = 0}};
    const int ready = left <= 0 ? 0 : ::poll(waiting, 2, static_cast<int>(std::min<long>(left, 1 << 30)));
    if (ready < 0 && errno == EINTR) continue;
    late = ready == 0;
    if (ready <= 0 || stop.stop_requested()) break;
    char buffer[4096];
    const ssize_t n = ::read(ours.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    result.said.append(buffer, std::min(static_cast<std::size_t>(n), kMostSaid - result.said.size()));
  }
  ::kill(-child, SIGKILL);  // it has closed its output or is late; either way nothing of it may stay
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (stop.stop_requested()) return Fail(ErrorCode::kCancelled, "the trial was given up");
  result.ok = !late && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (late)
    result.ending = fmt::format("no end within {} s", timeout);
  else if (!result.ok)
    result.ending = EndingOf(status);
  return result;
}

void LimitThisTrial() {
  const rlimit cpu{kCpuSeconds, kCpuSeconds + 5};
  const rlimit memory{kAddressSpace, kAddressSpace};
  const rlimit core{0, 0};
  ::setrlimit(RLIMIT_CPU, &cpu);
  if (!kSanitized) ::setrlimit(RLIMIT_AS, &memory);
  ::setrlimit(RLIMIT_CORE, &core);
}

}  // namespace unmask
