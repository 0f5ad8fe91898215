// SPDX-License-Identifier: Apache-2.0
#include "compat/microservice/microservice.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "compat/known_media.hpp"
#include "compat/microservice/answers.hpp"
#include "compat/python.hpp"
#include "compat/python_random.hpp"
#include "compat/site.hpp"
#include "compat/upload.hpp"
#include "compat/wait.hpp"

namespace unmask::compat {
namespace {

constexpr const char* kGreeting = "Welcome to Deepfake Detection API";

bool IsKnownMethod(const std::string& method) { return method == "MTCNN" || method == "SSD"; }

std::string FieldOr(const Form& form, std::string_view name, const char* standard) {
  const auto* text = form.Find(name);
  return text ? *text : standard;
}

/// As OpenCV counts a video's frames, from which the original draws: the container's number, else from the
/// duration.
std::int64_t FrameCount(const MediaFacts& media) {
  if (media.kind == MediaKind::kImage) return 1;
  if (media.frames) return *media.frames;
  return static_cast<std::int64_t>(std::floor(media.duration.value_or(0) * media.fps.value_or(0) + 0.5));
}

/// 64 bits of the content's hash: another file gives other frames, the same file the same ones.
std::uint64_t SeedOf(const MediaFacts& media) { return std::stoull(media.sha256.substr(0, 16), nullptr, 16); }

/// The frames of one video in the order in which they were drawn; filled in while it is analysed.
using Order = std::shared_ptr<std::vector<std::int64_t>>;

Result<FramePick> DrawFrames(const MediaFacts& media, std::int64_t count, std::optional<std::uint64_t> seed,
                             std::vector<std::int64_t>& order) {
  if (auto known = CheckOriginalsRead(media); !known) return tl::unexpected(known.error());
  const std::int64_t population = FrameCount(media);
  if (count > population)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("num_frames is {}, but the video has {} frames", count, population));
  order = PythonRandom(seed.value_or(SeedOf(media))).Sample(population, count);
  FramePick pick{.indices = order};
  std::sort(pick.indices.begin(), pick.indices.end());
  return pick;
}

class Microservice : public std::enable_shared_from_this<Microservice> {
 public:
  explicit Microservice(ContractContext context) : context_(std::move(context)) {}

  std::unique_ptr<http::BodyReceiver> Receive(const http::RequestPtr& request, bool video) {
    const char* field = video ? "video" : "image";
    return ReceiveForm(
        request, context_.data, {.file_field = field},
        [self = shared_from_this(), request, video, field](Form form, http::Responder responder) {
          if (!form.file)
            return responder.Send(MicroserviceError(400, fmt::format("No {} file provided", field)));
          if (video) return self->Video(request, std::move(form), std::move(responder));
          self->Image(request, std::move(form), std::move(responder));
        });
  }

 private:
  void Image(const http::RequestPtr& request, Form form, http::Responder responder) {
    // The original takes nothing but "1" for yes.
    const bool find_faces = FieldOr(form, "face_detection", "1") == "1";
    const MicroserviceRequest wanted{.method = FieldOr(form, "face_detection_method", "MTCNN")};
    if (find_faces && !IsKnownMethod(wanted.method)) return SendUnknownMethod(wanted, responder);
    auto job = MakeJob(std::move(form), wanted);
    // Without face detection the original judges the whole picture, which must be a face then. The native
    // engine is made for faces and finds them all the same: the client wants to know about the face. Only
    // where there is none to be found does the answer differ: it says so instead of inventing a score.
    job.options.whole_picture = !find_faces && context_.faithful;
    job.options.pick = [](const MediaFacts& media) -> Result<FramePick> {
      if (auto known = CheckOriginalsRead(media); !known) return tl::unexpected(known.error());
      if (media.kind != MediaKind::kImage)
        return Fail(ErrorCode::kUnsupportedMedia, "expected a picture, found a video",
                    "send it to /detect_deepfake_video");
      return FramePick{.indices = {0}};
    };
    Answer(request, std::move(responder), std::move(job), wanted,
           std::make_shared<std::vector<std::int64_t>>(1, 0));
  }

