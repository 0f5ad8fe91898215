// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "base/fd.hpp"
#include "media/media.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// A process that we started and the control socket to it. Movable. Ends the process when it goes.
class DecoderProcess {
 public:
  DecoderProcess(pid_t pid, UniqueFd socket) : pid_(pid), socket_(std::move(socket)) {}
  DecoderProcess(DecoderProcess&& other) noexcept;
  DecoderProcess& operator=(DecoderProcess&& other) noexcept;
  ~DecoderProcess();

  /// The control socket, see wire/message.hpp.
  int socket() const { return socket_.get(); }
  pid_t pid() const { return pid_; }

  /// Kills it if it still runs, and reaps it. Gives the wait status of its own end if it had already ended.
  int End();

 private:
  pid_t pid_ = -1;
  UniqueFd socket_;
};

/// The process that decoders are split off from, see wire/zygote.hpp. Not thread-safe.
class Zygote {
 public:
  /// Starts `program`. It and its decoders die with the calling thread (PR_SET_PDEATHSIG), so call it from
  /// one that lives as long as they may.
  static Result<Zygote> Start(const std::filesystem::path& program, const MediaLimits& limits);

  /// A new decoder, which enters its sandbox and waits for a job. After a failure the zygote is of no more
  /// use.
  Result<DecoderProcess> Split();

  pid_t pid() const { return process_.pid(); }

 private:
  explicit Zygote(DecoderProcess process) : process_(std::move(process)) {}
  DecoderProcess process_;
};

}  // namespace unmask
