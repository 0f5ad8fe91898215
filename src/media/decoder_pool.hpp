// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "media/decoder_process.hpp"
#include "media/frame_stream.hpp"

namespace unmask {

/// The one implementation of DecoderPool. A thread of its own starts all decoders, because a decoder dies
/// with the thread that started it.
class SpawningPool final : public DecoderPool {
 public:
  SpawningPool(std::filesystem::path program, MediaLimits limits, int spare);
  ~SpawningPool() override;

  const MediaLimits& limits() const override { return limits_; }

  /// A decoder that waits for a job, or will soon. Thread-safe.
  Result<DecoderProcess> Take();

 private:
  void Run();
  Result<DecoderProcess> SplitOne();

  const std::filesystem::path program_;
  const MediaLimits limits_;
  const std::size_t spare_;

  std::mutex mutex_;
  std::condition_variable wanted_;
  std::condition_variable started_;
  std::deque<Result<DecoderProcess>> ready_;
  std::size_t waiting_ = 0;  // calls of Take that found none ready
  bool closing_ = false;
  std::optional<Zygote> zygote_;  // the starter's own
  std::thread starter_;
};

}  // namespace unmask
