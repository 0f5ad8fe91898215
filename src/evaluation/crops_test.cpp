// SPDX-License-Identifier: Apache-2.0
#include "evaluation/crops.hpp"

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include "face/crop.hpp"

namespace unmask {
namespace {

const CropRule kRule{.side_of = CropRule::SideOf::kGeometricMean, .scale = 0.97, .dx = 0, .dy = 0.066};

TEST(BoxOfCrop, LeavesTheMarginOnEachSide) {
  const Box loose = BoxOfCrop(190, 190, 0.45);
  EXPECT_NEAR(loose.x, 45, 1e-9);
  EXPECT_NEAR(loose.width, 100, 1e-9);
  const Box tight = BoxOfCrop(74, 148, -0.13);
  EXPECT_NEAR(tight.x, -13, 1e-9);
  EXPECT_NEAR(tight.width, 100, 1e-9);
  EXPECT_NEAR(tight.height, 200, 1e-9);
  EXPECT_EQ(BoxOfCrop(30, 40, std::nullopt), (Box{0, 0, 30, 40}));
}

TEST(RectOfCrop, IsTheServiceCropWhereThereIsRoom) {
  EXPECT_EQ(RectOfCrop(190, 190, 0.45, kRule), CropRect(BoxOfCrop(190, 190, 0.45), kRule));
}

TEST(RectOfCrop, NeverLeavesThePicture) {
  for (const double margin : {-0.4, -0.13, 0.0, 0.02, 0.1, 2.0})
    for (const cv::Size size : {cv::Size(224, 224), cv::Size(200, 300), cv::Size(300, 200), cv::Size(1, 1)}) {
      const cv::Rect rect = RectOfCrop(size.width, size.height, margin, kRule);
      EXPECT_EQ(rect & cv::Rect({0, 0}, size), rect) << margin << " " << size;
      EXPECT_EQ(rect.width, rect.height);
      EXPECT_GT(rect.width, 0);
    }
}

TEST(RectOfCrop, OfATightSquareIsAllOfIt) {
  EXPECT_EQ(RectOfCrop(224, 224, -0.13, kRule), cv::Rect(0, 0, 224, 224));
  EXPECT_EQ(RectOfCrop(224, 200, std::nullopt, kRule), cv::Rect(0, 0, 224, 200));
}

TEST(MeasureCrop, FindsSmallAndFlatFacesOfNoUse) {
  const FaceReport face = MeasureCrop(cv::Mat(20, 20, CV_8UC3, cv::Scalar(90, 90, 90)), std::nullopt);
  EXPECT_FALSE(face.used);
  EXPECT_FALSE(face.quality.codes.empty());
}

ModelCard Card() {
  ModelCard card;
  card.thresholds = {.manipulated = 0.9, .clear = 0.6};
  return card;
}

FaceReport FaceWith(double logit, bool used) {
  FaceReport face{.track = 1};
  face.logit = logit;
  face.score = 1 / (1 + std::exp(-logit));
  face.used = used;
  if (!used) face.quality.codes = {"small"};
  return face;
}

TEST(JudgeCrop, GivesTheVerdictOfAStill) {
  EXPECT_EQ(JudgeCrop(FaceWith(4, true), Card()).verdict, Verdict::kManipulated);
  EXPECT_EQ(JudgeCrop(FaceWith(-4, true), Card()).verdict, Verdict::kNoManipulationFound);
  const Report between = JudgeCrop(FaceWith(1, true), Card());
  EXPECT_EQ(between.verdict, Verdict::kInconclusive);
  EXPECT_EQ(between.reasons, std::vector{Reason::kBetweenThresholds});
}

TEST(JudgeCrop, IsInconclusiveForAPoorFaceButKeepsItsScore) {
  const Report report = JudgeCrop(FaceWith(4, false), Card());
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_TRUE(report.score.has_value());
  EXPECT_FALSE(report.reasons.empty());
}

}  // namespace
}  // namespace unmask
