// SPDX-License-Identifier: Apache-2.0
#include "serving/tf_serving_routes.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "http/problem.hpp"
#include "serving/tf_serving.hpp"

namespace unmask::serving {
namespace {

using http::RequestPtr;
using http::Responder;

http::Response ErrorAnswer(int status, std::string_view message) {
  auto response = http::JsonResponse(status, WriteTfError(message));
  if (status == 503) response.headers.Set("Retry-After", std::to_string(http::kRetryAfterSeconds));
  return response;
}

/// What a request names: a model, and perhaps one of its versions or labels.
struct Target {
  std::string name;
  std::string version;  ///< in decimal without leading zeros
  std::string label;
  const std::string& which() const { return label.empty() ? version : label; }
};

bool IsVersion(std::string_view text) {
  return !text.empty() && text.size() <= 18 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

tl::unexpected<Error> Malformed(const http::Request& request) {
  return Fail(ErrorCode::kBadRequest, fmt::format("Malformed request: {} {}", request.method, request.path));
}

/// Of a route's parameters; `suffix` (":predict") was taken off the last one.
Result<Target> TargetOf(const http::Request& request, std::string_view suffix = {}) {
  const auto value = [&](const char* key) {
    const auto found = request.params.find(key);
    std::string text = found == request.params.end() ? "" : found->second;
    if (!suffix.empty() && text.ends_with(suffix)) text.resize(text.size() - suffix.size());
    return text;
  };
  Target target{.name = value("name"), .version = value("version"), .label = value("label")};
  if (target.name.empty() || target.name.find(':') != std::string::npos) return Malformed(request);
  if (request.params.contains("version") && !IsVersion(target.version)) return Malformed(request);
  if (request.params.contains("label") && target.label.empty()) return Malformed(request);
  // As a number: "02" is version 2.
  target.version.erase(0, std::min(target.version.find_first_not_of('0'), target.version.size()));
  if (request.params.contains("version") && target.version.empty()) target.version = "0";
  return target;
}

tl::unexpected<Error> UnknownLabel(const Target& target) {
  return Fail(ErrorCode::kBadRequest, fmt::format("Unrecognized servable version label: {}", target.label));
}

/// Why there is nothing to answer with.
tl::unexpected<Error> NotServed(const Target& target, const OfferedModel* model) {
  std::string version = target.version;
  if (!target.label.empty()) {
    const auto labelled = model ? model->VersionOf(target.label) : std::nullopt;
    if (!labelled) return UnknownLabel(target);
    version = std::to_string(*labelled);
  }
  return Fail(ErrorCode::kNotFound,
              version.empty()
                  ? fmt::format("Servable not found for request: Latest({})", target.name)
                  : fmt::format("Servable not found for request: Specific({}, {})", target.name, version));
}

class Routes {
 public:
  Routes(std::shared_ptr<const ModelSet> models, std::shared_ptr<Predictor> predictor)
      : models_(std::move(models)), predictor_(std::move(predictor)) {}

  Result<http::Response> Status(const http::Request& request) const {
    const auto target = TargetOf(request);
    if (!target) return tl::unexpected(target.error());
    const OfferedModel* const model = models_->Find(target->name);
    if (!model)
      return Fail(ErrorCode::kNotFound, fmt::format("Could not find any versions of model {}", target->name));
    auto versions = model->Status();
    std::string version = target->version;
    if (!target->label.empty()) {
      const auto labelled = model->VersionOf(target->label);
      if (!labelled) return UnknownLabel(*target);
      version = std::to_string(*labelled);
    }
    if (!version.empty()) {
      std::erase_if(versions, [&](const auto& status) { return std::to_string(status.version) != version; });
      if (versions.empty())
        return Fail(ErrorCode::kNotFound,
                    fmt::format("Could not find version {} of model {}", version, target->name));
    }
    return http::JsonResponse(200, WriteTfStatus(versions));
  }

  Result<http::Response> Metadata(const http::Request& request) const {
    const auto target = TargetOf(request);
    if (!target) return tl::unexpected(target.error());
    const auto network = Take(*target);
    if (!network) return tl::unexpected(network.error());
    return http::JsonResponse(200, WriteTfMetadata(**network));
  }

  Result<std::unique_ptr<http::BodyReceiver>> Predict(const RequestPtr& request) const {
    const auto& last = request->params.contains("version") ? request->params.at("version")
                       : request->params.contains("label") ? request->params.at("label")
                                                           : request->params.at("name");
    const std::string verb = last.substr(std::min(last.rfind(':'), last.size()));
    if (verb != ":predict" && verb != ":classify" && verb != ":regress") return Malformed(*request);
    const auto target = TargetOf(*request, verb);
    if (!target) return tl::unexpected(target.error());
    const auto network = Take(*target);
    if (!network) return tl::unexpected(network.error());
    if (verb != ":predict")
      return Fail(ErrorCode::kMethodNotAllowed,
                  fmt::format("the model takes tensors alone: ask {}:predict", target->name));
    return predictor_->Receive(
        request,
        [network = *network, request, max_batch = static_cast<std::size_t>(predictor_->limits().max_batch)](
            const std::string& body) -> Result<http::Response> {
          const auto question = ReadTfPredict(body, network->input(), max_batch);
          if (!question) return tl::unexpected(question.error());
          const auto outputs = network->Predict(question->values, question->count, request->gone);
          if (!outputs) return tl::unexpected(outputs.error());
          return http::JsonResponse(200, WriteTfPredictions(*question, *outputs));
        },
        [](const Error& error) { return ErrorAnswer(http::HttpStatus(error.code), error.message); });
  }

 private:
  Result<std::shared_ptr<const ServedNetwork>> Take(const Target& target) const {
    const OfferedModel* const model = models_->Find(target.name);
    if (!model) return NotServed(target, model);
    auto network = model->Take(target.which());
    if (network && !*network) return NotServed(target, model);
    return network;
  }

  const std::shared_ptr<const ModelSet> models_;
  const std::shared_ptr<Predictor> predictor_;
};

http::Response Worded(const Error& error, const http::Request& request) {
  const bool no_route = error.code == ErrorCode::kNotFound || error.code == ErrorCode::kMethodNotAllowed;
  if (no_route && request.route.empty() && request.path.starts_with("/v1/"))
    return ErrorAnswer(400, fmt::format("Malformed request: {} {}", request.method, request.path));
  // The one use of this code by a route of ours: a verb that this model has not.
  const bool unimplemented = error.code == ErrorCode::kMethodNotAllowed && !request.route.empty();
  // That server refuses no pages and has no words for it: ours say which option lets them in.
  const bool ours = error.code == ErrorCode::kForbidden && !error.hint.empty();
  return ErrorAnswer(unimplemented ? 501 : http::HttpStatus(error.code),
                     ours ? fmt::format("{}; {}", error.message, error.hint) : error.message);
}

}  // namespace

std::shared_ptr<const http::Router> TfServingRoutes(std::shared_ptr<const ModelSet> models,
                                                    std::shared_ptr<Predictor> predictor) {
  const auto max_body = predictor->limits().max_body;
  const auto routes = std::make_shared<const Routes>(std::move(models), std::move(predictor));
  auto router = std::make_shared<http::Router>(&Worded);
  using Answer = Result<http::Response> (Routes::*)(const http::Request&) const;
  const auto get = [&](const std::string& path, Answer answer) {
    router->Get(
        path,
        [routes, answer](const RequestPtr& request, const Responder& responder) {
          auto response = ((*routes).*answer)(*request);
          responder.Send(response ? std::move(*response) : Worded(response.error(), *request));
        },
        http::Route::Runs::kInPlace);
  };
  const auto post = [&](const std::string& path) {
    router->Add(PredictRoute(path, max_body,
                             [routes](const RequestPtr& request) { return routes->Predict(request); }));
  };
  for (const std::string which : {"", "/versions/{version}", "/labels/{label}"}) {
    const std::string path = "/v1/models/{name}" + which;
    get(path, &Routes::Status);
    get(path + "/metadata", &Routes::Metadata);
    post(path);
  }
  return router;
}

}  // namespace unmask::serving
