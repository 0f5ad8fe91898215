// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace unmask::decoder {

struct SandboxLimits {
  std::uint64_t memory = 0;  ///< bytes of address space; 0 for no limit
  std::uint64_t cpu = 0;     ///< seconds; SIGXCPU ends the process then; 0 for no limit
};

/// Gives up, for ever, everything but: read the descriptors that are open, talk on the open socket, receive a
/// descriptor on it, allocate memory that is not executable, look at the clock, and exit. Opening a file, or
/// asking about one, is refused with EPERM, because libraries probe for optional files; any other system call
/// (socket, fork, exec, ptrace, ...) ends the process with SIGSYS.
///
/// Layers, each of which suffices against a file: no_new_privs, no capabilities, no core dump, resource
/// limits, namespaces of its own and Landlock without rights where the kernel has them, and a seccomp
/// allow-list. Call with one thread. Gives the name of the part that the system refused, if it was an
/// indispensable one.
std::optional<std::string_view> EnterSandbox(const SandboxLimits& limits);

}  // namespace unmask::decoder
