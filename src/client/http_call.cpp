// SPDX-License-Identifier: Apache-2.0
#include "client/http_call.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include <curl/curl.h>

namespace unmask {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = HttpFailure::Kind;

constexpr std::size_t kIdleHandles = 16;
constexpr long kUploadPiece =
    512 << 10;  // bytes; a batch of faces has a megabyte, and curl's own 64 KiB are slow

struct Progress {
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::uint64_t max_answer = 0;
  bool too_large = false;
  curl_off_t moved = 0;  ///< bytes both ways
  Clock::time_point last_move = Clock::now();
};

std::size_t OnBody(char* bytes, std::size_t, std::size_t size, void* user) {
  auto& progress = *static_cast<Progress*>(user);
  progress.too_large = progress.body.size() + size > progress.max_answer;
  if (progress.too_large) return 0;
  progress.body.append(bytes, size);
  return size;
}

std::size_t OnHeader(char* bytes, std::size_t, std::size_t size, void* user) {
  auto& headers = static_cast<Progress*>(user)->headers;
  std::string_view line(bytes, size);
  if (line.starts_with("HTTP/")) headers = {};  // after an interim answer, another
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  auto value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  value.remove_suffix(value.size() - (value.find_last_not_of(" \t\r\n") + 1));
  headers.emplace_back(line.substr(0, colon), value);
  return size;
}

int OnProgress(void* user, curl_off_t, curl_off_t down, curl_off_t, curl_off_t up) {
  auto& progress = *static_cast<Progress*>(user);
  if (down + up != progress.moved) {
    progress.moved = down + up;
    progress.last_move = Clock::now();
  }
  return 0;
}

Clock::duration ToClock(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(std::clamp(seconds, 0.001, 86400.0)));
}

void InitialiseOnce() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (done != CURLE_OK) throw std::bad_alloc();
}

}  // namespace

const std::string* HttpAnswer::Find(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key.size() == name.size() && curl_strnequal(key.data(), name.data(), name.size()) != 0) return &value;
  return nullptr;
}

/// One easy handle in a multi handle of its own, which keeps the connection.
class HttpCaller::Handle {
 public:
  Handle() : multi_(curl_multi_init()), easy_(curl_easy_init()) {
    if (!multi_ || !easy_) throw std::bad_alloc();
  }
  ~Handle() {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
    FreeRequest();
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  tl::expected<HttpAnswer, HttpFailure> Call(const HttpCall& call, const std::stop_token& stop) {
    Progress progress{.body = {}, .max_answer = call.max_answer};
    SetOptions(call, progress);
    curl_multi_add_handle(multi_, easy_);
    const CURLcode code = Run(call, stop, progress);
    curl_multi_remove_handle(multi_, easy_);
    FreeRequest();

    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK) return HttpAnswer{status, std::move(progress.body), std::move(progress.headers)};
    return tl::unexpected(Explain(code, stop, progress));
  }

