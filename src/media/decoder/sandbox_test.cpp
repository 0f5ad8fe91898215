// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/sandbox.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <vector>

#include <gtest/gtest.h>

namespace unmask::decoder {
namespace {

constexpr std::uint64_t kMemory = std::uint64_t{2} << 30;

// The wait status of a process that enters the sandbox and then does what it is told.
template <typename Deed>
int StatusOf(Deed deed, SandboxLimits limits = {.memory = kMemory, .cpu = 10}) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (EnterSandbox(limits)) ::_exit(99);
    ::_exit(deed());
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

template <typename Deed>
void ExpectKilled(Deed deed) {
  const int status = StatusOf(deed);
  ASSERT_TRUE(WIFSIGNALED(status)) << "lived on, with status " << WEXITSTATUS(status);
  EXPECT_EQ(WTERMSIG(status), SIGSYS);
}

TEST(Sandbox, LetsMemoryAndOpenFilesBeUsed) {
  const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  const int status = StatusOf([file] {
    std::vector<char> memory(64 << 20, 1);
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return ::pread(file, memory.data(), 4, 0) == 4 && memory[1] == 'E' ? 7 : 8;
  });
  ::close(file);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(Sandbox, RefusesToOpenFiles) {
  const int status = StatusOf([] {
    const bool refused = ::open("/etc/passwd", O_RDONLY) < 0 && errno == EPERM &&
                         ::openat(AT_FDCWD, "/tmp/x", O_CREAT | O_WRONLY, 0600) < 0 && errno == EPERM &&
                         ::access("/", F_OK) < 0 && errno == EPERM;
    return refused ? 7 : 8;
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(Sandbox, EndsAProcessThatWantsTheNetwork) {
  ExpectKilled([] { return ::socket(AF_INET, SOCK_STREAM, 0); });
  ExpectKilled([] { return ::socket(AF_UNIX, SOCK_STREAM, 0); });
}

TEST(Sandbox, EndsAProcessThatWantsAnother) {
  ExpectKilled([] { return static_cast<int>(::fork()); });
  ExpectKilled([] { return static_cast<int>(::syscall(SYS_clone3, nullptr, 0)); });
  ExpectKilled([] {
    char* arguments[] = {nullptr};
    return ::execve("/bin/true", arguments, arguments);
  });
  ExpectKilled([] { return ::kill(::getppid(), SIGKILL); });
  ExpectKilled([] { return static_cast<int>(::ptrace(PTRACE_ATTACH, ::getppid(), 0, 0)); });
}

TEST(Sandbox, EndsAProcessThatWantsNewCode) {
  ExpectKilled([] {
    return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != nullptr;
  });
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ExpectKilled([page] { return ::mprotect(page, 4096, PROT_READ | PROT_EXEC); });
  ::munmap(page, 4096);
}

TEST(Sandbox, EndsAProcessThatWantsOutOfIt) {
  ExpectKilled([] { return static_cast<int>(::syscall(SYS_unshare, 0)); });
  ExpectKilled([] { return static_cast<int>(::syscall(SYS_mount, "a", "b", "c", 0, nullptr)); });
  ExpectKilled([] { return static_cast<int>(::syscall(SYS_io_uring_setup, 1, nullptr)); });
  ExpectKilled([] { return static_cast<int>(::syscall(SYS_bpf, 0, nullptr, 0)); });
  const rlimit much{1 << 30, 1 << 30};
  ExpectKilled([&] { return ::setrlimit(RLIMIT_AS, &much); });
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(Sandbox, LimitsMemory) {
  const int status = StatusOf([] { return std::malloc(std::size_t{3} << 30) ? 8 : 7; });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}
#endif

TEST(Sandbox, LimitsProcessorTime) {
  const int status = StatusOf(
      [] {
        volatile bool forever = true;
        while (forever) {
        }
        return 0;
      },
      {.memory = kMemory, .cpu = 1});
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGXCPU);
}

}  // namespace
}  // namespace unmask::decoder
