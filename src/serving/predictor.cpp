// SPDX-License-Identifier: Apache-2.0
#include "serving/predictor.hpp"

#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"

namespace unmask::serving {
namespace {

constexpr std::uint64_t kReserved = 16 << 20;  // bytes: a batch of 16 faces

tl::unexpected<Error> Busy(std::string what) {
  return Fail(ErrorCode::kOverloaded, std::move(what), "try again later");
}

}  // namespace

/// A body in memory that is paid for from the budget as it grows.
class Predictor::Body : public http::BodyReceiver {
 public:
  Body(http::RequestPtr request, std::shared_ptr<Budget> budget, std::weak_ptr<ThreadPool> pool, Work work,
       Words words)
      : request_(std::move(request)),
        held_(std::make_shared<Held>(std::move(budget))),
        pool_(std::move(pool)),
        work_(std::move(work)),
        words_(std::move(words)) {}

  Result<void> Write(std::string_view bytes) override {
    std::uint64_t left = held_->budget->left;
    do {
      if (left < bytes.size())
        return Busy("the bodies of other requests take all the memory that there is for them");
    } while (!held_->budget->left.compare_exchange_weak(left, left - bytes.size()));
    // Once, instead of growing by copying; no more than is cheap to promise before it is paid for.
    if (held_->bytes == 0)
      held_->text.reserve(std::min<std::uint64_t>(request_->content_length.value_or(0), kReserved));
    held_->bytes += bytes.size();
    held_->text += bytes;
    return {};
  }

  void Finish(http::Responder responder) override {
    const auto pool = pool_.lock();
    const bool taken =
        pool && pool->TrySubmit([request = request_, held = held_, work = work_, words = words_, responder] {
          if (request->gone.stop_requested()) return;
          try {
            auto answer = work(held->text);
            responder.Send(answer ? std::move(*answer) : words(answer.error()));
          } catch (const std::exception& e) {
            LogError("{} {} [{}]: {}", request->method, request->path, request->trace_id, e.what());
            responder.Send(words({ErrorCode::kInternal, "the request could not be answered", "", ""}));
          }
        });
    if (!taken) responder.Send(words_(Busy("too many requests wait").value()));
  }

 private:
  struct Held {
    explicit Held(std::shared_ptr<Budget> from) : budget(std::move(from)) {}
    ~Held() { budget->left += bytes; }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    const std::shared_ptr<Budget> budget;
    std::uint64_t bytes = 0;
    std::string text;
  };

  const http::RequestPtr request_;
  const std::shared_ptr<Held> held_;
  const std::weak_ptr<ThreadPool> pool_;
  const Work work_;
  const Words words_;
};

http::Route PredictRoute(std::string path, std::uint64_t max_body, http::BodyHandler receive) {
  http::Route route;
  route.method = "POST";
  route.path = std::move(path);
  route.runs = http::Route::Runs::kInPlace;
  route.receive = std::move(receive);
  route.max_body = max_body;
  route.when_full = false;
  return route;
}

Predictor::Predictor(const PredictLimits& limits)
    : limits_(limits),
      budget_(std::make_shared<Budget>(limits.max_total_bytes)),
      pool_(std::make_shared<ThreadPool>(static_cast<std::size_t>(ThreadsFor(limits.threads)),
                                         static_cast<std::size_t>(limits.max_queue))) {}

Result<std::unique_ptr<http::BodyReceiver>> Predictor::Receive(const http::RequestPtr& request, Work work,
                                                               Words words) {
  if (pool_->waiting() >= static_cast<std::size_t>(limits_.max_queue)) return Busy("too many requests wait");
  return std::make_unique<Body>(request, budget_, pool_, std::move(work), std::move(words));
}

}  // namespace unmask::serving
