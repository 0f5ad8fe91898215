// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace unmask {

/// Gives up, for ever and for all threads, what reading and compiling somebody's model never needs: the
/// network, other programs, other processes, and every change to the file system. What stays: reading files
/// (the engine loads its readers and plugins), threads, memory that holds code (the engine compiles), writing
/// to descriptors that are open already, and files in memory.
///
/// A system call of the first kinds (socket, connect, execve, fork, ptrace, kill, ...) ends the process with
/// SIGSYS. Opening a file for writing, and any call that is not known, fails with EPERM. Gives the name of
/// the part that the system refused. Does nothing in builds with sanitizers, whose runtimes need more.
std::optional<std::string_view> ConfineConverter();

}  // namespace unmask