  void Video(const http::RequestPtr& request, Form form, http::Responder responder) {
    const auto text = FieldOr(form, "num_frames", "3");
    const auto count = ParsePythonInt(text);
    const auto refuse = [&](const std::string& message) { responder.Send(MicroserviceError(500, message)); };
    if (!count) return refuse(fmt::format("num_frames must be a whole number, found '{}'", text));
    if (*count < 0) return refuse(fmt::format("num_frames must not be negative, found {}", *count));
    if (*count > static_cast<std::int64_t>(FramePick::kMaxIndices))
      return refuse(
          fmt::format("num_frames is {}, at most {} frames are analysed", *count, FramePick::kMaxIndices));
    std::optional<std::uint64_t> seed;
    if (const auto* given = form.Find("seed")) {
      const auto number = ParsePythonInt(*given);
      if (!number) return refuse(fmt::format("seed must be a whole number, found '{}'", *given));
      // As random.seed() does, which takes the absolute value.
      seed = *number < 0 ? 0 - static_cast<std::uint64_t>(*number) : static_cast<std::uint64_t>(*number);
    }
    const MicroserviceRequest wanted{
        .video = true, .method = FieldOr(form, "face_detection_method", "MTCNN"), .num_frames = *count};
    if (!IsKnownMethod(wanted.method)) return SendUnknownMethod(wanted, responder);
    auto job = MakeJob(std::move(form), wanted);
    const auto order = std::make_shared<std::vector<std::int64_t>>();
    job.options.pick = [order, seed, count = *count](const MediaFacts& media) {
      return DrawFrames(media, count, seed, *order);
    };
    Answer(request, std::move(responder), std::move(job), wanted, order);
  }

  AnalysisService::Job MakeJob(Form form, const MicroserviceRequest& wanted) {
    AnalysisOptions options;
    options.mode = SampleMode::kPicked;
    options.max_frames = static_cast<int>(FramePick::kMaxIndices);
    if (IsKnownMethod(wanted.method)) options.face_finder = wanted.method;
    return {.media = std::move(form.file->media),
            .name = LabelOf(*form.file, wanted.video ? "video" : "image"),
            .options = std::move(options)};
  }

  void SendUnknownMethod(const MicroserviceRequest& wanted, const http::Responder& responder) {
    responder.Send(MicroserviceNoFace(
        context_, wanted,
        fmt::format("face_detection_method '{}' is not known, expected MTCNN or SSD", wanted.method)));
  }

  void Answer(const http::RequestPtr& request, http::Responder responder, AnalysisService::Job job,
              const MicroserviceRequest& wanted, const Order& order) {
    AnswerByAnalysis(
        context_, request, std::move(responder),
        {.job = std::move(job),
         .render =
             [self = shared_from_this(), wanted, order](const AnalysisRecord& record, const Report& report) {
               return MicroserviceAnswer(self->context_, wanted, record, report, *order);
             },
         .fault = MicroserviceFault});
  }

  const ContractContext context_;
};

}  // namespace

std::shared_ptr<const http::Router> MakeMicroservice(const ContractContext& context) {
  const auto service = std::make_shared<Microservice>(context);
  Site site(Site::Framework::kFlask, true, MicroserviceFault);
  site.Docs(context);
  site.Get(
      "/",
      [](const http::RequestPtr&, http::Responder responder) {
        responder.Send({.content_type = "text/html; charset=utf-8", .body = kGreeting});
      },
      http::Route::Runs::kInPlace);
  for (const bool video : {false, true})
    site.Post(video ? "/detect_deepfake_video" : "/detect_deepfake_image", context.max_upload_bytes,
              [service, video](const http::RequestPtr& request) { return service->Receive(request, video); });
  return site.Finish();
}

}  // namespace unmask::compat
