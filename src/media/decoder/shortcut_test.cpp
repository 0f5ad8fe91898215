// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/shortcut.hpp"

#include <string>

#include <gtest/gtest.h>

namespace unmask::decoder {
namespace {

using Step = Shortcut::Step;

// A key packet every 10 ticks, shown 2 ticks after it is decoded.
Shortcut EveryTen() { return Shortcut({{0, 2}, {10, 12}, {20, 22}, {30, 32}}); }

// Feeds the packets with these numbers, shown two ticks later; d for decoded, s for skipped, j for a jump.
std::string Steps(Shortcut& shortcut, int from, int to, std::int64_t sample) {
  std::string steps;
  for (int at = from; at < to; ++at) {
    const Step step = shortcut.Next(at + 2, at % 10 == 0, sample);
    steps += step == Step::kDecode ? 'd' : step == Step::kSkip ? 's' : 'j';
  }
  return steps;
}

TEST(Shortcut, DecodesAllWhileTheSampleIsNear) {
  Shortcut shortcut = EveryTen();
  EXPECT_EQ(Steps(shortcut, 0, 10, 5), "dddddddddd");
  EXPECT_EQ(Steps(shortcut, 10, 13, 11), "ddd") << "the next key is shown after the sample";
}

TEST(Shortcut, JumpsToTheLastKeyBeforeTheSample) {
  Shortcut shortcut = EveryTen();
  EXPECT_EQ(Steps(shortcut, 0, 2, 0), "dd");
  EXPECT_EQ(Steps(shortcut, 2, 23, 25), "ssssssssssssssssssjdd");
}

TEST(Shortcut, AKeyThatIsTheSampleItselfIsEnough) {
  Shortcut shortcut = EveryTen();
  EXPECT_EQ(Steps(shortcut, 0, 12, 12), "ssssssssssjd");
}

TEST(Shortcut, LeavesOutFramesThatAreShownBeforeTheKeyItJumpedTo) {
  Shortcut shortcut = EveryTen();
  EXPECT_EQ(Steps(shortcut, 0, 11, 12), "ssssssssssj");
  EXPECT_EQ(shortcut.Next(9, false, 12), Step::kSkip);
  EXPECT_EQ(shortcut.Next(14, false, 12), Step::kDecode);
}

TEST(Shortcut, StopsJumpingWhenAKeyPacketGaveNoFrame) {
  Shortcut shortcut = EveryTen();
  EXPECT_EQ(Steps(shortcut, 0, 12, 12), "ssssssssssjd");
  shortcut.CameOut(19);
  EXPECT_EQ(Steps(shortcut, 12, 25, 32), "ddddddddddddd");
}

TEST(Shortcut, GoesOnJumpingWhenKeysKeepTheirPromise) {
  Shortcut shortcut = EveryTen();
  EXPECT_EQ(Steps(shortcut, 0, 11, 12), "ssssssssssj");
  shortcut.CameOut(12);
  shortcut.CameOut(14);
  EXPECT_EQ(Steps(shortcut, 11, 21, 22), "sssssssssj");
}

TEST(Shortcut, WithoutKeysOrASampleTimeItDecodesAll) {
  Shortcut none({});
  EXPECT_EQ(none.Next(5, false, 1000), Step::kDecode);
  Shortcut shortcut = EveryTen();
  EXPECT_EQ(shortcut.Next(5, false, {}), Step::kDecode);
}

TEST(Shortcut, AKeyThatIsNoneAnyMoreEndsTheJumping) {
  Shortcut shortcut = EveryTen();
  EXPECT_EQ(Steps(shortcut, 0, 10, 15), "ssssssssss");
  EXPECT_EQ(shortcut.Next(12, false, 15), Step::kJump);
  EXPECT_EQ(Steps(shortcut, 11, 15, 1000), "dddd");
}

}  // namespace
}  // namespace unmask::decoder
