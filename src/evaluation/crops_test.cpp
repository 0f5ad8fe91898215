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

/// Says the same logit of every picture.
class ConstantNetwork final : public Network {
 public:
  explicit ConstantNetwork(float logit) : logit_(logit) {}
  Result<std::vector<Tensor>> Infer(const Tensor& input) override {
    return std::vector{Tensor{"logit", {input.shape[0]}, std::vector<float>(input.shape[0], logit_)}};
  }
  void Start(Tensor input, std::stop_token, Done done) override { done(Infer(input)); }
  std::size_t width() const override { return 1; }

 private:
  float logit_;
};

Report ReportOf(float logit, int side, bool stability) {
  ModelCard card;
  card.calibration.fitted = true;
  card.thresholds = {.manipulated = 0.9, .clear = 0.6};
  card.input = {.name = "image", .width = 32, .height = 32};
  card.output_name = "logit";
  const Scorer scorer(card, std::make_unique<ConstantNetwork>(logit));
  cv::Mat noise(side, side, CV_8UC3);
  cv::RNG(1).fill(noise, cv::RNG::UNIFORM, 0, 255);
  return AnalyzeCrop(noise, scorer, std::nullopt, stability).value();
}

TEST(AnalyzeCrop, GivesTheVerdictOfAStill) {
  EXPECT_EQ(ReportOf(4, 96, true).verdict, Verdict::kManipulated);
  EXPECT_EQ(ReportOf(-4, 96, true).verdict, Verdict::kNoManipulationFound);
  const Report between = ReportOf(1, 96, true);
  EXPECT_EQ(between.verdict, Verdict::kInconclusive);
  EXPECT_EQ(between.reasons, std::vector{Reason::kBetweenThresholds});
}

TEST(AnalyzeCrop, ChecksStabilityUnlessToldNotTo) {
  EXPECT_TRUE(ReportOf(4, 96, true).stability.checked);
  EXPECT_FALSE(ReportOf(4, 96, false).stability.checked);
}

TEST(AnalyzeCrop, IsInconclusiveForAPoorFaceButKeepsItsScore) {
  const Report report = ReportOf(4, 20, true);
  EXPECT_EQ(report.verdict, Verdict::kInconclusive);
  EXPECT_TRUE(report.score.has_value());
  EXPECT_FALSE(report.reasons.empty());
}

}  // namespace
}  // namespace unmask
