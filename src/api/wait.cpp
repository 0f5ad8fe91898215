// SPDX-License-Identifier: Apache-2.0
#include "api/wait.hpp"

#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace unmask {
namespace {

class Wait : public std::enable_shared_from_this<Wait> {
 public:
  Wait(AnalysisService& service, http::RequestPtr request, http::Responder responder, WaitPlan plan)
      : service_(service),
        request_(std::move(request)),
        responder_(std::move(responder)),
        plan_(std::move(plan)) {}

  void Start(http::Timers& timers) {
    if (plan_.seconds <= 0) return Answer(service_.Find(plan_.id));
    auto watch = service_.Watch(plan_.id, [self = shared_from_this()](const AnalysisRecord& record) {
      if (record.ended()) self->Answer(record);
    });
    if (!watch) return Answer(service_.Find(plan_.id));
    auto timer = timers.After(
        plan_.seconds, [self = shared_from_this()] { self->Answer(self->service_.Find(self->plan_.id)); });
    {
      const std::lock_guard lock(mutex_);
      if (done_) return;
      watch_ = std::move(watch);
      timer_ = std::move(timer);
    }
    gone_.emplace(request_->gone, OnGone{this});
  }

 private:
  struct OnGone {
    Wait* wait;
    void operator()() const {
      // Null when the wait is being destroyed at this moment.
      const auto self = wait->weak_from_this().lock();
      if (self && self->End() && self->plan_.on_gone) self->plan_.on_gone();
    }
  };

  void Answer(const std::optional<AnalysisRecord>& record) {
    if (End()) responder_->Send(plan_.answer(record));
  }

  /// True for the first caller. Lets go of what refers back to this.
  bool End() {
    std::shared_ptr<void> watch, timer;
    const std::lock_guard lock(mutex_);
    if (std::exchange(done_, true)) return false;
    watch = std::move(watch_);
    timer = std::move(timer_);
    return true;
  }

  AnalysisService& service_;
  const http::RequestPtr request_;
  std::optional<http::Responder> responder_;
  const WaitPlan plan_;
  std::mutex mutex_;
  bool done_ = false;
  std::shared_ptr<void> watch_;
  std::shared_ptr<void> timer_;
  std::optional<std::stop_callback<OnGone>> gone_;
};

}  // namespace

void AnswerWhenEnded(AnalysisService& service, http::Timers& timers, const http::RequestPtr& request,
                     http::Responder responder, WaitPlan plan) {
  std::make_shared<Wait>(service, request, std::move(responder), std::move(plan))->Start(timers);
}

}  // namespace unmask
