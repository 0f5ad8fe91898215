// SPDX-License-Identifier: Apache-2.0
#include "compat/microservice/answers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Silent : public http::Timers {
  std::shared_ptr<void> After(double, std::function<void()>) override { return nullptr; }
};

/// Never works. Its card is that of another version than the one that judged, as while a canary is tried.
class Idle : public Analyzer {
 public:
  Idle() { card_.thresholds = {.manipulated = 0.99, .clear = 0.98}; }
  Result<Report> Analyze(const std::filesystem::path&, const std::string&, const AnalysisOptions&,
                         ProgressSink*, std::stop_token) override {
    return Fail(ErrorCode::kInternal, "");
  }
  const ModelCard& model() const override { return card_; }
  const SoftwareFacts& software() const override { return software_; }

 private:
  ModelCard card_;
  SoftwareFacts software_;
};

class MicroserviceAnswers : public testing::Test {
 protected:
  ContractContext Context(Contract contract, bool faithful = false) {
    ContractContext context{
        .contract = contract, .service = service_, .native = idle_, .timers = timers_, .ready = ready_};
    if (faithful) context.faithful = std::make_shared<Idle>();
    return context;
  }
  static Report Frames(std::vector<std::pair<std::int64_t, float>> scores) {
    Report report;
    report.verdict = Verdict::kInconclusive;
    report.reasons = {Reason::kFewFaces};
    report.model = {.name = "face", .version = 3};
    report.model.thresholds = {.manipulated = 0.5, .clear = 0.25};
    report.detector = "blazeface";
    for (const auto& [frame, score] : scores)
      report.faces.push_back({.track = 1, .frame = frame, .score = static_cast<double>(score)});
    return report;
  }

  Idle idle_;
  Silent timers_;
  std::atomic<bool> ready_ = true;
  AnalysisService service_{{}, idle_};
  const AnalysisRecord record_{.id = "id-1"};
};

TEST_F(MicroserviceAnswers, AreTheFirstVersionsByteForByte) {
  const auto context = Context(Contract::kMicroserviceV1, true);
  const auto image =
      MicroserviceAnswer(context, {.method = "MTCNN"}, record_, Frames({{0, 0.62636232f}}), {0});
  EXPECT_EQ(image.status, 200);
  EXPECT_EQ(image.content_type, "application/json");
  EXPECT_THAT(image.body,
              StartsWith(R"({"Predictions":[{"prediction":"Fake","probability":0.6263623237609863}],)"
                         R"("face_detection_method":"MTCNN","unmask":{)"));
  const auto video = MicroserviceAnswer(context, {.video = true, .method = "SSD", .num_frames = 2}, record_,
                                        Frames({{3, 0.1f}, {8, 0.5f}}), {8, 3});
  EXPECT_EQ(video.body,
            "[{\"prediction\":\"Real\",\"probability\":0.5},"
            "{\"prediction\":\"Real\",\"probability\":0.8999999761581421}]\n");
}

TEST_F(MicroserviceAnswers, AreTheSecondVersionsByteForByte) {
  const auto context = Context(Contract::kMicroserviceV2, true);
  const auto video = MicroserviceAnswer(context, {.video = true, .method = "MTCNN", .num_frames = 3}, record_,
                                        Frames({{5, 0.97650766f}}), {9, 5, 1});
  EXPECT_EQ(
      video.body,
      R"({"face_detection_method":"MTCNN","num_frames":3,)"
      R"("predictions":[{"prediction":"Fake","probability":0.9765076637268066}],)"
      R"("unmask":{"detector":"blazeface","engine":"faithful","model":"face:3","reasons":["few_faces"],)"
      R"("report_id":"id-1","score":null,"verdict":"inconclusive"}})"
      "\n");
}

TEST_F(MicroserviceAnswers, MapOurScoreToTheirThreshold) {
  auto context = Context(Contract::kMicroserviceV2);
  const auto at = [&](float score) {
    return MicroserviceAnswer(context, {.method = "MTCNN"}, record_, Frames({{0, score}}), {0}).body;
  };
  EXPECT_THAT(at(0.5f), HasSubstr(R"("prediction":"Fake")"));
  EXPECT_THAT(at(0.49f), HasSubstr(R"("prediction":"Real")"));
  EXPECT_THAT(at(0.25f), HasSubstr(R"("probability":0.75)"));
}

TEST_F(MicroserviceAnswers, SayThatThereIsNoFace) {
  const auto first = Context(Contract::kMicroserviceV1);
  const auto second = Context(Contract::kMicroserviceV2);
  EXPECT_THAT(
      MicroserviceAnswer(first, {.method = "SSD"}, record_, Frames({}), {0}).body,
      StartsWith(R"({"Predictions":[{"error":"No Face Detected"},[]],"face_detection_method":"SSD",)"));
  const MicroserviceRequest video{.video = true, .method = "x", .num_frames = 0};
  EXPECT_EQ(MicroserviceAnswer(first, video, record_, Frames({}), {}).body,
            "[{\"error\":\"No Faces Detected, Try Changing the num_frame\"},[]]\n");
  EXPECT_EQ(MicroserviceNoFace(second, video, "why").body,
            R"({"face_detection_method":"x","num_frames":0,)"
            R"("predictions":[{"error":"No Faces Detected, Try Changing the num_frame"},[]],)"
            R"("unmask":{"engine":"native","message":"why"}})"
            "\n");
}

TEST_F(MicroserviceAnswers, AreJsonForEveryFault) {
  const auto undecodable = MicroserviceFault({ErrorCode::kUndecodable, "broken", "", ""});
  EXPECT_EQ(undecodable.status, 500);
  EXPECT_EQ(undecodable.body, "{\"error\":\"broken\"}\n");
  EXPECT_EQ(MicroserviceFault({ErrorCode::kTooLarge, "", "", ""}).status, 413);
  const auto busy = MicroserviceFault({ErrorCode::kOverloaded, "", "", ""});
  EXPECT_EQ(busy.status, 503);
  EXPECT_NE(busy.headers.Find("Retry-After"), nullptr);
}

}  // namespace
}  // namespace unmask::compat
