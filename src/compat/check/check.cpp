// SPDX-License-Identifier: Apache-2.0
#include "compat/check/check.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/base64.hpp"
#include "base/file.hpp"
#include "client/http_call.hpp"
#include "compat/check/event_compare.hpp"
#include "socketio/caller.hpp"

namespace unmask::compat {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMaxTries = 3;                                    // of a service that answers 429
constexpr const char* kOrigin = "http://compat-check.invalid";  // so that CORS headers can be compared

constexpr std::uint64_t kMaxEmitted = std::uint64_t{1} << 30;  // bytes of a video, which is held in memory
constexpr std::size_t kWholeVideo = 900'000;  // characters that a message of 1,000,000 has room for
constexpr std::size_t kChunk = 500'000;

struct MediaType {
  const char* extension;
  const char* type;
};

constexpr MediaType kTypes[] = {
    {".jpg", "image/jpeg"},       {".jpeg", "image/jpeg"},     {".png", "image/png"},
    {".webp", "image/webp"},      {".gif", "image/gif"},       {".bmp", "image/bmp"},
    {".mp4", "video/mp4"},        {".m4v", "video/mp4"},       {".mov", "video/quicktime"},
    {".mkv", "video/x-matroska"}, {".avi", "video/x-msvideo"}, {".webm", "video/webm"},
    {".mpg", "video/mpeg"},
};

/// By the name, as a browser or an HTTP library does.
std::string TypeOf(const std::filesystem::path& file) {
  const auto extension = file.extension().string();
  for (const auto& row : kTypes)
    if (http::EqualsIgnoreCase(row.extension, extension)) return row.type;
  return "application/octet-stream";
}

bool IsMicroservice(Contract contract) {
  return contract == Contract::kMicroserviceV1 || contract == Contract::kMicroserviceV2;
}

/// Where a file goes, and in which form field.
struct Way {
  const char* path;
  const char* field;
};

Way WayOf(Contract contract, const std::string& type) {
  if (IsMicroservice(contract))
    return type.starts_with("image/") ? Way{"/detect_deepfake_image", "image"}
                                      : Way{"/detect_deepfake_video", "video"};
  return {contract == Contract::kPredictApi ? "/predict" : "/upload", "file"};
}

std::string Failure(const HttpFailure& failure) {
  if (failure.kind == HttpFailure::Kind::kCancelled) return "interrupted";
  if (failure.kind == HttpFailure::Kind::kReadTimeout) return "it did not answer in time";
  return failure.detail;
}

/// False when `stop` was requested.
bool Wait(double seconds, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop, std::chrono::duration<double>(seconds),
                                         [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

bool FileCheck::same_shape() const {
  return std::none_of(differences.begin(), differences.end(), [](const auto& d) { return d.is_shape(); });
}

CheckSummary Summarise(const std::vector<FileCheck>& files) {
  CheckSummary summary{.files = files.size()};
  double sum = 0;
  for (const auto& file : files) {
    if (!file.unreachable.empty()) {
      ++summary.unreachable;
      continue;
    }
    if (file.same_shape()) ++summary.same_shape;
    if (!file.theirs || !file.ours) continue;
    ++summary.judged;
    if (SameLabel(file.theirs->label, file.ours->label)) ++summary.same_label;
    const double difference = std::abs(file.ours->score - file.theirs->score);
    sum += difference;
    summary.largest_difference = std::max(summary.largest_difference, difference);
  }
  if (summary.judged > 0) summary.mean_difference = sum / static_cast<double>(summary.judged);
  return summary;
}

Result<void> CheckSendable(Contract contract, const std::filesystem::path& file) {
  const auto opened = OpenForReading(file);
  if (!opened) return tl::unexpected(opened.error());
  if (IsMicroservice(contract) && TypeOf(file) == "application/octet-stream")
    return Fail(ErrorCode::kUnsupportedMedia,
                fmt::format("expected a name that ends as a picture's or a video's, found '{}'",
                            file.filename().string()),
                "rename it, e.g. to end in .jpg or .mp4: the service has a route for each");
  return {};
}

struct Checker::Client {
  HttpCaller caller;
};

struct Checker::Exchange {
  std::string failure;  ///< not empty: no answer
  CheckedAnswer answer;
  std::vector<CheckedEvent> events;  ///< of Socket.IO, in place of the answer
  double seconds = 0;
};

Checker::Checker(CheckOptions options, OnWait on_wait)
    : options_(std::move(options)), on_wait_(std::move(on_wait)), client_(std::make_unique<Client>()) {}
Checker::~Checker() = default;

Checker::Exchange Checker::Send(const std::string& service, const std::filesystem::path& file,
                                const std::stop_token& stop) {
  return by_socket() ? Emit(service, file, stop) : Post(service, file, stop);
}

/// As the original's clients do: the whole video in one message where it fits, otherwise in chunks.
Checker::Exchange Checker::Emit(const std::string& service, const std::filesystem::path& file,
                                const std::stop_token& stop) const {
  const auto bytes = ReadSmallFile(file, kMaxEmitted);
  if (!bytes) return {.failure = bytes.error().message};
  const auto text = Base64(*bytes);
  const auto began = Clock::now();
  auto caller =
      socketio::Caller::Connect(service, {.transport = options_.transport == CheckOptions::Transport::kPolling
                                                           ? socketio::Caller::Transport::kPolling
                                                           : socketio::Caller::Transport::kWebSocket,
                                          .timeout = options_.timeout,
                                          .stop = stop});
  if (!caller) return {.failure = caller.error().message};
  Exchange exchange;
  const auto ask = [&](const char* event, const nlohmann::ordered_json& argument) -> Result<void> {
    const auto number = (*caller)->Emit(event, argument);
    if (!number) return tl::unexpected(number.error());
    for (;;) {
      auto got = (*caller)->Next();
      if (!got) return tl::unexpected(got.error());
      if (got->ack == *number) return {};
      if (!got->ack) exchange.events.push_back({std::move(got->event), std::move(got->arguments)});
    }
  };
  Result<void> asked;
  if (text.size() <= kWholeVideo) {
    asked = ask("predict_video", {{"video", text}});
  } else {
    const std::size_t total = (text.size() + kChunk - 1) / kChunk;
    for (std::size_t i = 0; asked && i < total; ++i)
      asked = ask("video_chunk", {{"chunk_id", i},
                                  {"total_chunks", total},
                                  {"chunk", text.substr(i * kChunk, kChunk)},
                                  {"is_last", i + 1 == total}});
  }
  if (!asked) return {.failure = asked.error().message};
  const std::chrono::duration<double> took = Clock::now() - began;
  exchange.seconds = took.count();
  (*caller)->Close();
  return exchange;
}

Checker::Exchange Checker::Post(const std::string& service, const std::filesystem::path& file,
                                const std::stop_token& stop) {
  const std::string type = TypeOf(file);
  const Way way = WayOf(options_.contract, type);
  HttpCall call{.url = service, .timeout = options_.timeout};
  while (call.url.ends_with('/')) call.url.pop_back();
  call.url += way.path;
  if (!options_.query.empty()) call.url += "?" + options_.query;
  for (const auto& [name, text] : options_.fields) call.form.push_back({.name = name, .text = text});
  call.form.push_back(
      {.name = way.field, .file = file, .filename = file.filename().string(), .content_type = type});
  call.headers = {fmt::format("Origin: {}", kOrigin)};
  if (!options_.token.empty()) call.headers.push_back("Authorization: Bearer " + options_.token);

  for (int attempt = 1;; ++attempt) {
    const auto began = Clock::now();
    auto answer = client_->caller.Call(call, stop);
    if (!answer) return {.failure = Failure(answer.error())};
    const std::chrono::duration<double> took = Clock::now() - began;
    if (answer->status == 429 && attempt < kMaxTries) {
      if (on_wait_) on_wait_(service, options_.limit_wait);
      if (!Wait(options_.limit_wait, stop)) return {.failure = "interrupted"};
      continue;
    }
    const auto* answered = answer->Find("Content-Type");
    if (answer->status == 403 && answered && *answered == "application/problem+json")
      return {.failure =
                  fmt::format("it lets in no pages of other origins, as whose the files are sent; name a "
                              "contract's own listener, or start it with --allow-origin {}",
                              kOrigin)};
    http::Headers headers;
    for (auto& [name, value] : answer->headers) headers.Add(std::move(name), std::move(value));
    return {.failure = "",
            .answer = {answer->status, std::move(headers), std::move(answer->body)},
            .seconds = took.count()};
  }
}

FileCheck Checker::Check(const std::filesystem::path& file, std::stop_token stop) {
  FileCheck check{.file = file};
  const auto theirs = Send(options_.against, file, stop);
  const auto ours = theirs.failure.empty() ? Send(options_.ours, file, stop) : Exchange{};
  if (!theirs.failure.empty() || !ours.failure.empty()) {
    const bool old = !theirs.failure.empty();
    check.unreachable =
        fmt::format("{}: {}", old ? options_.against : options_.ours, old ? theirs.failure : ours.failure);
    return check;
  }
  check.their_seconds = theirs.seconds;
  check.our_seconds = ours.seconds;
  if (by_socket()) {
    check.theirs = ReadJudgement(theirs.events);
    check.ours = ReadJudgement(ours.events);
    check.differences = CompareEvents(theirs.events, ours.events);
  } else {
    check.theirs = ReadJudgement(options_.contract, theirs.answer.body);
    check.ours = ReadJudgement(options_.contract, ours.answer.body);
    check.differences = CompareAnswers(options_.contract, theirs.answer, ours.answer);
  }
  return check;
}

}  // namespace unmask::compat
