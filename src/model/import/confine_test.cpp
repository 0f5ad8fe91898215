// SPDX-License-Identifier: Apache-2.0
#include "model/import/confine.hpp"

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
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/privileges.hpp"

namespace unmask {
namespace {

constexpr int kGood = 7;

class Confined : public testing::Test {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "builds with sanitizers are not confined";
  }

  /// The wait status of a process that is confined and then does what it is told.
  template <typename Deed>
  static int StatusOf(Deed deed) {
    const pid_t child = ::fork();
    if (child == 0) {
      if (ConfineConverter()) ::_exit(99);
      ::_exit(deed() ? kGood : 8);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }

  template <typename Deed>
  static void ExpectGood(Deed deed) {
    const int status = StatusOf(deed);
    ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), kGood);
  }

  template <typename Deed>
  static void ExpectKilled(Deed deed) {
    const int status = StatusOf([deed] { return deed() >= 0; });
    ASSERT_TRUE(WIFSIGNALED(status)) << "lived on, with status " << WEXITSTATUS(status);
    EXPECT_EQ(WTERMSIG(status), SIGSYS);
  }

  static bool Refused(long result) { return result < 0 && errno == EPERM; }
};

TEST_F(Confined, LetsFilesBeReadThreadsStartAndCodeBeMade) {
  ExpectGood([] {
    const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    char first[4] = {};
    const bool read = ::read(file, first, sizeof first) == 4 && std::memcmp(first,
                                                                            "\x7f"
                                                                            "ELF",
                                                                            4) == 0;
    int seen = 0;
    std::thread([&seen] { seen = 1; }).join();
    void* code = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const bool compiles = ::mprotect(code, 4096, PROT_READ | PROT_EXEC) == 0;
    return read && seen == 1 && compiles;
  });
}

TEST_F(Confined, LetsWhatIsOpenBeWritten) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  ExpectGood([file] { return std::fputs("network", file) >= 0 && std::fflush(file) == 0; });
  std::rewind(file);
  char found[16] = {};
  EXPECT_STREQ(std::fgets(found, sizeof found, file), "network");
  std::fclose(file);
}

TEST_F(Confined, RefusesEveryChangeToTheFileSystem) {
  const std::string file = testing::TempDir() + "confined-file", other = testing::TempDir() + "confined-new";
  std::filesystem::remove(other);
  ASSERT_EQ(::close(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600)), 0);
  const char* old_name = file.c_str();
  const char* new_name = other.c_str();
  ExpectGood([=] {
    return Refused(::open(new_name, O_WRONLY | O_CREAT, 0600)) && Refused(::open(old_name, O_WRONLY)) &&
           Refused(::open(old_name, O_RDWR)) && Refused(::open(old_name, O_RDONLY | O_TRUNC)) &&
           Refused(::creat(new_name, 0600)) && Refused(::unlink(old_name)) &&
           Refused(::rename(old_name, new_name)) && Refused(::link(old_name, new_name)) &&
           Refused(::symlink(old_name, new_name)) && Refused(::mkdir(new_name, 0700)) &&
           Refused(::chmod(old_name, 0777)) && Refused(::truncate(old_name, 1)) &&
           Refused(::syscall(SYS_openat2, AT_FDCWD, new_name, nullptr, 0)) &&
           Refused(::mknod(new_name, S_IFIFO | 0600, 0));
  });
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_FALSE(std::filesystem::exists(other));
  std::filesystem::remove(file);
}

TEST_F(Confined, EndsAProcessThatWantsTheNetwork) {
  ExpectKilled([] { return ::socket(AF_INET, SOCK_STREAM, 0); });
  ExpectKilled([] { return ::socket(AF_UNIX, SOCK_STREAM, 0); });
}

TEST_F(Confined, EndsAProcessThatWantsAnother) {
  ExpectKilled([] {
    char* arguments[] = {nullptr};
    return ::execve("/bin/true", arguments, arguments);
  });
  ExpectKilled([] { return static_cast<int>(::vfork()); });
  ExpectKilled([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) < 0 ? -1 : 0; });
  ExpectKilled([] { return ::kill(::getppid(), 0); });
  // The C library's fork() is a clone() without CLONE_THREAD.
  ExpectGood([] { return Refused(::fork()); });
}

TEST_F(Confined, CannotRaiseItsLimits) {
  ExpectGood([] {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    limit.rlim_cur = 1;
    return Refused(::setrlimit(RLIMIT_NOFILE, &limit));
  });
}

}  // namespace
}  // namespace unmask
