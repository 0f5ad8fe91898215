// SPDX-License-Identifier: Apache-2.0
#include "compat/tf_serving/client.hpp"

#include <cerrno>
#include <cmath>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "client/http_call.hpp"
#include "compat/python.hpp"
#include "compat/tf_serving/python_json.hpp"

namespace unmask::compat {
namespace {

using Kind = HttpFailure::Kind;

constexpr std::size_t kShownCharacters = 400;  // of an upstream error's body; the contract's number

// What clients read instead of the real ones: TensorFlow Serving's usual ones.
constexpr const char* kPublicHost = "tfserving";
constexpr int kPublicPort = 8501;

std::string OsText(int os_error) {
  return fmt::format("[Errno {}] {}", os_error, std::generic_category().message(os_error));
}

/// A duration as the caller of `requests` wrote it: whole ones without a fraction in Status(), others as
/// floats.
std::string PythonWords(const HttpFailure& failure, const std::string& path, const std::string& timeout) {
  const std::string pool = fmt::format("HTTPConnectionPool(host='{}', port={})", kPublicHost, kPublicPort);
  const auto retries = [&](const std::string& cause) {
    return fmt::format("{}: Max retries exceeded with url: {} (Caused by {})", pool, path, cause);
  };
  switch (failure.kind) {
    case Kind::kResolve:
      return retries(fmt::format(
          "NameResolutionError(\"Failed to resolve '{}' ([Errno -2] Name or service not known)\")",
          kPublicHost));
    case Kind::kConnect:
      return retries(fmt::format("NewConnectionError('Failed to establish a new connection: {}')",
                                 OsText(failure.os_error ? failure.os_error : ECONNREFUSED)));
    case Kind::kConnectTimeout:
      return retries(fmt::format("ConnectTimeoutError('Connection to {} timed out. (connect timeout={})')",
                                 kPublicHost, timeout));
    case Kind::kReadTimeout:
      return fmt::format("{}: Read timed out. (read timeout={})", pool, timeout);
    case Kind::kReset: {
      const int code = failure.os_error ? failure.os_error : ECONNRESET;
      const char* const type = code == EPIPE ? "BrokenPipeError" : "ConnectionResetError";
      return fmt::format("('Connection aborted.', {}({}, '{}'))", type, code,
                         std::generic_category().message(code));
    }
    case Kind::kIncomplete: {
      const std::string read = failure.expected > failure.received
                                   ? fmt::format("IncompleteRead({} bytes read, {} more expected)",
                                                 failure.received, failure.expected - failure.received)
                                   : fmt::format("IncompleteRead({} bytes read)", failure.received);
      return fmt::format("('Connection broken: {}', {})", read, read);
    }
    case Kind::kNotHttp:
      return "('Connection aborted.', BadStatusLine('the answer is not HTTP'))";
    case Kind::kTooLarge:
      return "Malformed TF Serving response: too many bytes";
    case Kind::kClosed:
    case Kind::kCancelled:
    case Kind::kOther:
      break;
  }
  return "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))";
}

class RestClient : public TfServing {
 public:
  explicit RestClient(TfServingOptions options)
      : options_(std::move(options)), path_("/v1/models/" + options_.model) {}

  Result<std::vector<float>> Predict(std::span<const float> values, const InstanceShape& shape,
                                     std::stop_token stop) override {
    const std::string body = WriteInstances(values, shape);
    const std::string path = path_ + ":predict";
    const auto answer = Ask(path, &body, options_.timeout, PythonFloat(options_.timeout), std::move(stop));
    if (!answer) return tl::unexpected(answer.error());
    if (answer->status != 200)
      return Fail(ErrorCode::kInternal, fmt::format("TF Serving error {}: {}", answer->status,
                                                    FirstCharacters(answer->body, kShownCharacters)));
    return ReadPredictions(answer->body, shape.count);
  }

  Result<nlohmann::ordered_json> Status(std::stop_token stop) override {
    const double timeout = options_.status_timeout;
    const std::string shown =
        timeout == std::floor(timeout) ? fmt::format("{:.0f}", timeout) : PythonFloat(timeout);
    const auto answer = Ask(path_, nullptr, timeout, shown, std::move(stop));
    if (!answer) return tl::unexpected(answer.error());
    if (answer->status != 200) return Fail(ErrorCode::kInternal, fmt::format("status={}", answer->status));
    auto json = ParsePythonJson(answer->body);
    if (!json) return Fail(ErrorCode::kInternal, json.error().message);
    return json;
  }

 private:
  Result<HttpAnswer> Ask(const std::string& path, const std::string* body, double timeout,
                         const std::string& shown_timeout, std::stop_token stop) {
    const std::string url = options_.url + path;
    auto answer = caller_.Call({.url = url, .body = body, .timeout = timeout}, std::move(stop));
    if (answer) return std::move(*answer);
    if (answer.error().kind == Kind::kCancelled)
      return Fail(ErrorCode::kCancelled, "the analysis was cancelled");
    LogWarning("TF Serving: {}: {}", url, answer.error().detail);
    return Fail(ErrorCode::kInternal, PythonWords(answer.error(), path, shown_timeout),
                "see the server's log for the address that was asked");
  }

  const TfServingOptions options_;
  const std::string path_;
  HttpCaller caller_;
};

}  // namespace

Result<std::unique_ptr<TfServing>> TfServing::Create(TfServingOptions options) {
  if (!options.url.starts_with("http://") && !options.url.starts_with("https://"))
    return Fail(ErrorCode::kBadRequest,
                fmt::format("TF_SERVING_URL must begin with http:// or https://, found '{}'", options.url),
                "for example TF_SERVING_URL=http://tfserving:8501");
  while (options.url.ends_with('/')) options.url.pop_back();
  return std::make_unique<RestClient>(std::move(options));
}

}  // namespace unmask::compat
