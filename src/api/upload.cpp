// SPDX-License-Identifier: Apache-2.0
#include "api/upload.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "api/routes.hpp"
#include "http/multipart.hpp"
#include "http/problem.hpp"

namespace unmask {
namespace {

constexpr const char* kHowToSend =
    "send the file as the part 'file' of multipart/form-data, or as the body with Content-Type "
    "application/octet-stream, image/... or video/...";

using Complete = std::function<void(Upload, http::Responder)>;

http::Response EmptyFile(const http::Request& request) {
  return http::Problem({ErrorCode::kUndecodable, "the file is empty", "", ""}, request.trace_id);
}

class RawUpload : public http::BodyReceiver {
 public:
  RawUpload(http::RequestPtr request, PrivateFile media, Complete on_complete)
      : request_(std::move(request)), media_(std::move(media)), on_complete_(std::move(on_complete)) {}

  Result<void> Write(std::string_view bytes) override { return media_.Append(bytes); }

  void Finish(http::Responder responder) override {
    if (media_.size() == 0) return responder.Send(EmptyFile(*request_));
    on_complete_({std::move(media_), ""}, std::move(responder));
  }

 private:
  http::RequestPtr request_;
  PrivateFile media_;
  Complete on_complete_;
};

class FormUpload : public http::BodyReceiver, private http::MultipartEvents {
 public:
  FormUpload(http::RequestPtr request, const std::string& boundary, PrivateFile media, Complete on_complete)
      : request_(std::move(request)),
        parser_(boundary, *this),
        media_(std::move(media)),
        on_complete_(std::move(on_complete)) {}

  Result<void> Write(std::string_view bytes) override { return parser_.Feed(bytes); }

  void Finish(http::Responder responder) override {
    const auto refuse = [&](const Error& error) { responder.Send(http::Problem(error, request_->trace_id)); };
    if (const auto finished = parser_.Finish(); !finished) return refuse(finished.error());
    if (!name_) return refuse({ErrorCode::kBadRequest, "the form has no part 'file'", kHowToSend, ""});
    if (media_.size() == 0) return responder.Send(EmptyFile(*request_));
    on_complete_({std::move(media_), CleanLabel(*name_)}, std::move(responder));
  }

 private:
  Result<void> OnPart(const http::MultipartPart& part) override {
    if (part.name != "file")
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("unexpected part '{}', expected one part 'file'", part.name),
                  "options go into the query, for example ?fps=4");
    if (name_)
      return Fail(ErrorCode::kBadRequest, "two parts 'file', expected one", "send one request for each file");
    name_ = part.filename.value_or("");
    return {};
  }

  Result<void> OnData(std::string_view bytes) override { return media_.Append(bytes); }
  Result<void> OnPartEnd() override { return {}; }

  http::RequestPtr request_;
  http::MultipartParser parser_;
  PrivateFile media_;
  Complete on_complete_;
  std::optional<std::string> name_;
};

bool IsMediaType(std::string_view type) {
  return type.starts_with("image/") || type.starts_with("video/") || type == "application/octet-stream" ||
         type == "application/mp4" || type == "binary/octet-stream";
}

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

Result<std::unique_ptr<http::BodyReceiver>> ReceiveUpload(const http::RequestPtr& request,
                                                          const std::filesystem::path& folder,
                                                          Complete on_complete) {
  const auto* encoding = request->headers.Find("Content-Encoding");
  if (encoding && !http::EqualsIgnoreCase(*encoding, "identity"))
    return Fail(ErrorCode::kUnsupportedMedia, fmt::format("Content-Encoding '{}' is not accepted", *encoding),
                "send the file as it is");
  const auto* header = request->headers.Find("Content-Type");
  if (!header) return Fail(ErrorCode::kUnsupportedMedia, "the request has no Content-Type", kHowToSend);
  const auto type = http::ParseMediaType(*header);
  const bool form = type && type->type == "multipart/form-data";
  if (!form && !(type && IsMediaType(type->type)))
    return Fail(ErrorCode::kUnsupportedMedia, fmt::format("Content-Type '{}' is not accepted", *header),
                kHowToSend);

  std::string boundary;
  if (form) {
    auto parsed = http::ParseBoundary(*header);
    if (!parsed) return tl::unexpected(parsed.error());
    boundary = std::move(*parsed);
  }
  auto media = PrivateFile::Create(folder);
  if (!media) return tl::unexpected(media.error());
  if (form) return std::make_unique<FormUpload>(request, boundary, std::move(*media), std::move(on_complete));
  return std::make_unique<RawUpload>(request, std::move(*media), std::move(on_complete));
}

std::string CleanLabel(std::string_view label) {
  if (const auto slash = label.find_last_of("/\\"); slash != std::string_view::npos)
    label.remove_prefix(slash + 1);
  if (label.size() > kMaxLabel) {
    std::size_t end = kMaxLabel;
    while (end > 0 && IsContinuation(label[end])) --end;
    label = label.substr(0, end);
  }
  std::string clean(label);
  for (char& c : clean)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return clean;
}

}  // namespace unmask
