// SPDX-License-Identifier: Apache-2.0
#include "compat/predict/answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "compat/test_context.hpp"

namespace unmask::compat {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;
using testing::StartsWith;

class PredictAnswers : public ContractTest {
 protected:
  PredictAnswers() { settings_.model_version = "7"; }

  http::Response Answer(const Report& report, bool faithful = false) {
    return PredictAnswer(Context(Contract::kPredictApi, faithful), {.id = "id-1"}, report,
                         {.source_fps = 25, .total_frames = 75, .step = 12}, 12.9);
  }
  http::Response Fault(ErrorCode code, const std::string& message) {
    return PredictFault(Context(Contract::kPredictApi), {code, message, "", ""});
  }
};

TEST_F(PredictAnswers, OfTheFaithfulEngineAreTheOriginalsByteForByte) {
  const auto answer = Answer(Frames({{0, 0.62636232F}, {0.48, 0.9F}}), true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body,
              StartsWith(R"({"score":0.7631811499595642,"label":"fake","frame_samples":[)"
                         R"({"t":0.0,"score":0.6263623237609863},{"t":0.48,"score":0.8999999761581421}],)"
                         R"("version":"7","latency_ms":12,"meta":{"src_fps":25.0,"total_frames":75,)"
                         R"("used_step":12,"face_frames":2,"face_detect_rate":1.0},"unmask":{)"));
}

TEST_F(PredictAnswers, CountNoFacesInTheFallback) {
  auto report = Frames({{0, 0.25F}, {0.04, 0.25F}});
  for (auto& frame : report.frames) frame.faces = 0;
  const auto meta = ordered_json::parse(Answer(report, true).body)["meta"];
  EXPECT_EQ(meta["face_frames"], 0);
  EXPECT_EQ(meta["face_detect_rate"], 0.0);
}

TEST_F(PredictAnswers, AreFakeFromTheThresholdOn) {
  settings_.threshold = 0.5;
  EXPECT_THAT(Answer(Frames({{0, 0.5F}}), true).body, HasSubstr(R"("label":"fake")"));
  settings_.threshold = 0.75;
  EXPECT_THAT(Answer(Frames({{0, 0.5F}}), true).body, HasSubstr(R"("label":"real")"));
}

TEST_F(PredictAnswers, OfTheNativeEngineHaveTheScoreOfTheVerdict) {
  const auto body = ordered_json::parse(Answer(Judged(Frames({{0, 0.25F}, {0.48, 0.25F}}), 0.75)).body);
  EXPECT_EQ(body["score"], 0.75);
  EXPECT_EQ(body["label"], "fake");
  EXPECT_EQ(body["frame_samples"][1]["score"], 0.25);
  EXPECT_EQ(body["unmask"]["verdict"], "manipulated");
  EXPECT_EQ(body["unmask"]["frames_analysed"], 10);
  EXPECT_EQ(body["unmask"]["face_detect_rate"], 0.2);
}

TEST_F(PredictAnswers, WithoutAFaceAre400) {
  const auto answer = Answer(Frames({}));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body,
              StartsWith(R"x({"detail":"No frames extracted (no faces and fallback failed)",)x"));
}

TEST_F(PredictAnswers, HideNothingButSayWhatTheOriginalSays) {
  for (const auto code :
       {ErrorCode::kUnsupportedMedia, ErrorCode::kUndecodable, ErrorCode::kDecoderCrashed}) {
    const auto answer = Fault(code, "audio only");
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.body,
              R"({"detail":"Failed to open video","unmask":{"engine":"native","message":"audio only"}})");
  }
  EXPECT_EQ(Fault(ErrorCode::kBadRequest, "cannot convert float NaN to integer").body,
            R"({"detail":"cannot convert float NaN to integer"})");
}

TEST_F(PredictAnswers, OfUpstreamFaultsAre400OrStrictly503) {
  EXPECT_EQ(Fault(ErrorCode::kInternal, "TF Serving error 500: x").status, 400);
  settings_.strict = true;
  EXPECT_EQ(Fault(ErrorCode::kInternal, "TF Serving error 500: x").status, 503);
  EXPECT_EQ(Fault(ErrorCode::kUndecodable, "broken").status, 400);
}

TEST_F(PredictAnswers, AskToTryAgainWhenBusy) {
  const auto answer = Fault(ErrorCode::kOverloaded, "64 analyses wait already");
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.headers.Find("Retry-After"), nullptr);
  EXPECT_EQ(Fault(ErrorCode::kTooLarge, "too large").status, 413);
}

TEST_F(PredictAnswers, StateABuiltInModelAsTensorFlowServingDoes) {
  ModelCard model;
  model.version = 3;
  EXPECT_EQ(EmbeddedModelStatus(model).dump(),
            R"({"model_version_status":[{"version":"3","state":"AVAILABLE",)"
            R"("status":{"error_code":"OK","error_message":""}}]})");
}

}  // namespace
}  // namespace unmask::compat
