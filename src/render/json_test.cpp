// SPDX-License-Identifier: Apache-2.0
#include "render/json.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "render/example_report.hpp"
#include "render/json_value.hpp"

namespace unmask {
namespace {

using Json = nlohmann::ordered_json;

TEST(Json, IsTheNativeInterfacesExampleToTheLetter) {
  EXPECT_EQ(
      ToJson(ExampleReport(), {.faces = true}),
      R"({"schema":"unmask.report/1",)"
      R"("media":{"name":"clip.mp4","sha256":"abcd","bytes":1234567,"kind":"video","container":"mp4","codec":"h264",)"
      R"("width":1280,"height":720,"duration":12.4,"fps":29.97,"frames":371},)"
      R"("verdict":"manipulated","score":0.981,"logit":3.94,"reasons":[],)"
      R"("thresholds":{"manipulated":0.92,"clear":0.35,"fpr_at_manipulated":0.01,"fpr_at_clear":0.1},)"
      R"("tracks":[{"id":1,"verdict":"manipulated","score":0.981,"logit":3.94,"reasons":[],"start":0.0,"end":12.0,)"
      R"("faces":25,"segments":[{"start":2.0,"end":9.5,"peak_time":4.5,"peak_score":0.997}],)"
      R"("best":{"frame":135,"time":4.5,"box":[412,96,210,210],"heat":null}}],)"
      R"("faces":[{"track":1,"frame":0,"time":0.0,"box":[410,95,208,208],"score":0.91,"logit":2.3,)"
      R"("detector_score":0.94,"quality":{"size":208,"sharpness":0.7,"brightness":0.5,"yaw":4.0,"pitch":-2.0,"roll":3.0,"drawing":0.01,)"
      R"("codes":[]},"used":true}],)"
      R"("limits":["It does not find lip-synced clips."],)"
      R"("stability":{"checked":true,"variants":4,"flips":0,"spread":0.04},)"
      R"("sampling":{"mode":"fps","fps":2.0,"frames_decoded":371,"frames_analysed":25,"faces_found":25,)"
      R"("decode_errors":0},)"
      R"("model":{"name":"face","version":1,"label":"stable","sha256":"ef01","calibrated":true},)"
      R"("software":{"unmask":"0.1.0","libavcodec":"59.37.100","openvino":"2026.4.1"},)"
      R"("options":{"fps":2.0,"max_frames":256,"mode":"fps","stability":true},)"
      R"("timing_ms":{"total":812,"decode":540,"find":120,"score":95,"stability":0}})");
}

TEST(Json, StatesEachMemberOfAnEnsembleWhereverItJudged) {
  const Json value = ToJsonValue(ExampleOfAnEnsemble(), {.faces = true});
  EXPECT_EQ(value["model"]["members"].dump(),
            R"([{"name":"face","version":1,"sha256":"aa","calibrated":true},)"
            R"({"name":"mine","version":7,"sha256":"","calibrated":false}])");
  const std::string said =
      R"([{"model":"face:1","score":0.91,"logit":2.3},{"model":"mine:7","score":0.99,"logit":5.5}])";
  EXPECT_EQ(value["members"].dump(), said);
  EXPECT_EQ(value["tracks"][0]["members"].dump(), said);
  EXPECT_EQ(value["faces"][0]["members"].dump(), said);
  EXPECT_FALSE(ToJsonValue(ExampleReport())["model"].contains("members"));
}

TEST(Json, LeavesFacesOutUnlessAsked) {
  EXPECT_FALSE(Json::parse(ToJson(ExampleReport())).contains("faces"));
  EXPECT_EQ(Json::parse(ToJson(ExampleReport(), {.faces = true}))["faces"].size(), 1U);
}

TEST(Json, SaysNullForWhatIsAbsent) {
  Report report = ExampleStill();
  report.score.reset();
  report.logit.reset();
  const Json value = ToJsonValue(report);
  for (const char* key : {"score", "logit"}) EXPECT_TRUE(value.at(key).is_null()) << key;
  for (const char* key : {"duration", "fps", "frames"})
    EXPECT_TRUE(value.at("media").at(key).is_null()) << key;
}

TEST(Json, NamesEveryReason) {
  Report report = ExampleReport();
  report.reasons = {Reason::kNoFace, Reason::kBetweenThresholds};
  EXPECT_EQ(ToJsonValue(report)["reasons"], Json({"no_face", "between_thresholds"}));
}

TEST(Json, RoundsSoThatNoiseDoesNotShow) {
  Report report = ExampleReport();
  report.score = 0.1 + 0.2;
  report.tracks[0].start = 1.0 / 3;
  report.tracks[0].end = -0.0000001;
  report.tracks[0].best.box = {10.4, 10.6, 99.5, -3.2};
  const std::string text = ToJson(report);
  EXPECT_NE(text.find(R"("score":0.3,)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("start":0.333,"end":0.0,)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("box":[10,11,100,-3])"), std::string::npos) << text;
}

TEST(Json, SaysNullForNumbersThatAreNone) {
  Report report = ExampleReport();
  report.score = std::numeric_limits<double>::quiet_NaN();
  report.timing_ms.total = std::numeric_limits<double>::infinity();
  const Json value = Json::parse(ToJson(report));
  EXPECT_TRUE(value["score"].is_null());
  EXPECT_TRUE(value["timing_ms"]["total"].is_null());
}

TEST(Json, StaysValidWithNamesThatAreNoText) {
  Report report = ExampleReport();
  report.media.name = "a\xff\"\n\x1b[31m</script>.mp4";
  const Json value = Json::parse(ToJson(report));
  EXPECT_EQ(value["media"]["name"], "a\xef\xbf\xbd\"\n\x1b[31m</script>.mp4");
}

TEST(Json, IndentsOnRequest) {
  EXPECT_EQ(ToJson(ExampleReport()).find('\n'), std::string::npos);
  EXPECT_TRUE(ToJson(ExampleReport(), {.indent = 2}).starts_with("{\n  \"schema\""));
}

TEST(Json, TellsWhyAFileFailed) {
  const Outcome outcome{"x.mkv",
                        Fail(ErrorCode::kLimitExceeded, "too many pixels", "scale it down", "max_pixels")};
  EXPECT_EQ(ToJson(outcome),
            R"({"media":{"name":"x.mkv"},"error":{"code":"limit_exceeded","message":"too many pixels",)"
            R"("hint":"scale it down","limit":"max_pixels"}})");
  EXPECT_EQ(PrintJson(ToJsonValue(Error{ErrorCode::kInternal, "no", "", ""})),
            R"({"code":"internal","message":"no"})");
}

TEST(Json, OfAnOutcomeWithReportIsTheReport) {
  EXPECT_EQ(ToJson(Outcome{"clip.mp4", ExampleReport()}), ToJson(ExampleReport()));
}

TEST(Json, ListsFacesAlone) {
  EXPECT_EQ(FacesToJsonValue(ExampleReport()), ToJsonValue(ExampleReport(), {.faces = true})["faces"]);
}

}  // namespace
}  // namespace unmask
