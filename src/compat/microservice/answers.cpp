// SPDX-License-Identifier: Apache-2.0
#include "compat/microservice/answers.hpp"

#include <map>

#include <nlohmann/json.hpp>

#include "compat/main_faces.hpp"
#include "compat/python.hpp"
#include "compat/score_mapping.hpp"
#include "http/problem.hpp"

namespace unmask::compat {
namespace {

using nlohmann::ordered_json;

constexpr const char* kNoFace = "No Face Detected";
constexpr const char* kNoFaces = "No Faces Detected, Try Changing the num_frame";

ordered_json Prediction(float fake) {
  const bool is_fake = IsFake(fake, kMicroserviceRule);
  ordered_json item;
  item["prediction"] = is_fake ? "Fake" : "Real";
  item["probability"] = Widen(is_fake ? fake : 1.0f - fake);
  return item;
}

/// [{"error": ...}, []], as the originals have it.
ordered_json NothingFound(bool video) {
  ordered_json list = ordered_json::array();
  list.push_back({{"error", video ? kNoFaces : kNoFace}});
  list.push_back(ordered_json::array());
  return list;
}

http::Response Answer(const ContractContext& context, const MicroserviceRequest& request,
                      ordered_json predictions, ordered_json facts) {
  const bool first = context.contract == Contract::kMicroserviceV1;
  if (first && request.video) return http::JsonResponse(200, FlaskJson(predictions));
  ordered_json body;
  body["face_detection_method"] = request.method;
  if (request.video) body["num_frames"] = request.num_frames;
  body[first ? "Predictions" : "predictions"] = std::move(predictions);
  body["unmask"] = std::move(facts);
  return http::JsonResponse(200, FlaskJson(body));
}

}  // namespace

http::Response MicroserviceAnswer(const ContractContext& context, const MicroserviceRequest& request,
                                  const AnalysisRecord& record, const Report& report,
                                  const std::vector<std::int64_t>& order) {
  const double manipulated = report.model.thresholds.manipulated;
  std::map<std::int64_t, float> by_frame;
  for (const FaceReport* face : MainFaces(report))
    by_frame[face->frame] = context.faithful ? InServiceDirection(*face->score, kMicroserviceRule)
                                             : ToServiceScore(*face->score, manipulated, kMicroserviceRule);

  ordered_json predictions = ordered_json::array();
  for (const auto index : order)
    if (const auto found = by_frame.find(index); found != by_frame.end())
      predictions.push_back(Prediction(found->second));
  if (predictions.empty()) predictions = NothingFound(request.video);
  return Answer(context, request, std::move(predictions), UnmaskFacts(context, record, report));
}

http::Response MicroserviceNoFace(const ContractContext& context, const MicroserviceRequest& request,
                                  const std::string& why) {
  return Answer(context, request, NothingFound(request.video), UnmaskNote(context, why));
}

http::Response MicroserviceError(int status, const std::string& message) {
  return http::JsonResponse(status, FlaskJson({{"error", message}}));
}

http::Response MicroserviceFault(const Error& error) {
  if (error.code == ErrorCode::kOverloaded) {
    auto response = MicroserviceError(503, error.message);
    response.headers.Set("Retry-After", std::to_string(http::kRetryAfterSeconds));
    return response;
  }
  if (error.code == ErrorCode::kTooLarge) return MicroserviceError(413, error.message);
  return MicroserviceError(500, error.message);
}

}  // namespace unmask::compat
