// SPDX-License-Identifier: Apache-2.0
#include "media/wire/zygote.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

namespace unmask::wire {
namespace {

void DieWith(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have died before this process asked to be told.
  if (::getppid() != parent) ::_exit(0);
}

}  // namespace

void ServeSplits(int socket, pid_t parent) {
  DieWith(parent);
  for (;;) {
    Packet packet = Receive(socket, true);
    if (packet.state != Packet::State::kMessage) ::_exit(0);
    if (!packet.fd) continue;
    // With CLONE_PARENT the new process is the parent's own child, which alone can learn how it ended.
    const long pid = ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (pid == 0) {
      DieWith(parent);
      ::setpgid(0, 0);
      ::dup2(packet.fd.get(), socket);
      return;
    }
    Send(socket, SplitAnswer{.pid = static_cast<std::int32_t>(pid)});
  }
}

}  // namespace unmask::wire
