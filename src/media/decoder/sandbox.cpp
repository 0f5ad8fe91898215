// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/sandbox.hpp"

#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "base/privileges.hpp"

namespace unmask::decoder {
namespace {

bool Limit(int resource, rlim_t value, rlim_t hard) {
  const rlimit limit{value, hard};
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0;
}

bool LimitResources(const SandboxLimits& limits) {
  // Sanitizers reserve terabytes of address space.
  const bool memory = kSanitized || limits.memory == 0 || Limit(RLIMIT_AS, limits.memory, limits.memory);
  const bool cpu = limits.cpu == 0 || Limit(RLIMIT_CPU, limits.cpu, limits.cpu + 2);
  // Seven descriptors: three from the start, the media, the frame memory, and some air.
  return memory && cpu && Limit(RLIMIT_CORE, 0, 0) && Limit(RLIMIT_FSIZE, 0, 0) &&
         Limit(RLIMIT_NOFILE, 8, 8) && Limit(RLIMIT_NPROC, 0, 0);
}

void LeaveFilesAndNetwork() {
  // Not every kernel or container grants these. The filter below stands without them.
  [[maybe_unused]] const int unshared = ::unshare(CLONE_NEWUSER | CLONE_NEWIPC | CLONE_NEWUTS);
#ifdef LANDLOCK_ACCESS_FS_EXECUTE
  const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return;
  landlock_ruleset_attr rights{};
  rights.handled_access_fs = (std::uint64_t{1} << (abi >= 3 ? 15 : abi == 2 ? 14 : 13)) - 1;
  const long rules = ::syscall(SYS_landlock_create_ruleset, &rights, sizeof rights, 0);
  if (rules < 0) return;
  ::syscall(SYS_landlock_restrict_self, rules, 0);
  ::close(static_cast<int>(rules));
#endif
}

// What decoding needs. Every call works on memory, the clock or a descriptor that is already open.
constexpr std::array kAllowed = {
    SCMP_SYS(read),         SCMP_SYS(pread64),         SCMP_SYS(lseek),        SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),      SCMP_SYS(close),           SCMP_SYS(munmap),       SCMP_SYS(mremap),
    SCMP_SYS(brk),          SCMP_SYS(madvise),         SCMP_SYS(futex),        SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday), SCMP_SYS(clock_getres),    SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(getpid),       SCMP_SYS(gettid),          SCMP_SYS(exit_group),   SCMP_SYS(exit),
    SCMP_SYS(sched_yield),  SCMP_SYS(restart_syscall), SCMP_SYS(fstat),        SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getrandom),
};

// What libraries try and can do without.
constexpr std::array kRefused = {
    SCMP_SYS(open),       SCMP_SYS(openat),     SCMP_SYS(stat),     SCMP_SYS(lstat),
    SCMP_SYS(newfstatat), SCMP_SYS(access),     SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(faccessat),  SCMP_SYS(faccessat2), SCMP_SYS(write),    SCMP_SYS(writev),
    SCMP_SYS(ioctl),      SCMP_SYS(sysinfo),    SCMP_SYS(uname),    SCMP_SYS(statx),
};

bool FilterSystemCalls() {
  const std::unique_ptr<void, decltype(&::seccomp_release)> filter(::seccomp_init(SCMP_ACT_KILL_PROCESS),
                                                                   &::seccomp_release);
  if (!filter) return false;
  bool good = true;
  for (const int call : kAllowed)
    good = good && ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0) == 0;
  for (const int call : kRefused)
    good = good && ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), call, 0) == 0;
  // Memory may never become executable.
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)})
    good = good && ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 1,
                                      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
  // abort() signals the process itself.
  good = good && ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                    SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid()))) == 0;
  if (kSanitized)
    for (const int call : {SCMP_SYS(sigaltstack), SCMP_SYS(rt_sigaction)})
      good = good && ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0) == 0;
  return good && ::seccomp_load(filter.get()) == 0;
}

}  // namespace

std::optional<std::string_view> EnterSandbox(const SandboxLimits& limits) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return "no_new_privs";
  LeaveFilesAndNetwork();
  DropCapabilities();
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return "dumpable";
  if (!LimitResources(limits)) return "rlimits";
  if (!FilterSystemCalls()) return "seccomp";
  return {};
}

}  // namespace unmask::decoder
