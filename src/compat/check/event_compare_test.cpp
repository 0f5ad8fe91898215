// SPDX-License-Identifier: Apache-2.0
#include "compat/check/event_compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

using Events = std::vector<CheckedEvent>;
using testing::ElementsAre;

const CheckedEvent kHello{"connection_established", R"([{"sid":"a","status":"connected"}])"};
const CheckedEvent kBatch{"prediction_progress", R"([{"stage":"batch_complete","total":39}])"};
const CheckedEvent kLoaded{"prediction_progress", R"([{"stage":"video_loaded","fps":25.0}])"};
const CheckedEvent kDone{"prediction_complete",
                         R"([{"prediction":"Real","confidence":0.75,"avg_score":0.75}])"};
const CheckedEvent kError{"prediction_error", R"([{"error":"Could not open video file"}])"};

std::vector<std::string> Lines(const Events& theirs, const Events& ours) {
  std::vector<std::string> lines;
  for (const auto& d : CompareEvents(theirs, ours))
    lines.push_back(std::string(DifferenceName(d.kind)) + " " + d.where + ": " + d.theirs + " | " + d.ours);
  return lines;
}

TEST(CompareEvents, FindsNothingInEqualSequences) {
  auto other = kHello;
  other.arguments = R"([{"sid":"b","status":"connected"}])";
  EXPECT_THAT(Lines({kHello, kLoaded, kBatch, kBatch, kDone}, {other, kLoaded, kBatch, kBatch, kDone}),
              ElementsAre());
}

TEST(CompareEvents, TellsOtherEventsAndAnotherOrder) {
  EXPECT_THAT(
      Lines({kHello, kLoaded, kBatch, kBatch, kBatch, kDone}, {kHello, kBatch, kLoaded, kDone}),
      ElementsAre("events : connection_established, prediction_progress/video_loaded, "
                  "prediction_progress/batch_complete x3, prediction_complete | connection_established, "
                  "prediction_progress/batch_complete, prediction_progress/video_loaded, "
                  "prediction_complete"));
}

TEST(CompareEvents, ComparesPayloadsOfTheSameStage) {
  auto batch = kBatch;
  batch.arguments = R"([{"stage":"batch_complete","total":39.0,"time_remaining":1.0}])";
  EXPECT_THAT(
      Lines({kLoaded, kBatch, kBatch}, {kLoaded, batch, batch}),
      ElementsAre("type prediction_progress/batch_complete.total: whole number (39) | number with a fraction "
                  "(39.0)",
                  "added prediction_progress/batch_complete.time_remaining:  | 1.0"));
}

TEST(CompareEvents, TellsWhenOneGivesNoVerdict) {
  EXPECT_THAT(Lines({kHello, kDone}, {kHello, kError}),
              ElementsAre("events : connection_established, prediction_complete | connection_established, "
                          "prediction_error",
                          "outcome : prediction_complete | prediction_error"));
}

TEST(CompareEvents, SurvivesWhatIsNoJson) {
  EXPECT_THAT(Lines({{"a", "["}}, {{"a", "[]"}}), testing::SizeIs(1));
  EXPECT_FALSE(ReadJudgement(Events{{"prediction_complete", "["}}));
  EXPECT_FALSE(ReadJudgement(Events{{"prediction_complete", "[]"}}));
}

TEST(ReadJudgement, IsOfTheLastResult) {
  const auto judgement = ReadJudgement(Events{kHello, kDone});
  ASSERT_TRUE(judgement);
  EXPECT_EQ(judgement->label, "Real");
  EXPECT_EQ(judgement->score, 0.75);
  EXPECT_FALSE(ReadJudgement(Events{kHello, kError}));
}

}  // namespace
}  // namespace unmask::compat
