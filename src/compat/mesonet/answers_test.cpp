// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "compat/test_context.hpp"

namespace unmask::compat {
namespace {

using nlohmann::ordered_json;
using testing::StartsWith;

class MesonetAnswers : public ContractTest {
 protected:
  ordered_json Body(const Report& report, const MesonetEnvelope& envelope, bool faithful = true) {
    return MesonetResult(Context(Contract::kMesonetApi, faithful),
                         {.id = "id-1", .started = 100, .finished = 102.5}, report, run_, envelope);
  }
  static std::vector<std::string> Keys(const ordered_json& object) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : object.items()) keys.push_back(key);
    return keys;
  }

  const MesonetRun run_{.total_frames = 75, .fps = 25, .duration = 3, .requested = 39};
};

TEST_F(MesonetAnswers, HaveTheOriginalsKeysInTheirOrder) {
  const auto body = Body(Frames({{0, 0.25F}, {1, 0.75F}}), {.filename = "a.mp4", .source = std::nullopt});
  EXPECT_EQ(Keys(body),
            (std::vector<std::string>{"filename", "prediction", "confidence", "num_faces_processed",
                                      "individual_scores", "avg_score", "processing_stats", "timestamp",
                                      "faces_detected", "processing_time", "frame_analysis", "unmask"}));
  EXPECT_EQ(Keys(Body(Frames({{0, 0.25F}}), {.filename = std::nullopt, .source = "single_upload"}))[6],
            "timestamp");
  EXPECT_THAT(body.dump(),
              StartsWith(R"({"filename":"a.mp4","prediction":"DeepFake","confidence":0.5,)"
                         R"("num_faces_processed":2,"individual_scores":[0.75,0.25],"avg_score":0.5,)"
                         R"("processing_stats":{"frames_processed":39,"faces_detected":2,)"
                         R"("processing_time":2.5,"video_duration":3.0,"total_frames":75,"fps":25.0,)"
                         R"("faces_per_second":0.8},"timestamp":)"));
  EXPECT_EQ(body["faces_detected"], 2);
  EXPECT_EQ(body["processing_time"], "2.5s");
  EXPECT_EQ(body["frame_analysis"].dump(), R"({"total_frames":39,"suspicious_frames":1})");
}

TEST_F(MesonetAnswers, AreRealAboveOneHalf) {
  const auto body = Body(Frames({{0, 0.25F}}), {});
  EXPECT_EQ(body["prediction"], "Real");
  EXPECT_EQ(body["confidence"], 0.75);
  settings_.mesonet_readme_labels = true;
  EXPECT_EQ(Body(Frames({{0, 0.25F}}), {})["prediction"], "real");
  EXPECT_EQ(Body(Frames({{0, 0.75F}}), {})["prediction"], "deepfake");
}

TEST_F(MesonetAnswers, OfTheNativeEngineHaveTheScoreOfTheVerdict) {
  const auto body = Body(Judged(Frames({{0, 0.25F}}), 0.75), {}, false);
  EXPECT_EQ(body["avg_score"], 0.25);
  EXPECT_EQ(body["prediction"], "DeepFake");
  EXPECT_EQ(body["individual_scores"][0], 0.75);
  EXPECT_EQ(body["unmask"]["verdict"], "manipulated");
}

TEST_F(MesonetAnswers, WithoutAFaceAreAnErrorObject) {
  const auto body = Body(Frames({}), {.filename = "a.mp4", .source = "x"});
  EXPECT_EQ(Keys(body), (std::vector<std::string>{"error", "processing_stats", "timestamp", "unmask"}));
  EXPECT_EQ(body["error"], "No faces detected in video");
  EXPECT_FALSE(body["processing_stats"].contains("faces_per_second"));
}

TEST_F(MesonetAnswers, SampleWhatTheOriginalSamples) {
  const auto run = std::make_shared<MesonetRun>();
  const auto options = MesonetOptions(run);
  ASSERT_EQ(options.mode, SampleMode::kPicked);
  const auto pick = options.pick({.kind = MediaKind::kVideo, .fps = 25, .frames = 300});
  ASSERT_TRUE(pick);
  EXPECT_EQ(pick->indices.size(), 39U);
  EXPECT_EQ(run->duration, 12);
  EXPECT_EQ(run->requested, 39);
  const auto none = options.pick({.kind = MediaKind::kVideo, .frames = 0});
  ASSERT_FALSE(none);
  EXPECT_EQ(MesonetErrorText(none.error()), "Video has no frames");
}

TEST_F(MesonetAnswers, CountNoDurationWithoutARate) {
  const auto run = std::make_shared<MesonetRun>();
  ASSERT_TRUE(MesonetOptions(run).pick({.kind = MediaKind::kImage}));
  EXPECT_EQ(run->duration, 0);
  EXPECT_EQ(run->total_frames, 1);
}

TEST_F(MesonetAnswers, OfBrokenVideosAre500OrStrictly400) {
  const Error broken{ErrorCode::kUndecodable, "no video stream", "", ""};
  auto answer = MesonetFault(Context(Contract::kMesonetApi), broken);
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body, R"({"detail":"Could not open video file",)"
                         R"("unmask":{"engine":"native","message":"no video stream"}})");
  settings_.strict = true;
  EXPECT_EQ(MesonetFault(Context(Contract::kMesonetApi), broken).status, 400);
  EXPECT_EQ(MesonetFault(Context(Contract::kMesonetApi), {ErrorCode::kInternal, "disk full", "", ""}).status,
            500);
  EXPECT_EQ(MesonetFault(Context(Contract::kMesonetApi), {ErrorCode::kOverloaded, "busy", "", ""}).status,
            503);
}

}  // namespace
}  // namespace unmask::compat
