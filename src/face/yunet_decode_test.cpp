// SPDX-License-Identifier: Apache-2.0
#include "face/yunet_decode.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr int kSide = 64;

/// Outputs of a network that sees nothing, in the order of the published file.
std::vector<Tensor> Silence() {
  std::vector<Tensor> outputs;
  for (const std::size_t channels : {1u, 1u, 4u, 10u})
    for (const int stride : {8, 16, 32}) {
      const auto cells = static_cast<std::size_t>((kSide / stride) * (kSide / stride));
      outputs.push_back(
          {.shape = {1, cells, channels}, .values = std::vector<float>(cells * channels, 0.0f)});
    }
  return outputs;
}

std::vector<Face> Decode(const std::vector<Tensor>& outputs, double min_score = 0.5) {
  const auto levels = SortOutputs(outputs, {kSide, kSide});
  EXPECT_TRUE(levels);
  return levels ? DecodeYuNet(*levels, {kSide, kSide}, min_score) : std::vector<Face>();
}

TEST(SortOutputs, FindsTheHeadsInAnyOrder) {
  auto outputs = Silence();
  std::reverse(outputs.begin(), outputs.end());
  const auto levels = SortOutputs(outputs, {kSide, kSide});
  ASSERT_TRUE(levels);
  EXPECT_THAT(*levels, SizeIs(3));
}

TEST(SortOutputs, RefusesWhatIsNotYuNet) {
  auto outputs = Silence();
  outputs.pop_back();
  EXPECT_EQ(SortOutputs(outputs, {kSide, kSide}).error().code, ErrorCode::kBadRequest);
  EXPECT_FALSE(SortOutputs({}, {kSide, kSide}));
  EXPECT_FALSE(SortOutputs(Silence(), {320, 320})) << "outputs of another size";
}

TEST(DecodeYuNet, DecodesOneCell) {
  auto outputs = Silence();
  const std::size_t cell = 1 * 4 + 2;  // row 1, column 2 at stride 16
  outputs[1].values[cell] = 0.9f;
  outputs[4].values[cell] = 0.4f;
  outputs[7].values[cell * 4] = 0.5f;
  outputs[7].values[cell * 4 + 2] = std::log(2.0f);
  outputs[7].values[cell * 4 + 3] = std::log(3.0f);
  for (std::size_t i = 0; i < 10; ++i) outputs[10].values[cell * 10 + i] = 0.125f * static_cast<float>(i);
  const auto faces = Decode(outputs);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_NEAR(faces[0].score, 0.6, 1e-6);
  EXPECT_NEAR(faces[0].box.x, 2.5 * 16 - 16, 1e-4);
  EXPECT_NEAR(faces[0].box.y, 16 - 24, 1e-4);
  EXPECT_NEAR(faces[0].box.width, 32, 1e-4);
  EXPECT_NEAR(faces[0].box.height, 48, 1e-4);
  EXPECT_NEAR(faces[0].landmarks->right_eye.x, 32, 1e-4);
  EXPECT_NEAR(faces[0].landmarks->left_eye.x, 36, 1e-4);
  EXPECT_NEAR(faces[0].landmarks->mouth.x, 32 + 16 * (0.75 + 1.0) / 2, 1e-4);
}

TEST(DecodeYuNet, KeepsTheStrongerOfTwoThatOverlap) {
  auto outputs = Silence();
  for (const std::size_t cell : {27u, 28u}) {
    outputs[0].values[cell] = outputs[3].values[cell] = cell == 27u ? 0.7f : 0.8f;
    outputs[6].values[cell * 4 + 2] = outputs[6].values[cell * 4 + 3] = std::log(4.0f);
  }
  const auto faces = Decode(outputs);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_NEAR(faces[0].score, 0.8, 1e-6);
}

TEST(DecodeYuNet, LeavesOutWhatIsWeakOrNotFinite) {
  auto outputs = Silence();
  EXPECT_THAT(Decode(outputs), IsEmpty());
  outputs[0].values[3] = outputs[3].values[3] = 1;
  outputs[6].values[3 * 4 + 2] = 1e9f;
  EXPECT_THAT(Decode(outputs), IsEmpty());
}

}  // namespace
}  // namespace unmask
