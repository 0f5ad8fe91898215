// SPDX-License-Identifier: Apache-2.0
#include "api/events.hpp"

#include <cmath>
#include <mutex>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/analysis_json.hpp"
#include "http/problem.hpp"
#include "render/json_value.hpp"

namespace unmask {
namespace {

constexpr double kHeartbeatSeconds = 15;

/// An event's id tells the state that it showed, so that resuming needs no memory of what was sent.
std::string EventId(const AnalysisRecord& record) {
  if (record.ended()) return "end";
  return fmt::format("{}-{}", StateName(record.state), std::lround(record.progress * 1000));
}

std::string Event(const AnalysisRecord& record) {
  const char* name = "progress";
  if (record.state == AnalysisState::kDone) name = "done";
  if (record.state == AnalysisState::kFailed || record.state == AnalysisState::kCancelled) name = "failed";
  return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", EventId(record), name,
                     PrintJson(ToJsonValue(record, false)));
}

class Events : public std::enable_shared_from_this<Events> {
 public:
  Events(const ApiContext& context, http::RequestPtr request, std::shared_ptr<http::BodyStream> stream,
         std::string seen)
      : context_(context), request_(std::move(request)), stream_(std::move(stream)), seen_(std::move(seen)) {}

  void Start(const std::string& id) {
    // Watch first and look afterwards: nothing can fall between.
    auto watch = context_.service.Watch(
        id, [self = shared_from_this()](const AnalysisRecord& record) { self->Show(record); });
    {
      const std::lock_guard lock(mutex_);
      watch_ = std::move(watch);
    }
    const auto record = context_.service.Find(id);
    if (!record) return End();  // deleted just now
    Show(*record);
    gone_.emplace(request_->gone, OnGone{this});
    Beat();
  }

 private:
  struct OnGone {
    Events* events;
    void operator()() const {
      if (const auto self = events->weak_from_this().lock()) self->End();
    }
  };

  void Show(const AnalysisRecord& record) {
    bool writes = true;
    {
      const std::lock_guard lock(mutex_);
      const auto id = EventId(record);
      if (!stream_ || ended_ || id == seen_ || progress_ > record.progress) {
        if (!(record.ended() && id == seen_)) return;
      } else {
        seen_ = id;
        progress_ = record.progress;
        ended_ = record.ended();
        writes = stream_->Write(Event(record));
      }
    }
    if (record.ended() || !writes) End();
  }

  void Beat() {
    auto timer = context_.timers.After(kHeartbeatSeconds, [self = shared_from_this()] {
      bool writes = false;
      {
        const std::lock_guard lock(self->mutex_);
        writes = self->stream_ && self->stream_->Write(": still here\n\n");
      }
      if (writes)
        self->Beat();
      else
        self->End();
    });
    const std::lock_guard lock(mutex_);
    if (stream_) timer_ = std::move(timer);
  }

  /// Lets go of what refers back to this; closing the stream ends the answer.
  void End() {
    std::shared_ptr<void> watch, timer;
    std::shared_ptr<http::BodyStream> stream;
    const std::lock_guard lock(mutex_);
    watch.swap(watch_);
    timer.swap(timer_);
    stream.swap(stream_);
  }

  const ApiContext context_;
  const http::RequestPtr request_;
  std::mutex mutex_;
  std::shared_ptr<http::BodyStream> stream_;
  std::string seen_;
  double progress_ = 0;
  bool ended_ = false;
  std::shared_ptr<void> watch_;
  std::shared_ptr<void> timer_;
  std::optional<std::stop_callback<OnGone>> gone_;
};

}  // namespace

void StreamEvents(const ApiContext& context, const http::RequestPtr& request, http::Responder responder) {
  const auto& id = request->params.at("id");
  if (!context.service.Find(id))
    return responder.Send(http::Problem(
        {ErrorCode::kNotFound, "there is no such analysis", "it may have been deleted or have expired", ""},
        request->trace_id));
  auto stream = responder.Stream({.content_type = "text/event-stream"});
  if (!stream) return;
  const auto* seen = request->headers.Find("Last-Event-ID");
  std::make_shared<Events>(context, request, std::move(stream), seen ? *seen : "")->Start(id);
}

}  // namespace unmask
