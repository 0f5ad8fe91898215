// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "media/wire/message.hpp"

namespace unmask::wire {

/// Starting a decoder costs some 40 ms of processor time, nearly all of it for the dynamic linker and for
/// tables that are the same for every file. So the program is started once; this first process, the zygote,
/// never sees media, and splits off a fresh process for each file. They share the zygote's memory layout, but
/// no memory.

/// To the zygote, with the descriptor of the new decoder's control socket.
struct SplitRequest {
  Type type = Type::kSplit;
  std::uint32_t reserved = 0;
};

/// From the zygote.
struct SplitAnswer {
  Type type = Type::kSplit;
  std::int32_t pid = -1;  ///< of the new process, whose parent is the zygote's; negative when there is none
};

/// Serves requests on the socket; returns in each new process, with its own control socket in that
/// descriptor's place. Never returns in the zygote itself: it ends when the other side hangs up. Every
/// process dies with `parent`. Call with one thread.
void ServeSplits(int socket, pid_t parent);

}  // namespace unmask::wire
