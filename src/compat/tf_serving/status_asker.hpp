// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "compat/tf_serving/client.hpp"
#include "unmask/error.hpp"

namespace unmask::compat {

/// Asks TensorFlow Serving for its state on a thread of its own, so that a server that hangs holds up nobody
/// but those who asked. Questions that come while one is under way share the next one. Thread-safe.
class StatusAsker {
 public:
  explicit StatusAsker(std::shared_ptr<TfServing> serving);

  /// Gives up the question under way; those who wait get kCancelled.
  ~StatusAsker();
  StatusAsker(const StatusAsker&) = delete;
  StatusAsker& operator=(const StatusAsker&) = delete;

  /// Returns at once; `answer` is called on that thread and must not block.
  using Answer = std::function<void(const Result<nlohmann::ordered_json>&)>;
  void Ask(Answer answer);

 private:
  void Run(const std::stop_token& stop);

  const std::shared_ptr<TfServing> serving_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<Answer> waiting_;
  std::jthread thread_;
};

}  // namespace unmask::compat
