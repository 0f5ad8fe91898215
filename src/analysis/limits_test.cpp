// SPDX-License-Identifier: Apache-2.0
#include "analysis/limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ModelCard CardWith(std::vector<ModelLimit> limits) {
  ModelCard card;
  card.limits = std::move(limits);
  card.input = {.width = 160, .height = 160};
  return card;
}

Report ReportOf(MediaKind kind, Verdict verdict, double size = 300) {
  Report report;
  report.media.kind = kind;
  report.verdict = verdict;
  report.score = 0.2;
  report.tracks.resize(1);
  report.tracks[0].id = 1;
  report.tracks[0].verdict = verdict;
  report.tracks[0].score = 0.2;
  report.faces.resize(1);
  report.faces[0].track = 1;
  report.faces[0].used = true;
  report.faces[0].quality.size = size;
  return report;
}

TEST(LimitsOf, QuotesThoseWhoseSituationsAllHold) {
  const ModelCard card = CardWith({{"always", {}},
                                   {"lips", {"video", "not_manipulated"}},
                                   {"synthesis", {"not_manipulated"}},
                                   {"accused", {"manipulated"}},
                                   {"readers", {"card"}},
                                   {"map", {"heat_map"}}});
  EXPECT_THAT(LimitsOf(ReportOf(MediaKind::kVideo, Verdict::kNoManipulationFound), card),
              ElementsAre("always", "lips", "synthesis"));
  EXPECT_THAT(LimitsOf(ReportOf(MediaKind::kVideo, Verdict::kInconclusive), card),
              ElementsAre("always", "lips", "synthesis"));
  EXPECT_THAT(LimitsOf(ReportOf(MediaKind::kImage, Verdict::kInconclusive), card),
              ElementsAre("always", "synthesis"));
  Report mapped = ReportOf(MediaKind::kVideo, Verdict::kManipulated);
  mapped.tracks[0].best.heat = std::make_shared<HeatMap>();
  EXPECT_THAT(LimitsOf(mapped, card), ElementsAre("always", "accused", "map"));
}

TEST(LimitsOf, SaysThatAStillIsOneLook) {
  const auto limits = LimitsOf(ReportOf(MediaKind::kImage, Verdict::kManipulated), CardWith({}));
  EXPECT_THAT(limits, ElementsAre(HasSubstr("one look")));
}

TEST(LimitsOf, SaysThatAFaceIsSmallerThanTheModelsInput) {
  const ModelCard card = CardWith({});
  EXPECT_THAT(LimitsOf(ReportOf(MediaKind::kVideo, Verdict::kNoManipulationFound, 90), card),
              ElementsAre(AllOf(HasSubstr("90 pixels"), HasSubstr("160"))));
  EXPECT_THAT(LimitsOf(ReportOf(MediaKind::kVideo, Verdict::kNoManipulationFound, 160), card), IsEmpty());
}

TEST(LimitsOf, GivesNoneWithoutAFace) {
  Report report = ReportOf(MediaKind::kImage, Verdict::kInconclusive);
  report.tracks.clear();
  EXPECT_THAT(LimitsOf(report, CardWith({{"always", {}}})), IsEmpty());
}

TEST(LimitsOf, QuotesALimitOfANewerCardRatherThanHidingIt) {
  EXPECT_THAT(LimitsOf(ReportOf(MediaKind::kVideo, Verdict::kManipulated), CardWith({{"new", {"at_night"}}})),
              Contains("new"));
}

}  // namespace
}  // namespace unmask
