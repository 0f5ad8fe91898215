// SPDX-License-Identifier: Apache-2.0
#include "face/finder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "face/detectors.hpp"
#include "face/geometry.hpp"
#include "face/test_media.hpp"

namespace unmask {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Face FaceAt(double x, double y, double size = 50, double score = 0.9) {
  return {.box = {x, y, size, size}, .score = score};
}

/// A world of faces: a quick look sees the large ones, a thorough look or one nearby sees all.
class World final : public FaceDetector {
 public:
  std::vector<Face> Detect(const cv::Mat&, Effort effort) override {
    calls += effort == Effort::kThorough ? 'T' : 'q';
    std::vector<Face> seen;
    for (const Face& face : faces)
      if (effort == Effort::kThorough || face.box.width >= 100) seen.push_back(face);
    return seen;
  }
  std::optional<Face> DetectNear(const cv::Mat&, const Box& expected) override {
    calls += 'n';
    for (const Face& face : faces)
      if (Iou(face.box, expected) > 0.1) return face;
    return std::nullopt;
  }
  std::string name() const override { return "world"; }

  std::vector<Face> faces;
  std::string calls;
};

class FaceFinderTest : public testing::Test {
 protected:
  std::vector<Face> Step(double time) {
    auto faces = finder_.Find(time, frame_, tracker_);
    ids_ = tracker_.Update(time, faces);
    return faces;
  }

