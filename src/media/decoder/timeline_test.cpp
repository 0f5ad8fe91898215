// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/timeline.hpp"

#include <gtest/gtest.h>

namespace unmask::decoder {
namespace {

constexpr double kTick = 0.01;
constexpr double kStep = 0.04;

TEST(Timeline, StartsAtZeroWhateverTheStreamsFirstTime) {
  Timeline timeline(Timeline::Clock::kPresentation, kTick, kStep);
  timeline.AddPacket(500);
  timeline.AddPacket(504);
  EXPECT_EQ(timeline.PlaceFrame(500).time, 0);
  EXPECT_NEAR(timeline.PlaceFrame(504).time, 0.04, 1e-12);
}

TEST(Timeline, IndexCountsFramesThatTheCodecSkipped) {
  Timeline timeline(Timeline::Clock::kPresentation, kTick, kStep);
  // Decoding order of I P B B P B B; the B frames never come out.
  for (const int time : {0, 12, 4, 8, 24, 16, 20}) timeline.AddPacket(time);
  EXPECT_EQ(timeline.PlaceFrame(0).index, 0);
  EXPECT_EQ(timeline.PlaceFrame(12).index, 3);
  EXPECT_EQ(timeline.PlaceFrame(24).index, 6);
}

TEST(Timeline, AFrameWithoutATimeFollowsTheLastOne) {
  Timeline timeline(Timeline::Clock::kPresentation, kTick, kStep);
  timeline.AddPacket(0);
  EXPECT_EQ(timeline.PlaceFrame(0).time, 0);
  const auto place = timeline.PlaceFrame({});
  EXPECT_NEAR(place.time, kStep, 1e-12);
  EXPECT_EQ(place.index, 1);
}

TEST(Timeline, TimeAndIndexRiseEvenWhenTheStreamsClockJumpsBack) {
  Timeline timeline(Timeline::Clock::kPresentation, kTick, kStep);
  Timeline::Place last{-1, -1};
  for (const int time : {0, 4, 8, 0, 4, 8, -100, 12, 400, 12}) {
    timeline.AddPacket(time);
    const auto place = timeline.PlaceFrame(time);
    EXPECT_GT(place.time, last.time);
    EXPECT_GT(place.index, last.index);
    last = place;
  }
}

TEST(Timeline, WithoutAnyTimesItCounts) {
  Timeline timeline(Timeline::Clock::kPresentation, kTick, kStep);
  for (int i = 0; i < 3; ++i) {
    timeline.AddPacket({});
    const auto place = timeline.PlaceFrame({});
    EXPECT_NEAR(place.time, i * kStep, 1e-12);
  }
}

TEST(Timeline, WithDecodingTimesAloneFramesTakeThemInOrder) {
  Timeline timeline(Timeline::Clock::kDecoding, kTick, kStep);
  for (const int time : {0, 4, 8, 12, 16}) timeline.AddPacket(time);
  for (int i = 0; i < 5; ++i) {
    const auto place = timeline.PlaceFrame({});
    EXPECT_NEAR(place.time, i * 0.04, 1e-12);
    EXPECT_EQ(place.index, i);
  }
}

TEST(Timeline, WithDecodingTimesAlonePacketsThatAreLeftOutStillCount) {
  Timeline timeline(Timeline::Clock::kDecoding, kTick, kStep);
  for (int i = 0; i < 10; ++i) timeline.AddPacket(i * 4, i % 5 == 0);
  EXPECT_EQ(timeline.PlaceFrame({}).index, 0);
  const auto place = timeline.PlaceFrame({});
  EXPECT_EQ(place.index, 5);
  EXPECT_NEAR(place.time, 0.2, 1e-12);
}

TEST(Timeline, AStreamThatShowsNothingDoesNotFillTheMemory) {
  Timeline timeline(Timeline::Clock::kPresentation, kTick, kStep);
  for (int i = 0; i < 1'000'000; ++i) timeline.AddPacket(i);
  EXPECT_EQ(timeline.PlaceFrame(1'000'000).index, 1'000'000);
}

}  // namespace
}  // namespace unmask::decoder
