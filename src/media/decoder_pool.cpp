// SPDX-License-Identifier: Apache-2.0
#include "media/decoder_pool.hpp"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

namespace unmask {

Result<std::unique_ptr<DecoderPool>> DecoderPool::Create(std::filesystem::path program, MediaLimits limits,
                                                         int spare) {
  if (::access(program.c_str(), X_OK) != 0)
    return Fail(ErrorCode::kInternal, fmt::format("the decoder program {} is missing", program.string()),
                "reinstall unmask: unmask-decoder belongs to it");
  return std::make_unique<SpawningPool>(std::move(program), limits, spare);
}

SpawningPool::SpawningPool(std::filesystem::path program, MediaLimits limits, int spare)
    : program_(std::move(program)),
      limits_(limits),
      spare_(static_cast<std::size_t>(std::max(spare, 0))),
      starter_([this] { Run(); }) {}

SpawningPool::~SpawningPool() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wanted_.notify_one();
  starter_.join();
}

Result<DecoderProcess> SpawningPool::Take() {
  std::unique_lock lock(mutex_);
  ++waiting_;
  wanted_.notify_one();
  started_.wait(lock, [&] { return !ready_.empty(); });
  --waiting_;
  auto process = std::move(ready_.front());
  ready_.pop_front();
  wanted_.notify_one();
  return process;
}

Result<DecoderProcess> SpawningPool::SplitOne() {
  if (zygote_) {
    if (auto process = zygote_->Split()) return process;
    zygote_.reset();  // it has died; nothing but chance or an administrator does that
  }
  auto zygote = Zygote::Start(program_, limits_);
  if (!zygote) return tl::unexpected(zygote.error());
  zygote_.emplace(std::move(*zygote));
  auto process = zygote_->Split();
  if (!process) zygote_.reset();
  return process;
}

void SpawningPool::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wanted_.wait(lock, [&] { return closing_ || ready_.size() < waiting_ + spare_; });
    if (closing_) return;
    lock.unlock();
    auto process = SplitOne();
    lock.lock();
    // A failure is handed to somebody who waits; without one, the next Take tries again.
    if (!process && waiting_ == 0) {
      wanted_.wait(lock, [&] { return closing_ || waiting_ > 0; });
      continue;
    }
    ready_.push_back(std::move(process));
    started_.notify_one();
  }
}

}  // namespace unmask
