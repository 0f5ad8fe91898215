// SPDX-License-Identifier: Apache-2.0
#include "compat/predict/predict.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "compat/fast_api.hpp"
#include "compat/known_media.hpp"
#include "compat/predict/answers.hpp"
#include "compat/predict/auth.hpp"
#include "compat/predict/sampling.hpp"
#include "compat/python.hpp"
#include "compat/site.hpp"
#include "compat/tf_serving/status_asker.hpp"
#include "compat/upload.hpp"
#include "compat/video_frames.hpp"
#include "compat/wait.hpp"

namespace unmask::compat {
namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

/// ?fps=, the last one as in FastAPI.
struct FpsParameter {
  std::optional<std::string> text;
  std::optional<double> value;

  static FpsParameter Of(const http::Request& request) {
    FpsParameter fps;
    for (const auto& [name, text] : request.query)
      if (name == "fps") fps = {text, ParsePythonFloat(text)};
    return fps;
  }
  bool malformed() const { return text && !value; }
};

class PredictApi : public std::enable_shared_from_this<PredictApi> {
 public:
  explicit PredictApi(ContractContext context) : context_(std::move(context)) {
    if (context_.serving) status_ = std::make_unique<StatusAsker>(context_.serving);
  }

  void Health(const http::Responder& responder) const {
    if (!status_) {
      const Analyzer& analyzer = context_.analyzer();
      const auto ready = analyzer.Ready();
      return responder.Send(ready ? HealthAnswer(EmbeddedModelStatus(analyzer.model()))
                                  : HealthAnswer(tl::unexpected(ready.error())));
    }
    status_->Ask([self = shared_from_this(), responder](const Result<ordered_json>& status) {
      responder.Send(self->HealthAnswer(status));
    });
  }

  std::unique_ptr<http::BodyReceiver> Receive(const http::RequestPtr& request) const {
    if (context_.settings->require_auth) {
      const auto refusal = CheckBearer(request->headers.Find("Authorization"), context_.settings->jwt_secret);
      if (refusal) return std::make_unique<RefusingReceiver>(FastApiDetail(refusal->status, refusal->detail));
    }
    return ReceiveForm(request, context_.data, FastApiForm("file"),
                       [self = shared_from_this(), request](Form form, http::Responder responder) {
                         self->Predict(request, std::move(form), std::move(responder));
                       });
  }

 private:
  http::Response HealthAnswer(const Result<ordered_json>& status) const {
    ordered_json body;
    body["ok"] = status.has_value();
    body["tfserving"] = status ? *status : ordered_json(status.error().message);
    body["unmask"] = {{"engine", context_.engine()}};
    return http::JsonResponse(200, FastApiJson(body));
  }

  void Predict(const http::RequestPtr& request, Form form, http::Responder responder) const {
    const auto began = Clock::now();
    if (form.malformed) return responder.Send(FastApiMalformed(*request));
    const auto fps = FpsParameter::Of(*request);
    std::vector<FastApiFault> faults;
    if (fps.malformed())
      faults.push_back({.type = "float_parsing",
                        .loc = {"query", "fps"},
                        .message = "Input should be a valid number, unable to parse string as a number",
                        .input = fps.text});
    if (!form.file) faults.push_back(FastApiNoFile(form, "file"));
    if (!faults.empty()) return responder.Send(FastApiInvalid(faults));

    const double target = PredictTargetFps(fps.value, context_.settings->default_fps);
    const auto sampling = std::make_shared<PredictSampling>();
    AnalysisOptions options;
    options.mode = SampleMode::kPicked;
    options.max_frames = static_cast<int>(FramePick::kMaxIndices);
    options.max_face_frames = context_.settings->max_frames;
    options.pick = [sampling, target](const MediaFacts& media) -> Result<FramePick> {
      if (auto known = CheckOriginalsRead(media); !known) return tl::unexpected(known.error());
      sampling->source_fps = PredictSourceFps(media.fps);
      sampling->total_frames = CountFrames(media);
      const auto step = PredictStep(sampling->source_fps, target);
      if (!step) return tl::unexpected(step.error());
      sampling->step = *step;
      return FramePick{.step = *step};
    };
    AnalysisService::Job job{.media = std::move(form.file->media),
                             .name = LabelOf(*form.file, "video"),
                             .options = std::move(options)};
    AnswerByAnalysis(context_, request, std::move(responder),
                     {.job = std::move(job),
                      .render =
                          [self = shared_from_this(), sampling, began](const AnalysisRecord& record,
                                                                       const Report& report) {
                            const std::chrono::duration<double, std::milli> latency = Clock::now() - began;
                            return PredictAnswer(self->context_, record, report, *sampling, latency.count());
                          },
                      .fault = [self = shared_from_this()](
                                   const Error& error) { return PredictFault(self->context_, error); }});
  }

  const ContractContext context_;
  std::unique_ptr<StatusAsker> status_;
};

}  // namespace

std::shared_ptr<const http::Router> MakePredictApi(const ContractContext& context) {
  const auto api = std::make_shared<PredictApi>(context);
  Site site(Site::Framework::kFastApi, true,
            [context](const Error& error) { return PredictFault(context, error); });
  site.Docs(context);
  site.Get(
      "/health", [api](const http::RequestPtr&, const http::Responder& responder) { api->Health(responder); },
      http::Route::Runs::kInPlace);
  site.Post("/predict", context.max_upload_bytes,
            [api](const http::RequestPtr& request) -> Result<std::unique_ptr<http::BodyReceiver>> {
              return api->Receive(request);
            });
  return site.Finish();
}

}  // namespace unmask::compat
