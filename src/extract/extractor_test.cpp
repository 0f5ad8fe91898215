// SPDX-License-Identifier: Apache-2.0
#include "extract/extractor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "face/crop.hpp"
#include "media/test_clips.hpp"

namespace unmask {
namespace {

using testing::SizeIs;

/// Finds what it was told, in every picture.
class FixedDetector final : public FaceDetector {
 public:
  std::vector<Face> Detect(const cv::Mat&, Effort) override { return faces; }
  std::optional<Face> DetectNear(const cv::Mat&, const Box& expected) override {
    for (const Face& face : faces)
      if (face.box == expected) return face;
    return std::nullopt;
  }
  std::string name() const override { return "fixed"; }

  std::vector<Face> faces = {{.box = {181.3, 54.8, 92.5, 124.5}, .score = 0.9, .landmarks = {}}};
};

class ExtractorTest : public MediaTest {
 protected:
  Result<CutSource> Extract(const std::filesystem::path& path, const CutOptions& options,
                            std::stop_token stop = {}) {
    const FaceExtractor extractor(*pool_, detector_, options, folder_);
    auto file = OpenForReading(path);
    if (!file) return tl::unexpected(file.error());
    return extractor.Extract(std::move(*file), nullptr, stop);
  }

  /// Of the portrait.
  CutSource Cut(const CutOptions& options) { return Extract(Portrait(), options).value(); }

  static cv::Mat Decoded(const CutSource& source, std::size_t index = 0) {
    const std::string bytes = source.Picture(source.faces.at(index)).value();
    return cv::imdecode(std::vector<char>(bytes.begin(), bytes.end()), cv::IMREAD_COLOR);
  }

