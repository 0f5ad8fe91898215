// SPDX-License-Identifier: Apache-2.0
#include "compat/tf_serving/status_asker.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace unmask::compat {

StatusAsker::StatusAsker(std::shared_ptr<TfServing> serving)
    : serving_(std::move(serving)), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

StatusAsker::~StatusAsker() {
  thread_.request_stop();
  thread_.join();
  const auto cancelled = Fail(ErrorCode::kCancelled, "the server is shutting down");
  for (const auto& answer : waiting_) answer(cancelled);
}

void StatusAsker::Ask(Answer answer) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(answer));
  wake_.notify_one();
}

void StatusAsker::Run(const std::stop_token& stop) {
  for (;;) {
    std::vector<Answer> asking;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
      asking.swap(waiting_);
    }
    const auto status = serving_->Status(stop);
    for (const auto& answer : asking) answer(status);
  }
}

}  // namespace unmask::compat