  World world_;
  cv::Mat frame_;
  Tracker tracker_{{}};
  FaceFinder finder_{world_};
  std::vector<int> ids_;
};

TEST_F(FaceFinderTest, LooksThoroughlyFirstAndThenMoreAndMoreSeldom) {
  std::vector<double> thorough;
  for (int i = 0; i <= 130; ++i) {
    world_.calls.clear();
    Step(0.5 * i);
    if (world_.calls == "T") thorough.push_back(0.5 * i);
  }
  EXPECT_THAT(thorough, ElementsAre(0, 4, 12, 28, 44, 60));
}

TEST_F(FaceFinderTest, LooksMoreOftenAgainAfterItFoundANewSmallFace) {
  for (int i = 0; i <= 24; ++i) Step(0.5 * i);
  world_.faces = {FaceAt(100, 100)};
  world_.calls.clear();
  for (int i = 56; i <= 65; ++i) Step(0.5 * i);
  EXPECT_EQ(world_.calls, "TqnqnqnqnqnqnqnTqn");
}

TEST_F(FaceFinderTest, LooksThoroughlyAtEachFrameOfAThinSample) {
  for (int i = 0; i < 4; ++i) Step(20.0 * i);
  EXPECT_EQ(world_.calls, "TTTT");
}

TEST_F(FaceFinderTest, CostsOneLookForALargeFace) {
  world_.faces = {FaceAt(100, 100, 200)};
  for (int i = 0; i < 4; ++i) EXPECT_THAT(Step(0.5 * i), SizeIs(1));
  EXPECT_EQ(world_.calls, "Tqqq");
}

TEST_F(FaceFinderTest, FollowsASmallFaceByLookingNearIt) {
  for (int i = 0; i < 7; ++i) {
    world_.faces = {FaceAt(100 + 10 * i, 100)};
    EXPECT_THAT(Step(0.5 * i), SizeIs(1)) << i;
    EXPECT_THAT(ids_, ElementsAre(1)) << i;
  }
  EXPECT_EQ(world_.calls, "Tqnqnqnqnqnqn");
}

TEST_F(FaceFinderTest, LooksOnlyNearASmallFaceEverySecondFrame) {
  frame_ = cv::Mat(360, 640, CV_8UC3);
  for (int i = 0; i < 7; ++i) {
    world_.faces = {FaceAt(100 + 10 * i, 100)};
    EXPECT_THAT(Step(0.5 * i), SizeIs(1)) << i;
    EXPECT_THAT(ids_, ElementsAre(1)) << i;
  }
  EXPECT_EQ(world_.calls, "Tnqnnqnnqn");
}

TEST_F(FaceFinderTest, LooksAtTheWholeFrameAtOnceWhenASmallFaceIsNotWhereItWas) {
  frame_ = cv::Mat(360, 640, CV_8UC3);
  world_.faces = {FaceAt(100, 100)};
  Step(0);
  world_.faces = {FaceAt(400, 100, 200)};
  EXPECT_THAT(Step(0.5), SizeIs(1));
  EXPECT_EQ(world_.calls, "Tnq");
}

TEST_F(FaceFinderTest, FindsALargeFaceThatComesBesideASmallOneWithinASecond) {
  frame_ = cv::Mat(360, 640, CV_8UC3);
  world_.faces = {FaceAt(100, 100)};
  Step(0);
  world_.faces.push_back(FaceAt(400, 100, 200));
  EXPECT_THAT(Step(0.5), SizeIs(1));
  const auto faces = Step(1.0);
  ASSERT_THAT(faces, SizeIs(1));
  EXPECT_EQ(faces[0].box.width, 200);
  EXPECT_THAT(Step(1.5), SizeIs(2));
}

TEST_F(FaceFinderTest, SearchesForAFaceThatItLost) {
  world_.faces = {FaceAt(100, 100)};
  for (int i = 0; i < 4; ++i) Step(0.5 * i);
  world_.faces = {FaceAt(700, 400)};
  EXPECT_THAT(Step(2.0), SizeIs(1));
  EXPECT_EQ(world_.calls, "TqnqnqnqnT");
}

TEST_F(FaceFinderTest, SearchesALittleLaterForAFaceLostRightAfterAThoroughLook) {
  world_.faces = {FaceAt(100, 100)};
  Step(0);
  world_.faces = {FaceAt(700, 400)};
  for (int i = 1; i <= 3; ++i) EXPECT_THAT(Step(0.5 * i), IsEmpty());
  EXPECT_THAT(Step(2.0), SizeIs(1));
}

TEST_F(FaceFinderTest, DoesNotSearchForAFaceThatCameBack) {
  world_.faces = {FaceAt(100, 100, 200)};
  Step(0);
  world_.faces.clear();
  Step(0.5);
  world_.faces = {FaceAt(100, 100, 200)};
  for (int i = 2; i <= 6; ++i) EXPECT_THAT(Step(0.5 * i), SizeIs(1));
  EXPECT_EQ(world_.calls, "Tqnqqqqq");
}

TEST_F(FaceFinderTest, DoesNotSearchAgainForAFaceThatStaysAway) {
  world_.faces = {FaceAt(100, 100, 200)};
  for (int i = 0; i < 4; ++i) Step(0.5 * i);
  world_.faces.clear();
  for (int i = 4; i < 8; ++i) EXPECT_THAT(Step(0.5 * i), IsEmpty());
  EXPECT_EQ(world_.calls, "TqqqqnTqnqq") << "one search and one more look nearby";
}

TEST_F(FaceFinderTest, DoesNotSearchWhenACutShowsAsManyFacesElsewhere) {
  world_.faces = {FaceAt(100, 100, 200)};
  for (int i = 0; i < 5; ++i) Step(0.5 * i);
  world_.faces = {FaceAt(700, 100, 200)};
  EXPECT_THAT(Step(2.5), SizeIs(1));
  EXPECT_THAT(ids_, ElementsAre(2));
  EXPECT_EQ(world_.calls, "Tqqqqq");
}

TEST_F(FaceFinderTest, FollowsASmallFaceAlthoughALargeOneComesIn) {
  world_.faces = {FaceAt(100, 100)};
  Step(0);
  world_.faces.push_back(FaceAt(600, 100, 200));
  Step(0.5);
  EXPECT_THAT(Step(1.0), SizeIs(2));
  EXPECT_THAT(ids_, testing::UnorderedElementsAre(1, 2));
}

TEST_F(FaceFinderTest, DoesNotSearchForAFaceThatMovedButIsSeen) {
  for (int i = 0; i < 4; ++i) {
    world_.faces = {FaceAt(100 + 75 * (i % 2), 100, 200)};
    Step(0.5 * i);
  }
  EXPECT_EQ(world_.calls, "Tqqq");
}

TEST_F(FaceFinderTest, SearchesAtMostOnceAnInterval) {
  for (int i = 0; i < 12; ++i) {
    world_.faces = {FaceAt(i % 2 == 0 ? 100 : 700, 100, 200)};
    Step(0.25 * i);
  }
  EXPECT_LE(std::count(world_.calls.begin(), world_.calls.end(), 'T'), 4);
}

TEST_F(FaceFinderTest, FollowsABoundedNumberOfFaces) {
  for (int i = 0; i < 30; ++i) world_.faces.push_back(FaceAt(60 * i, 100));
  Step(0);
  Step(0.5);
  EXPECT_EQ(std::count(world_.calls.begin(), world_.calls.end(), 'n'), 8);
}

TEST_F(FaceFinderTest, DoesNotReportAFaceTwice) {
  world_.faces = {FaceAt(100, 100), FaceAt(115, 100)};
  Step(0);
  world_.faces = {FaceAt(108, 100)};
  EXPECT_THAT(Step(0.5), SizeIs(1));
}

TEST_F(FaceFinderTest, GivesTheStrongestFirst) {
  world_.faces = {FaceAt(100, 100, 50, 0.95), FaceAt(600, 100, 200, 0.6)};
  Step(0);
  const auto faces = Step(0.5);
  ASSERT_THAT(faces, SizeIs(2));
  EXPECT_DOUBLE_EQ(faces[0].score, 0.95);
}

TEST(FaceFinder, FollowsASmallRealFaceThroughAClip) {
  const auto detector = MakeBlazeFace({.folder = kDetectors, .threads = 1}).value();
  FaceFinder finder(*detector);
  Tracker tracker({});
  for (int i = 0; i < 6; ++i) {
    Box face;
    const cv::Mat frame = FaceInAPicture({1920, 1080}, 70, {600 + 25 * i, 500 + 8 * i}, &face);
    const auto faces = finder.Find(0.5 * i, frame, tracker);
    ASSERT_THAT(faces, SizeIs(1)) << i;
    EXPECT_GT(Iou(faces[0].box, face), 0.6) << i;
    EXPECT_THAT(tracker.Update(0.5 * i, faces), ElementsAre(1)) << i;
  }
}

}  // namespace
}  // namespace unmask