 private:
  void SetOptions(const HttpCall& call, Progress& progress) {
    curl_easy_reset(easy_);
    error_[0] = '\0';
    const double connect = call.connect_timeout > 0 ? call.connect_timeout : call.timeout;
    const auto milliseconds = static_cast<long>(std::clamp(connect, 0.001, 86400.0) * 1000);
    curl_easy_setopt(easy_, CURLOPT_URL, call.url.c_str());
    curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, milliseconds);
    curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &OnBody);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &progress);
    curl_easy_setopt(easy_, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy_, CURLOPT_XFERINFOFUNCTION, &OnProgress);
    curl_easy_setopt(easy_, CURLOPT_XFERINFODATA, &progress);
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &OnHeader);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, &progress);
    for (const auto& line : call.headers) headers_ = curl_slist_append(headers_, line.c_str());
    headers_ = curl_slist_append(headers_, "Expect:");  // not every server answers it
    if (call.body) headers_ = curl_slist_append(headers_, ("Content-Type: " + call.content_type).c_str());
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
    if (!call.form.empty()) SetForm(call.form);
    if (!call.body) return;
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_UPLOAD_BUFFERSIZE, kUploadPiece);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body->size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, call.body->data());
  }

  void SetForm(const std::vector<HttpFormPart>& form) {
    form_ = curl_mime_init(easy_);
    for (const auto& field : form) {
      curl_mimepart* const part = curl_mime_addpart(form_);
      curl_mime_name(part, field.name.c_str());
      if (field.file.empty()) {
        curl_mime_data(part, field.text.data(), field.text.size());
        continue;
      }
      curl_mime_filedata(part, field.file.c_str());
      curl_mime_filename(part, field.filename.c_str());
      if (!field.content_type.empty()) curl_mime_type(part, field.content_type.c_str());
    }
    curl_easy_setopt(easy_, CURLOPT_MIMEPOST, form_);
  }

  void FreeRequest() {
    curl_slist_free_all(std::exchange(headers_, nullptr));
    curl_mime_free(std::exchange(form_, nullptr));
  }

  CURLcode Run(const HttpCall& call, const std::stop_token& stop, Progress& progress) {
    const std::stop_callback wake(stop, [this] { curl_multi_wakeup(multi_); });
    const auto patience = ToClock(call.timeout);
    const auto begin = progress.last_move = Clock::now();
    const auto end = call.deadline > 0 ? begin + ToClock(call.deadline) : Clock::time_point::max();
    for (int running = 1;;) {
      if (curl_multi_perform(multi_, &running) != CURLM_OK) return CURLE_FAILED_INIT;
      if (running == 0) break;
      if (stop.stop_requested()) return CURLE_ABORTED_BY_CALLBACK;
      const auto now = Clock::now();
      const auto left = std::min(patience - (now - progress.last_move), end - now);
      if (left <= Clock::duration::zero()) return CURLE_OPERATION_TIMEDOUT;
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(left).count();
      curl_multi_poll(multi_, nullptr, 0, static_cast<int>(std::min<long>(wait, 1000)), nullptr);
    }
    int waiting = 0;
    const CURLMsg* const message = curl_multi_info_read(multi_, &waiting);
    return message ? message->data.result : CURLE_FAILED_INIT;
  }

  HttpFailure Explain(CURLcode code, const std::stop_token& stop, const Progress& progress) {
    HttpFailure failure;
    failure.detail = error_[0] != '\0' ? error_ : curl_easy_strerror(code);
    failure.received = progress.body.size();
    long os_error = 0;
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_error);
    failure.os_error = static_cast<int>(os_error);
    double begun = 0;
    curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME, &begun);
    curl_off_t expected = -1;
    curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &expected);
    failure.expected = expected > 0 ? static_cast<std::uint64_t>(expected) : 0;
    failure.kind = [&] {
      switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
          return Kind::kResolve;
        case CURLE_COULDNT_CONNECT:
          return failure.os_error == ETIMEDOUT ? Kind::kConnectTimeout : Kind::kConnect;
        case CURLE_OPERATION_TIMEDOUT:
          return begun > 0 ? Kind::kReadTimeout : Kind::kConnectTimeout;
        case CURLE_GOT_NOTHING:
          return Kind::kClosed;
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
          return Kind::kReset;
        case CURLE_PARTIAL_FILE:
          return Kind::kIncomplete;
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY:
          return Kind::kNotHttp;
        default:
          return progress.too_large      ? Kind::kTooLarge
                 : stop.stop_requested() ? Kind::kCancelled
                                         : Kind::kOther;
      }
    }();
    return failure;
  }

  CURLM* const multi_;
  CURL* const easy_;
  curl_slist* headers_ = nullptr;
  curl_mime* form_ = nullptr;
  char error_[CURL_ERROR_SIZE] = "";
};

HttpCaller::HttpCaller() { InitialiseOnce(); }
HttpCaller::~HttpCaller() = default;

tl::expected<HttpAnswer, HttpFailure> HttpCaller::Call(const HttpCall& call, std::stop_token stop) {
  std::unique_ptr<Handle> handle;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      handle = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!handle) handle = std::make_unique<Handle>();
  auto answer = handle->Call(call, stop);
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleHandles) idle_.push_back(std::move(handle));
  return answer;
}

}  // namespace unmask
