// SPDX-License-Identifier: Apache-2.0
#include "compat/tf_serving/status_asker.hpp"

#include <latch>
#include <semaphore>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace unmask::compat {
namespace {

/// Answers when the test lets it.
class SlowServing : public TfServing {
 public:
  Result<std::vector<float>> Predict(std::span<const float>, const InstanceShape&, std::stop_token) override {
    return Fail(ErrorCode::kInternal, "not asked for");
  }
  Result<nlohmann::ordered_json> Status(std::stop_token stop) override {
    ++questions;
    begun.release();
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [this] { return answers_ > 0; }))
      return Fail(ErrorCode::kCancelled, "stopped");
    --answers_;
    return nlohmann::ordered_json{{"ok", true}};
  }
  void Answer() {
    const std::lock_guard lock(mutex_);
    ++answers_;
    changed_.notify_all();
  }

  std::atomic<int> questions = 0;
  std::counting_semaphore<> begun{0};

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int answers_ = 0;
};

TEST(StatusAsker, SharesTheNextQuestion) {
  const auto serving = std::make_shared<SlowServing>();
  StatusAsker asker(serving);
  std::latch answered(3);
  const auto count = [&](const Result<nlohmann::ordered_json>& status) {
    EXPECT_TRUE(status);
    answered.count_down();
  };
  asker.Ask(count);
  serving->begun.acquire();
  asker.Ask(count);
  asker.Ask(count);
  serving->Answer();
  serving->Answer();
  answered.wait();
  EXPECT_EQ(serving->questions, 2);
}

TEST(StatusAsker, TellsThoseWhoWaitWhenItGoes) {
  const auto serving = std::make_shared<SlowServing>();
  std::vector<ErrorCode> told;
  {
    StatusAsker asker(serving);
    const auto keep = [&](const Result<nlohmann::ordered_json>& status) {
      told.push_back(status.error().code);
    };
    asker.Ask(keep);
    serving->begun.acquire();
    asker.Ask(keep);
  }
  EXPECT_EQ(told, (std::vector{ErrorCode::kCancelled, ErrorCode::kCancelled}));
}

}  // namespace
}  // namespace unmask::compat