  FixedDetector detector_;
  const CropRule rule_{.side_of = CropRule::SideOf::kGeometricMean, .scale = 0.97, .dx = 0, .dy = 0.066};
};

CutOptions Exact(const CropRule& rule) {
  CutOptions options;
  options.crop = rule;
  options.size = 0;
  options.format = CropFormat::kPng;
  return options;
}

TEST_F(ExtractorTest, CutsThePixelsThatAScorerSees) {
  const CutSource source = Cut(Exact(rule_));
  ASSERT_THAT(source.faces, SizeIs(1));
  const cv::Mat portrait = cv::imread(Portrait().string());
  const cv::Rect rect = CropRect(detector_.faces[0].box, rule_);
  EXPECT_EQ(source.faces[0].crop, rect);
  EXPECT_EQ(source.faces[0].side, rect.width);
  EXPECT_TRUE(Same(Decoded(source), CropPixels(portrait, rect)));
}

TEST_F(ExtractorTest, RepeatsTheEdgeBeyondThePicture) {
  detector_.faces[0].box = {-40, 400, 150, 150};
  const CutSource source = Cut(Exact(rule_));
  const cv::Mat portrait = cv::imread(Portrait().string());
  EXPECT_LT(source.faces[0].crop.x, 0);
  EXPECT_TRUE(Same(Decoded(source), CropPixels(portrait, source.faces[0].crop)));
}

TEST_F(ExtractorTest, MarginReachesBeyondTheBoxOnEachSide) {
  detector_.faces[0].box = {200, 100, 100, 100};
  const CutSource source = Cut(Exact(MarginRule(0.25)));
  EXPECT_EQ(source.faces[0].crop, cv::Rect(175, 75, 150, 150));
}

TEST_F(ExtractorTest, ReducesLargeCropsByAreaAndLeavesSmallOnes) {
  CutOptions options = Exact(rule_);
  options.size = 64;
  const CutSource source = Cut(options);
  EXPECT_EQ(source.faces[0].side, 64);
  cv::Mat expected;
  cv::resize(CropPixels(cv::imread(Portrait().string()), source.faces[0].crop), expected, {64, 64}, 0, 0,
             cv::INTER_AREA);
  EXPECT_TRUE(Same(Decoded(source), expected));
  options.size = 224;
  EXPECT_EQ(Cut(options).faces[0].side, source.faces[0].crop.width);
}

TEST_F(ExtractorTest, EnlargesWhenAsked) {
  CutOptions options = Exact(rule_);
  options.size = 224;
  options.enlarge = true;
  const CutSource source = Cut(options);
  EXPECT_EQ(source.faces[0].side, 224);
  EXPECT_EQ(Decoded(source).size(), cv::Size(224, 224));
}

TEST_F(ExtractorTest, JpegHasTheQualityThatWasAskedFor) {
  CutOptions options;
  options.crop = rule_;
  const CutSource fine = Cut(options);
  options.quality = 20;
  const CutSource coarse = Cut(options);
  EXPECT_GT(fine.faces[0].bytes, 2 * coarse.faces[0].bytes);
  EXPECT_LT(MeanDifference(Decoded(fine), Decoded(Cut(Exact(rule_)))), 3);
}

TEST_F(ExtractorTest, LeavesOutSmallFacesAndUnwantedOnes) {
  CutOptions options;
  options.min_size = 92;
  EXPECT_THAT(Cut(options).faces, SizeIs(1));
  options.min_size = 93;
  const CutSource none = Cut(options);
  EXPECT_THAT(none.faces, SizeIs(0));
  EXPECT_EQ(none.faces_found, 1);
  options.min_size = 0;
  detector_.faces[0].box = {200, 80, 30, 40};  // "small"
  options.skip_codes = {"dark"};
  EXPECT_THAT(Cut(options).faces, SizeIs(1));
  options.skip_codes = {"dark", "small"};
  EXPECT_THAT(Cut(options).faces, SizeIs(0));
}

TEST_F(ExtractorTest, TakesSomeOfEachTrackInOrderOfTime) {
  detector_.faces = {{.box = {10, 10, 50, 60}, .score = 0.9, .landmarks = {}},
                     {.box = {90, 10, 50, 60}, .score = 0.8, .landmarks = {}}};
  CutOptions options;
  options.sampling.fps = 5;
  const auto clip = Clip("tracks.mp4", "-c:v libx264");
  const auto all = Extract(clip, options).value();
  EXPECT_GT(all.faces.size(), 10U);
  EXPECT_EQ(all.summary.frames_sampled * 2, all.faces_found);
  options.max_per_track = 2;
  const auto some = Extract(clip, options).value();
  ASSERT_THAT(some.faces, SizeIs(4));
  EXPECT_EQ(std::count_if(some.faces.begin(), some.faces.end(), [](const auto& f) { return f.track == 1; }),
            2);
  EXPECT_TRUE(std::is_sorted(some.faces.begin(), some.faces.end(),
                             [](const auto& a, const auto& b) { return a.time < b.time; }));
  EXPECT_FALSE(Decoded(some, 3).empty());
}

TEST_F(ExtractorTest, GivesTheSameBytesEveryTime) {
  const auto clip = Clip("again.mp4", "-c:v libx264");
  const auto one = Extract(clip, {}).value();
  const auto two = Extract(clip, {}).value();
  ASSERT_EQ(one.faces.size(), two.faces.size());
  for (std::size_t i = 0; i < one.faces.size(); ++i)
    EXPECT_EQ(one.Picture(one.faces[i]).value(), two.Picture(two.faces[i]).value());
}

TEST_F(ExtractorTest, FailsAsTheDecoderDoes) {
  EXPECT_EQ(Extract(Write("text.mp4", "no video"), {}).error().code, ErrorCode::kUnsupportedMedia);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(Extract(Portrait(), {}, stop.get_token()).error().code, ErrorCode::kCancelled);
}

TEST_F(ExtractorTest, SaysThatAWaitingPictureIsGone) {
  CutSource source = Cut({});
  source.faces[0].offset += 1'000'000;
  EXPECT_EQ(source.Picture(source.faces[0]).error().code, ErrorCode::kInternal);
}

TEST(CropFormat, HasAnExtension) {
  EXPECT_EQ(ExtensionOf(CropFormat::kJpeg), "jpg");
  EXPECT_EQ(ExtensionOf(CropFormat::kPng), "png");
}

}  // namespace
}  // namespace unmask
