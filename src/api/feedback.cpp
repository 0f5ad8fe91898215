// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <spdlog/spdlog.h>

#include "api/analysis_json.hpp"
#include "api/routes.hpp"
#include "api/small_body.hpp"
#include "base/id.hpp"
#include "feedback/store.hpp"
#include "http/problem.hpp"
#include "render/json_value.hpp"

namespace unmask {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMostBody = 16 << 10;

/// The numbers about feedback at /metrics. Thread-safe.
class FeedbackMetrics {
 public:
  explicit FeedbackMetrics(http::Metrics& metrics)
      : labels_(prometheus::BuildCounter()
                    .Name("unmask_feedback_total")
                    .Help("What people said of analyses, by whether the verdict agrees: yes, no or open")
                    .Register(metrics.registry())),
        faces_(prometheus::BuildCounter()
                   .Name("unmask_feedback_faces_total")
                   .Help("Faces that are kept to learn from")
                   .Register(metrics.registry())
                   .Add({})),
        failures_(prometheus::BuildCounter()
                      .Name("unmask_feedback_failures_total")
                      .Help("Feedback that could not be kept, by error code")
                      .Register(metrics.registry())) {}

  void Kept(const FeedbackRecord& record) {
    const auto agrees = Agrees(record.wish.label, record.verdict);
    labels_
        .Add({{"label", std::string(FeedbackLabelName(record.wish.label))},
              {"agrees", !agrees ? "open" : (*agrees ? "yes" : "no")},
              {"model", record.model.name},
              {"version", std::to_string(record.model.version)}})
        .Increment();
    faces_.Increment(static_cast<double>(record.faces));
  }
  void Failed(const Error& error) {
    failures_.Add({{"code", std::string(CodeName(error.code))}}).Increment();
  }

 private:
  prometheus::Family<prometheus::Counter>& labels_;
  prometheus::Counter& faces_;
  prometheus::Family<prometheus::Counter>& failures_;
};

double Now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Result<FeedbackRecord> RecordOf(const AnalysisRecord& analysis, FeedbackWish wish) {
  const Report& report = *analysis.report;
  FeedbackRecord record{.id = NewId(),
                        .time = FormatTimestamp(Now()),
                        .analysis = analysis.id,
                        .wish = std::move(wish),
                        .name = report.media.name,
                        .sha256 = report.media.sha256,
                        .kind = report.media.kind,
                        .width = report.media.width,
                        .height = report.media.height,
                        .duration = report.media.duration,
                        .verdict = report.verdict,
                        .score = report.score,
                        .model = report.model};
  if (!record.wish.track) return record;
  const auto track = std::find_if(report.tracks.begin(), report.tracks.end(),
                                  [&](const TrackReport& t) { return t.id == *record.wish.track; });
  if (track == report.tracks.end())
    return Fail(ErrorCode::kBadRequest, fmt::format("the report has no track {}", *record.wish.track),
                "name one of its tracks, or leave it out when the label is of the whole");
  record.verdict = track->verdict;
  record.score = track->score;
  return record;
}

/// The faces that the client agrees to give; null: none.
std::shared_ptr<const FeedbackFaces> Chosen(const AnalysisRecord& analysis, const FeedbackWish& wish) {
  if (!wish.keep_faces.value_or(false) || !analysis.faces || !wish.track) {
    return wish.keep_faces.value_or(false) ? analysis.faces : nullptr;
  }
  auto chosen = std::make_shared<FeedbackFaces>(*analysis.faces);
  std::erase_if(chosen->faces, [&](const FeedbackFace& face) { return face.facts.track != *wish.track; });
  return chosen;
}

/// Whether faces were asked for that there were once and are no more: the label is kept all the same.
bool FacesAreGone(const AnalysisRecord& analysis, const FeedbackRecord& record) {
  return record.wish.keep_faces.value_or(false) && record.faces == 0 && !analysis.report->tracks.empty();
}

Json ToJsonValue(const FeedbackRecord& record) {
  const auto agrees = Agrees(record.wish.label, record.verdict);
  return {{"id", record.id},
          {"analysis", record.analysis},
          {"created", record.time},
          {"label", FeedbackLabelName(record.wish.label)},
          {"track", record.wish.track ? Json(*record.wish.track) : Json(nullptr)},
          {"agrees", agrees ? Json(*agrees) : Json(nullptr)},
          {"faces_kept", record.faces}};
}

Result<http::Response> Give(const ApiContext& context, FeedbackMetrics& metrics, const http::Request& request,
                            const std::string& body) {
  if (context.feedback == nullptr)
    return Fail(ErrorCode::kForbidden, "this server keeps no feedback",
                "the operator can start it with --feedback DIR");
  auto wish = ReadFeedbackWish(body);
  if (!wish) return tl::unexpected(wish.error());
  const auto analysis = FindDone(context, request);
  if (!analysis) return tl::unexpected(analysis.error());
  auto record = RecordOf(*analysis, std::move(*wish));
  if (!record) return tl::unexpected(record.error());
  const auto faces = Chosen(*analysis, record->wish);
  auto kept = context.feedback->Add(*record, faces.get());
  if (kept && record->wish.keep_faces == false)
    kept = context.feedback->RemoveFaces(record->analysis, record->wish.track);
  if (!kept) {
    spdlog::error("feedback on {}: {}", analysis->id, kept.error().message);
    metrics.Failed(kept.error());
    if (kept.error().code != ErrorCode::kUnreadable) return tl::unexpected(kept.error());
    // Not the client's fault, and where the folder lies is none of its business.
    return Fail(ErrorCode::kInternal, "the feedback could not be kept", "see the server's log");
  }
  metrics.Kept(*record);
  if (FacesAreGone(*analysis, *record))
    return http::Problem({ErrorCode::kConflict, "the label was kept; the faces are no longer there",
                          "analyse the media again and agree sooner", ""},
                         request.trace_id, {{"feedback", record->id}});
  return http::JsonResponse(201, PrintJson(ToJsonValue(*record)) + "\n");
}

}  // namespace

void AddFeedbackRoute(http::Router& router, const ApiContext& context) {
  const auto metrics = std::make_shared<FeedbackMetrics>(context.metrics);
  router.Post(
      "/v1/analyses/{id}/feedback", kMostBody,
      [context, metrics](const http::RequestPtr& request) -> Result<std::unique_ptr<http::BodyReceiver>> {
        return std::make_unique<SmallBody>([context, metrics, request](const std::string& body) {
          auto answer = Give(context, *metrics, *request, body);
          return answer ? std::move(*answer) : http::Problem(answer.error(), request->trace_id);
        });
      });
}

}  // namespace unmask
