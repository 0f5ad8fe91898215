// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/orient.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "media/decoder/convert.hpp"

namespace unmask::decoder {
namespace {

// A picture of 3 x 2 pixels numbered 1 2 3 / 4 5 6, turned; the numbers of the result row by row.
std::vector<int> Turned(Orientation orientation) {
  std::vector<std::uint8_t> from(2 * 10, 0);
  for (int y = 0; y < 2; ++y)
    for (int x = 0; x < 3; ++x)
      for (int c = 0; c < 3; ++c)
        from[static_cast<std::size_t>(y * 10 + x * 3 + c)] = static_cast<std::uint8_t>(y * 3 + x + 1);
  const int width = SwapsSides(orientation) ? 2 : 3;
  const int height = SwapsSides(orientation) ? 3 : 2;
  std::vector<std::uint8_t> to(static_cast<std::size_t>(height) * 12, 0);
  TurnUpright({from.data(), 3, 2, 10}, orientation, {to.data(), width, height, 12});
  std::vector<int> numbers;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) numbers.push_back(to[static_cast<std::size_t>(y * 12 + x * 3 + 1)]);
  return numbers;
}

TEST(Orientation, EachExifNumberTurnsAsTheStandardDraws) {
  EXPECT_EQ(Turned(Orientation::kUpright), (std::vector{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(Turned(Orientation::kMirrored), (std::vector{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(Turned(Orientation::kUpsideDown), (std::vector{6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(Turned(Orientation::kFlipped), (std::vector{4, 5, 6, 1, 2, 3}));
  EXPECT_EQ(Turned(Orientation::kTransposed), (std::vector{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(Turned(Orientation::kTurnRight), (std::vector{4, 1, 5, 2, 6, 3}));
  EXPECT_EQ(Turned(Orientation::kTransversed), (std::vector{6, 3, 5, 2, 4, 1}));
  EXPECT_EQ(Turned(Orientation::kTurnLeft), (std::vector{3, 6, 2, 5, 1, 4}));
}

TEST(Orientation, NumbersThatDoNotExistAreUpright) {
  EXPECT_EQ(FromExif(0), Orientation::kUpright);
  EXPECT_EQ(FromExif(9), Orientation::kUpright);
  EXPECT_EQ(FromExif(6), Orientation::kTurnRight);
}

TEST(Orientation, DisplayMatricesBecomeRightAngles) {
  EXPECT_EQ(FromDisplayMatrix(nullptr), Orientation::kUpright);
  std::int32_t matrix[9] = {};
  for (const auto& [degrees, expected] : {std::pair(0.0, Orientation::kUpright),
                                          {-90.0, Orientation::kTurnRight},
                                          {90.0, Orientation::kTurnLeft},
                                          {180.0, Orientation::kUpsideDown},
                                          {-88.0, Orientation::kTurnRight}}) {
    // libavutil: the angle by which the matrix turns counterclockwise, given clockwise to the setter.
    av_display_rotation_set(matrix, -degrees);
    EXPECT_EQ(FromDisplayMatrix(matrix), expected) << degrees;
  }
  av_display_rotation_set(matrix, 0);
  av_display_matrix_flip(matrix, 1, 0);
  EXPECT_EQ(FromDisplayMatrix(matrix), Orientation::kMirrored);
  av_display_rotation_set(matrix, 0);
  av_display_matrix_flip(matrix, 0, 1);
  EXPECT_EQ(FromDisplayMatrix(matrix), Orientation::kFlipped);
}

TEST(SquarePixels, EnlargesTheSideThatIsTooShort) {
  EXPECT_EQ(SquarePixels({720, 576}, {16, 11}), (Size{1047, 576}));
  EXPECT_EQ(SquarePixels({720, 576}, {1, 2}), (Size{720, 1152}));
  EXPECT_EQ(SquarePixels({720, 576}, {1, 1}), (Size{720, 576}));
}

TEST(SquarePixels, IgnoresAspectRatiosThatCannotBe) {
  for (const AVRational aspect : {AVRational{0, 1}, {1, 0}, {-1, 1}, {1000000, 1}, {1, 1000000}})
    EXPECT_EQ(SquarePixels({720, 576}, aspect), (Size{720, 576}));
}

}  // namespace
}  // namespace unmask::decoder
