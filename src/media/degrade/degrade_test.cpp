// SPDX-License-Identifier: Apache-2.0
#include "media/degrade/degrade.hpp"

#include <set>

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace unmask {
namespace {

using Kind = Degradation::Kind;

cv::Mat Portrait() {
  return cv::imread(std::string(UNMASK_SOURCE_DIR) + "/third_party/test_media/astronaut.png");
}

double MeanDifference(const cv::Mat& a, const cv::Mat& b) {
  return cv::norm(a, b, cv::NORM_L1) / static_cast<double>(a.total() * 3);
}

cv::Mat Degraded(const cv::Mat& picture, Kind kind, double amount, std::uint64_t seed = 0) {
  auto result = Degrade(picture, {kind, amount}, seed);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return result ? *result : cv::Mat();
}

TEST(Degrade, StandardDegradationsHaveDistinctCodesAndAllWork) {
  const cv::Mat portrait = Portrait();
  std::set<std::string> codes;
  for (const Degradation& degradation : StandardDegradations()) {
    EXPECT_TRUE(codes.insert(CodeOf(degradation)).second) << CodeOf(degradation);
    EXPECT_FALSE(DescribeDegradation(degradation).empty());
    const auto result = Degrade(portrait, degradation);
    ASSERT_TRUE(result) << CodeOf(degradation) << ": " << result.error().message;
    EXPECT_EQ(result->type(), CV_8UC3);
  }
  EXPECT_TRUE(codes.contains("jpeg_40") && codes.contains("scale_0.5") && codes.contains("h264_crf_32"));
}

TEST(Degrade, RepeatsBitForBit) {
  const cv::Mat portrait = Portrait();
  for (const Degradation& degradation : StandardDegradations()) {
    const auto first = Degrade(portrait, degradation, 7);
    const auto second = Degrade(portrait, degradation, 7);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(cv::norm(*first, *second, cv::NORM_INF), 0) << CodeOf(degradation);
  }
}

TEST(Degrade, LeavesTheGivenPictureAlone) {
  const cv::Mat portrait = Portrait();
  const cv::Mat before = portrait.clone();
  for (const Degradation& degradation : StandardDegradations()) (void)Degrade(portrait, degradation);
  EXPECT_EQ(cv::norm(portrait, before, cv::NORM_INF), 0);
}

TEST(Degrade, LowerJpegQualityLosesMore) {
  const cv::Mat portrait = Portrait();
  const double at_90 = MeanDifference(portrait, Degraded(portrait, Kind::kJpeg, 90));
  const double at_20 = MeanDifference(portrait, Degraded(portrait, Kind::kJpeg, 20));
  EXPECT_GT(at_90, 0);
  EXPECT_GT(at_20, 2 * at_90);
}

TEST(Degrade, JpegGivesThePixelsThatTrainingsOpenCvGives) {
  const cv::Mat portrait = Portrait();
  for (const int quality : {90, 60, 40, 20}) {
    std::vector<unsigned char> bytes;
    cv::imencode(".jpg", portrait, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
    const cv::Mat expected = cv::imdecode(bytes, cv::IMREAD_COLOR);
    EXPECT_EQ(cv::norm(Degraded(portrait, Kind::kJpeg, quality), expected, cv::NORM_INF), 0) << quality;
  }
}

TEST(Degrade, HigherCrfLosesMore) {
  const cv::Mat portrait = Portrait();
  const double at_23 = MeanDifference(portrait, Degraded(portrait, Kind::kH264, 23));
  const double at_40 = MeanDifference(portrait, Degraded(portrait, Kind::kH264, 40));
  EXPECT_GT(at_23, 0);
  EXPECT_LT(at_23, 4);
  EXPECT_GT(at_40, 1.5 * at_23);
}

TEST(Degrade, H264KeepsOddSizesAndColours) {
  const cv::Mat red(37, 51, CV_8UC3, cv::Scalar(20, 30, 200));
  const cv::Mat result = Degraded(red, Kind::kH264, 20);
  ASSERT_EQ(result.size(), red.size());
  EXPECT_LT(MeanDifference(red, result), 4);
}

TEST(Degrade, H264TakesAPictureOfOnePixel) {
  EXPECT_EQ(Degraded(cv::Mat(1, 1, CV_8UC3, cv::Scalar(9, 9, 9)), Kind::kH264, 32).size(), cv::Size(1, 1));
}

TEST(Degrade, TakesAViewIntoALargerPicture) {
  const cv::Mat portrait = Portrait();
  const cv::Rect part(31, 17, 101, 77);
  for (const Degradation& degradation : StandardDegradations()) {
    const auto view = Degrade(portrait(part), degradation, 1);
    const auto copy = Degrade(portrait(part).clone(), degradation, 1);
    ASSERT_TRUE(view && copy);
    EXPECT_EQ(cv::norm(*view, *copy, cv::NORM_INF), 0) << CodeOf(degradation);
  }
}

TEST(Degrade, ScalesBothSides) {
  EXPECT_EQ(Degraded(Portrait(), Kind::kScale, 0.25).size(), cv::Size(128, 128));
  EXPECT_EQ(Degraded(cv::Mat(1, 3, CV_8UC3, cv::Scalar()), Kind::kScale, 0.25).size(), cv::Size(1, 1));
}

TEST(Degrade, NoiseHasTheSigmaAskedForAndDependsOnTheSeed) {
  const cv::Mat grey(256, 256, CV_8UC3, cv::Scalar(128, 128, 128));
  const cv::Mat noisy = Degraded(grey, Kind::kNoise, 10, 3);
  cv::Scalar mean, spread;
  cv::meanStdDev(noisy, mean, spread);
  EXPECT_NEAR(mean[0], 128, 0.3);
  EXPECT_NEAR(spread[1], 10, 0.3);
  EXPECT_GT(cv::norm(noisy, Degraded(grey, Kind::kNoise, 10, 4), cv::NORM_INF), 0);
}

TEST(Degrade, RefusesWhatIsNoPicture) {
  for (const cv::Mat& wrong : {cv::Mat(), cv::Mat(4, 4, CV_8UC1), cv::Mat(4, 4, CV_16UC3)})
    for (const Degradation& degradation : StandardDegradations()) {
      const auto result = Degrade(wrong, degradation);
      ASSERT_FALSE(result) << CodeOf(degradation);
      EXPECT_EQ(result.error().code, ErrorCode::kBadRequest);
    }
}

}  // namespace
}  // namespace unmask
