// SPDX-License-Identifier: Apache-2.0
#include "compat/web_upload/web_upload.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/log.hpp"
#include "compat/facts.hpp"
#include "compat/known_media.hpp"
#include "compat/main_faces.hpp"
#include "compat/python.hpp"
#include "compat/rate_limit/client_address.hpp"
#include "compat/rate_limit/rate_limiter.hpp"
#include "compat/score_mapping.hpp"
#include "compat/site.hpp"
#include "compat/upload.hpp"
#include "compat/wait.hpp"
#include "compat/web_upload/secure_filename.hpp"
#include "http/problem.hpp"

namespace unmask::compat {
namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t kMaxBody = 5 * 1024 * 1024;
constexpr std::uint64_t kMaxPageFile = 1 << 20;
constexpr std::string_view kPageEndpoint = "index", kUploadEndpoint = "upload_file";
constexpr std::array kUploadRules{RateRule{5, 60, "minute"}};
constexpr std::array kPageRules{RateRule{10, 3600, "hour"}, RateRule{100, 86400, "day"}};

constexpr const char* kTooLargeText =
    "An error occurred: 413 Request Entity Too Large: The data value transmitted exceeds the capacity limit.";

// The page's own script and style, pictures that the browser has already, and the upload itself.
constexpr const char* kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

http::Response Alert(int status, const std::string& text) {
  return http::JsonResponse(status, FlaskJson({{"alert", text}}));
}

http::Response Fault(const Error& error) {
  if (error.limit == kRateLimit) return WerkzeugPage(429, error.message);
  if (error.code == ErrorCode::kTooLarge) return Alert(500, kTooLargeText);
  auto response =
      Alert(error.code == ErrorCode::kOverloaded ? 503 : 500, "An error occurred: " + error.message);
  if (error.code == ErrorCode::kOverloaded)
    response.headers.Set("Retry-After", std::to_string(http::kRetryAfterSeconds));
  return response;
}

/// What Pillow says of a file that it cannot read.
http::Response CannotIdentify(const std::string& filename) {
  return Alert(500, fmt::format("An error occurred: cannot identify image file 'uploads/{}'",
                                SecureFilename(filename)));
}

bool IsPicturesFault(ErrorCode code) {
  return code == ErrorCode::kUnsupportedMedia || code == ErrorCode::kUndecodable ||
         code == ErrorCode::kDecoderCrashed;
}

http::Response Answer(const ContractContext& context, const AnalysisRecord& record, const Report& report) {
  const auto faces = MainFaces(report);
  ordered_json body;
  const auto facts = UnmaskFacts(context, record, report);
  if (faces.empty()) {
    // The original judges whatever it gets. A number about no face would be made up, and a client that looks
    // for "is Real" or "is Fake" in a 200 would find neither.
    body["alert"] = "An error occurred: no face was found in the image";
    body["unmask"] = facts;
    return http::JsonResponse(500, FlaskJson(body));
  }
  const double score = *faces.front()->score;
  const float real = context.faithful
                         ? InServiceDirection(score, kWebUploadRule)
                         : ToServiceScore(score, report.model.thresholds.manipulated, kWebUploadRule);
  body["alert"] = fmt::format("The image is {} with a confidence of {:.2f}",
                              IsFake(real, kWebUploadRule) ? "Fake" : "Real", Widen(real));
  body["unmask"] = facts;
  return http::JsonResponse(200, FlaskJson(body));
}

class WebUpload : public std::enable_shared_from_this<WebUpload> {
 public:
  explicit WebUpload(ContractContext context) : context_(std::move(context)) {}

  Result<void> Count(const http::Request& request, std::string_view endpoint,
                     std::span<const RateRule> rules) {
    return context_.limiter->Hit(ClientAddress(request, context_.trusted_proxies), endpoint, rules);
  }

  Result<std::unique_ptr<http::BodyReceiver>> Receive(const http::RequestPtr& request) {
    if (const auto counted = Count(*request, kUploadEndpoint, kUploadRules); !counted)
      return tl::unexpected(counted.error());
    if (request->content_length.value_or(0) > kMaxBody) return Fail(ErrorCode::kTooLarge, kTooLargeText);
    return ReceiveForm(request, context_.data, {.file_field = "file", .max_body = kMaxBody},
                       [self = shared_from_this(), request](Form form, http::Responder responder) {
                         self->Take(request, std::move(form), std::move(responder));
                       });
  }

 private:
  void Take(const http::RequestPtr& request, Form form, http::Responder responder) {
    if (!form.file) return responder.Send(Alert(400, "No file part"));
    const std::string filename = form.file->filename;
    if (filename.empty()) return responder.Send(Alert(400, "No selected file"));
    if (!HasPictureExtension(filename)) return responder.Send(Alert(400, "Invalid file type"));

    AnalysisService::Job job{.media = std::move(form.file->media), .name = LabelOf(*form.file, "image")};
    job.options.mode = SampleMode::kPicked;
    job.options.whole_picture = context_.faithful != nullptr;
    job.options.pick = [](const MediaFacts& media) -> Result<FramePick> {
      if (auto known = CheckOriginalsRead(media); !known) return tl::unexpected(known.error());
      if (media.kind != MediaKind::kImage)
        return Fail(ErrorCode::kUnsupportedMedia, "expected a picture, found a video");
      return FramePick{.indices = {0}};
    };
    AnswerByAnalysis(context_, request, std::move(responder),
                     {.job = std::move(job),
                      .render = [self = shared_from_this()](
                                    const AnalysisRecord& record,
                                    const Report& report) { return Answer(self->context_, record, report); },
                      .fault =
                          [filename](const Error& error) {
                            return IsPicturesFault(error.code) ? CannotIdentify(filename) : Fault(error);
                          }});
  }

  const ContractContext context_;
};

/// Adds a file of the page, read once. Missing: 404, and a warning.
void AddPageFile(Site& site, const ContractContext& context, const char* path, const char* file,
                 const char* type, Site::Guard guard) {
  const auto where = context.web / "compat" / file;
  auto content = ReadSmallFile(where, kMaxPageFile);
  if (!content)
    return LogWarning("web-upload's page is incomplete: {}: {}", where.string(), content.error().message);
  const auto shared = std::make_shared<const std::string>(std::move(*content));
  const bool limited = guard != nullptr;
  site.Get(
      path,
      [shared, type, limited](const http::RequestPtr&, http::Responder responder) {
        http::Response response{.content_type = type, .shared_body = shared};
        response.headers.Set("Content-Security-Policy", kPagePolicy);
        if (!limited) response.headers.Set("Cache-Control", "public, max-age=3600");
        responder.Send(std::move(response));
      },
      std::move(guard));
}

}  // namespace

std::shared_ptr<const http::Router> MakeWebUpload(const ContractContext& context) {
  const auto service = std::make_shared<WebUpload>(context);
  Site site(Site::Framework::kFlask, false, Fault);
  site.Docs(context);
  AddPageFile(
      site, context, "/", "upload.html", "text/html; charset=utf-8",
      [service](const http::Request& request) { return service->Count(request, kPageEndpoint, kPageRules); });
  AddPageFile(site, context, "/static/upload.js", "upload.js", "text/javascript; charset=utf-8", {});
  AddPageFile(site, context, "/static/upload.css", "upload.css", "text/css; charset=utf-8", {});
  // The body's limit is kept by the receiver: a request counts before it is found too large.
  site.Post("/upload", std::numeric_limits<std::uint64_t>::max(),
            [service](const http::RequestPtr& request) { return service->Receive(request); });
  return site.Finish();
}

}  // namespace unmask::compat
