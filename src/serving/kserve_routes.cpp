// SPDX-License-Identifier: Apache-2.0
#include "serving/kserve_routes.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/version.hpp"
#include "http/problem.hpp"
#include "serving/kserve.hpp"

namespace unmask::serving {
namespace {

using http::RequestPtr;
using http::Responder;
using Network = std::shared_ptr<const ServedNetwork>;

/// Clients read this one member; the hint, where there is one, follows in the same sentence.
http::Response ErrorAnswer(const Error& error) {
  std::string body = "{\"error\": ";
  AppendString(body, error.hint.empty() ? error.message : fmt::format("{}; {}", error.message, error.hint));
  auto response = http::JsonResponse(http::HttpStatus(error.code), body + "}");
  if (error.code == ErrorCode::kOverloaded)
    response.headers.Set("Retry-After", std::to_string(http::kRetryAfterSeconds));
  return response;
}

/// Whether a version, named by number or label, is about to be AVAILABLE.
bool IsComing(const OfferedModel& model, const std::string& which) {
  const auto labelled = model.VersionOf(which);
  const std::string version = labelled ? std::to_string(*labelled) : which;
  const auto all = model.Status();
  return std::any_of(all.begin(), all.end(), [&](const VersionStatus& status) {
    return std::to_string(status.version) == version &&
           (status.state == VersionState::kStart || status.state == VersionState::kLoading);
  });
}

class Routes {
 public:
  Routes(std::shared_ptr<const ModelSet> models, std::shared_ptr<Predictor> predictor)
      : models_(std::move(models)), predictor_(std::move(predictor)) {}

  Result<Network> Take(const http::Request& request) const {
    const auto& name = request.params.at("name");
    const auto version = request.params.find("version");
    const bool chosen = version != request.params.end();
    const OfferedModel* const model = models_->Find(name);
    if (model && !(chosen && version->second.empty())) {
      auto network = model->Take(chosen ? version->second : "");
      if (!network || *network) return network;
      if (const auto ready = model->Ready(); !ready && !chosen) return tl::unexpected(ready.error());
    }
    if (!chosen)
      return Fail(ErrorCode::kNotFound, fmt::format("Request for unknown model: '{}' is not found", name));
    if (model && IsComing(*model, version->second))
      return Fail(ErrorCode::kOverloaded, fmt::format("Request for unknown model: '{}' version {} is not at "
                                                      "ready state",
                                                      name, version->second));
    return Fail(ErrorCode::kNotFound, fmt::format("Request for unknown model: '{}' version {} is not found",
                                                  name, version->second));
  }

  Result<http::Response> Metadata(const http::Request& request) const {
    const auto network = Take(request);
    if (!network) return tl::unexpected(network.error());
    const auto versions = models_->Find((*network)->card().name)->Status();
    return http::JsonResponse(200, WriteKserveMetadata(**network, versions));
  }

  Result<http::Response> Ready(const http::Request& request) const {
    const auto network = Take(request);
    if (!network) return tl::unexpected(network.error());
    return http::JsonResponse(200,
                              fmt::format("{{\"name\": \"{}\", \"ready\": true}}", (*network)->card().name));
  }

  Result<std::unique_ptr<http::BodyReceiver>> Infer(const RequestPtr& request) const {
    const auto network = Take(*request);
    if (!network) return tl::unexpected(network.error());
    if (const auto* encoding = request->headers.Find("Content-Encoding");
        encoding && !http::EqualsIgnoreCase(*encoding, "identity"))
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("the Content-Encoding '{}' is not supported", *encoding),
                  "send the body uncompressed");
    return predictor_->Receive(
        request,
        [network = *network, request, max_batch = static_cast<std::size_t>(predictor_->limits().max_batch)](
            const std::string& body) -> Result<http::Response> {
          const auto question =
              ReadKserveQuestion(body, request->headers.Find(kHeaderLength), *network, max_batch);
          if (!question) return tl::unexpected(question.error());
          const auto outputs = network->Predict(question->values, question->count, request->gone);
          if (!outputs) return tl::unexpected(outputs.error());
          auto answer = WriteKserveAnswer(*question, *outputs, network->card());
          auto response = http::JsonResponse(200, std::move(answer.body));
          if (answer.header_length) {
            response.content_type = "application/octet-stream";
            response.headers.Set(kHeaderLength, std::to_string(*answer.header_length));
          }
          return response;
        },
        &ErrorAnswer);
  }

 private:
  const std::shared_ptr<const ModelSet> models_;
  const std::shared_ptr<Predictor> predictor_;
};

}  // namespace

std::shared_ptr<const http::Router> KserveRoutes(std::shared_ptr<const ModelSet> models,
                                                 std::shared_ptr<Predictor> predictor,
                                                 const std::atomic<bool>& ready) {
  const auto max_body = predictor->limits().max_body;
  const auto routes = std::make_shared<const Routes>(models, std::move(predictor));
  auto router = std::make_shared<http::Router>(
      [](const Error& error, const http::Request&) { return ErrorAnswer(error); });
  const auto in_place = [&](const std::string& path, http::Handler handler) {
    router->Get(path, std::move(handler), http::Route::Runs::kInPlace);
  };
  in_place("/v2", [](const RequestPtr&, const Responder& responder) {
    responder.Send(http::JsonResponse(
        200, fmt::format(R"({{"name": "unmask", "version": "{}", "extensions": ["binary_tensor_data"]}})",
                         Version())));
  });
  in_place("/v2/health/live", [](const RequestPtr&, const Responder& responder) {
    responder.Send(http::JsonResponse(200, R"({"live": true})"));
  });
  in_place("/v2/health/ready", [&ready, models](const RequestPtr&, const Responder& responder) {
    if (!ready)
      return responder.Send(ErrorAnswer({ErrorCode::kOverloaded, "the server is shutting down", "", ""}));
    const auto loaded = models->Ready();
    responder.Send(loaded ? http::JsonResponse(200, R"({"ready": true})") : ErrorAnswer(loaded.error()));
  });
  using Answer = Result<http::Response> (Routes::*)(const http::Request&) const;
  const auto get = [&](const std::string& path, Answer answer) {
    in_place(path, [routes, answer](const RequestPtr& request, const Responder& responder) {
      auto response = ((*routes).*answer)(*request);
      responder.Send(response ? std::move(*response) : ErrorAnswer(response.error()));
    });
  };
  for (const std::string version : {"", "/versions/{version}"}) {
    const std::string path = "/v2/models/{name}" + version;
    get(path, &Routes::Metadata);
    get(path + "/ready", &Routes::Ready);
    router->Add(PredictRoute(path + "/infer", max_body,
                             [routes](const RequestPtr& request) { return routes->Infer(request); }));
  }
  return router;
}

}  // namespace unmask::serving
