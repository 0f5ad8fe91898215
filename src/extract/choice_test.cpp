// SPDX-License-Identifier: Apache-2.0
#include "extract/choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

FaceQuality Sharp(double sharpness, std::vector<std::string> codes = {}) {
  return {.sharpness = sharpness, .codes = std::move(codes)};
}

std::vector<std::size_t> Choose(const std::vector<FaceQuality>& track, std::size_t count) {
  std::vector<const FaceQuality*> pointers;
  for (const FaceQuality& quality : track) pointers.push_back(&quality);
  return ChooseSpread(pointers, count);
}

TEST(ChooseSpread, TakesAllWhenThereAreNoMore) {
  const std::vector<FaceQuality> track(3, Sharp(0.5));
  EXPECT_THAT(Choose(track, 3), ElementsAre(0, 1, 2));
  EXPECT_THAT(Choose(track, 10), ElementsAre(0, 1, 2));
  EXPECT_THAT(Choose({}, 2), IsEmpty());
}

TEST(ChooseSpread, SpreadsOverTheTrack) {
  const std::vector<FaceQuality> track(10, Sharp(0.5));
  EXPECT_THAT(Choose(track, 1), ElementsAre(0));
  EXPECT_THAT(Choose(track, 3), ElementsAre(0, 3, 6)) << "the earliest of each stretch when all are equal";
}

TEST(ChooseSpread, TakesTheSharpestOfEachStretch) {
  EXPECT_THAT(Choose({Sharp(0.1), Sharp(0.9), Sharp(0.2), Sharp(0.3), Sharp(0.2), Sharp(0.8)}, 2),
              ElementsAre(1, 5));
}

TEST(ChooseSpread, PrefersFacesWithoutCodesToSharpOnes) {
  EXPECT_THAT(Choose({Sharp(0.9, {"small"}), Sharp(0.2), Sharp(1.0, {"dark", "small"})}, 1), ElementsAre(1));
  EXPECT_THAT(Choose({Sharp(0.1, {"small"}), Sharp(0.2, {"dark", "small"})}, 1), ElementsAre(0));
}

}  // namespace
}  // namespace unmask
