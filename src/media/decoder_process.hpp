// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "base/fd.hpp"
#include "media/media.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// One running unmask-decoder and the control socket to it. Movable. Ends the process when it goes.
class DecoderProcess {
 public:
  /// Starts one; it primes itself, enters its sandbox and waits for a job. The process dies with the calling
  /// thread (PR_SET_PDEATHSIG), so call it from one that lives as long as the process may.
  static Result<DecoderProcess> Start(const std::filesystem::path& program, const MediaLimits& limits);

  DecoderProcess(DecoderProcess&& other) noexcept;
  DecoderProcess& operator=(DecoderProcess&& other) noexcept;
  ~DecoderProcess();

  /// The control socket, see wire/message.hpp.
  int socket() const { return socket_.get(); }
  pid_t pid() const { return pid_; }

  /// Kills it if it still runs, and reaps it. Gives the wait status of its own end if it had already ended.
  int End();

 private:
  DecoderProcess(pid_t pid, UniqueFd socket) : pid_(pid), socket_(std::move(socket)) {}
  pid_t pid_ = -1;
  UniqueFd socket_;
};

}  // namespace unmask
