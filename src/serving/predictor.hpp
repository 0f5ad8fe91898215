// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/thread_pool.hpp"
#include "http/handler.hpp"
#include "http/message.hpp"
#include "http/router.hpp"
#include "unmask/error.hpp"

namespace unmask::serving {

/// What strangers may ask for. Every request is held in memory, so these bound it: at most `max_total_bytes`
/// of bodies and, for each thread, the numbers of one request.
struct PredictLimits {
  std::uint64_t max_body = 64 << 20;          ///< bytes of one request
  std::uint64_t max_total_bytes = 256 << 20;  ///< of all bodies at a time; more is kOverloaded
  int max_batch = 128;                        ///< instances of one request
  int threads = 0;     ///< requests that are read and computed at a time; 0: one for each core
  int max_queue = 64;  ///< requests that wait for a thread; more is kOverloaded
};

/// A route whose bodies end in Predictor::Receive(): they are taken on the network thread, since putting
/// bytes into memory is quicker than waking another thread for each piece.
http::Route PredictRoute(std::string path, std::uint64_t max_body, http::BodyHandler receive);

/// Runs predictions on threads of its own, so that they neither block network threads nor take handlers from
/// the native interface. Thread-safe.
class Predictor {
 public:
  explicit Predictor(const PredictLimits& limits);

  const PredictLimits& limits() const { return limits_; }

  /// Answers with what `work` gives, on a thread of the pool, unless the client has gone by then. `work` is
  /// handed the whole body. An error becomes an answer through `words`.
  using Work = std::function<Result<http::Response>(const std::string& body)>;
  using Words = std::function<http::Response(const Error&)>;

  /// The receiver of a request that ends in `work`. kOverloaded, before the body is read, when too many wait.
  Result<std::unique_ptr<http::BodyReceiver>> Receive(const http::RequestPtr& request, Work work,
                                                      Words words);

 private:
  class Body;
  struct Budget {
    explicit Budget(std::uint64_t most) : left(most) {}
    std::atomic<std::uint64_t> left;
  };

  const PredictLimits limits_;
  const std::shared_ptr<Budget> budget_;  // bodies may outlive this
  const std::shared_ptr<ThreadPool> pool_;
};

}  // namespace unmask::serving
