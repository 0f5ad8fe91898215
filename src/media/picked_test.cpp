// SPDX-License-Identifier: Apache-2.0
//
// Frames picked by index through the real unmask-decoder, compared with a full decode by the ffmpeg program.

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/test_clips.hpp"

namespace unmask {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kBFrames = "-c:v libx264 -g 20 -bf 3 -preset veryfast";

SamplePlan Picking(FramePick pick, int max_frames = 4096) {
  return {.mode = SampleMode::kPicked,
          .max_frames = max_frames,
          .pick = [pick = std::move(pick)](const MediaInfo&) -> Result<FramePick> { return pick; }};
}

class PickedTest : public MediaTest {
 protected:
  // The frames' numbers; checks that each is bit for bit the one that a full decode gives at that place.
  std::vector<std::int64_t> Picked(const std::filesystem::path& path, FramePick pick, int max_frames = 4096) {
    decoded_ = Decode(path, Picking(std::move(pick), max_frames));
    const auto reference = Reference(path, decoded_.info.width, decoded_.info.height);
    std::vector<std::int64_t> indices;
    for (const Frame& frame : decoded_.frames) {
      indices.push_back(frame.index);
      if (static_cast<std::size_t>(frame.index) >= reference.size()) {
        ADD_FAILURE() << path.filename() << " has no frame " << frame.index;
        continue;
      }
      EXPECT_TRUE(Same(frame.bgr, reference[static_cast<std::size_t>(frame.index)]))
          << path.filename() << " frame " << frame.index << " at " << frame.time;
      EXPECT_NEAR(frame.time, static_cast<double>(frame.index) / 25, 0.002);
    }
    return indices;
  }

  Error ErrorOfPick(FramePick pick) {
    auto stream = Open(Clip("h264.mp4", kBFrames), Picking(std::move(pick)));
    return stream ? Error{.message = "opened"} : stream.error();
  }

  Decoded decoded_;
};

TEST_F(PickedTest, EveryStepthFrameIsExactWithBFrames) {
  EXPECT_THAT(Picked(Clip("h264.mp4", kBFrames), {.step = 12}), ElementsAre(0, 12, 24, 36, 48));
  EXPECT_THAT(Picked(Clip("h264.mkv", kBFrames), {.step = 49}), ElementsAre(0, 49));
  EXPECT_EQ(Picked(Clip("h264.mp4", kBFrames), {.step = 1}).size(), 50u);
}

TEST_F(PickedTest, ListedFramesAreExactInEveryCodec) {
  const std::vector<std::int64_t> list = {1, 2, 7, 19, 20, 21, 33, 48, 49};
  const auto expect = [&](const std::filesystem::path& path) {
    EXPECT_EQ(Picked(path, {.indices = list}), list) << path.filename();
  };
  expect(Clip("h264.mp4", kBFrames));
  expect(Clip("h264.mkv", kBFrames));
  expect(Clip("h264.avi", kBFrames));
  expect(Clip("hevc.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=3"));
  expect(Clip("vp8.webm", "-c:v libvpx -deadline good -cpu-used 5 -auto-alt-ref 1 -lag-in-frames 10"));
  expect(Clip("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"));
  expect(Clip("av1-2.mp4", "-c:v libsvtav1 -preset 12"));
  expect(Clip("mpeg4.avi", "-c:v mpeg4 -q:v 4 -bf 2"));
  expect(Clip("mjpeg.avi", "-c:v mjpeg -q:v 4"));
}

TEST_F(PickedTest, OneFrameCostsOnlyTheWayFromItsKeyFrame) {
  const auto path = Clip("long-picked.mp4", kBFrames, 10, "64x48");
  EXPECT_THAT(Picked(path, {.indices = {244}}), ElementsAre(244));
  EXPECT_LT(decoded_.summary.frames_decoded, 30);
  EXPECT_THAT(Picked(path, {.indices = {3}}), ElementsAre(3));
  EXPECT_LT(decoded_.summary.frames_decoded, 15) << "decoded on after the last one";
  EXPECT_EQ(decoded_.summary.used_fps, 0);
}

TEST_F(PickedTest, FramesBeyondTheEndAreLeftOut) {
  EXPECT_THAT(Picked(Clip("h264.mp4", kBFrames), {.indices = {10, 49, 50, 4'000'000'000}}),
              ElementsAre(10, 49));
  EXPECT_THAT(Picked(Clip("h264.mp4", kBFrames), {.indices = {50}}), ElementsAre());
}

TEST_F(PickedTest, NothingPickedGivesNothing) {
  EXPECT_THAT(Picked(Clip("h264.mp4", kBFrames), {}), ElementsAre());
  EXPECT_EQ(decoded_.info.frames, 50);
  EXPECT_FALSE(decoded_.summary.truncated);
}

TEST_F(PickedTest, MaxFramesBoundsTheCount) {
  EXPECT_THAT(Picked(Clip("h264.mp4", kBFrames), {.step = 5}, 3), ElementsAre(0, 5, 10));
  EXPECT_THAT(Picked(Clip("h264.mp4", kBFrames), {.indices = {1, 2, 3}}, 2), ElementsAre(1, 2));
}

TEST_F(PickedTest, AsManyAsAreAllowedCrossTheWire) {
  FramePick pick;
  for (std::size_t i = 0; i < FramePick::kMaxIndices; ++i)
    pick.indices.push_back(static_cast<std::int64_t>(2 * i));
  EXPECT_EQ(Picked(Clip("h264.mp4", kBFrames), pick).size(), 25u);
}

TEST_F(PickedTest, FramesThatCannotBeDecodedAreLeftOut) {
  std::string bytes = BytesOf(Clip("mjpeg.mov", "-c:v mjpeg -q:v 4"));
  const auto next_picture = [&](std::size_t from) { return bytes.find("\xFF\xD8\xFF", from); };
  std::size_t at = next_picture(0);
  for (int frame = 0; frame < 7; ++frame) at = next_picture(at + 1);
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
            bytes.begin() + static_cast<std::ptrdiff_t>(next_picture(at + 1)), '\0');
  const Decoded decoded = Decode(Write("hole.mov", bytes), Picking({.indices = {6, 7, 8}}));
  ASSERT_EQ(decoded.frames.size(), 2u);
  EXPECT_EQ(decoded.frames[0].index, 6);
  EXPECT_EQ(decoded.frames[1].index, 8);
}

TEST_F(PickedTest, AStillIsFrameZero) {
  const auto path = Make("still.png", "-i IN -vf scale=64:48 OUT");
  EXPECT_EQ(Decode(path, Picking({.step = 9})).frames.size(), 1u);
  EXPECT_EQ(Decode(path, Picking({.indices = {0, 1}})).frames.size(), 1u);
  EXPECT_EQ(Decode(path, Picking({.indices = {1}})).frames.size(), 0u);
  EXPECT_EQ(Decode(path, Picking({})).frames.size(), 0u);
}

TEST_F(PickedTest, ThePickIsAskedForOnceAndKnowsTheMedia) {
  int asked = 0;
  MediaInfo seen;
  SamplePlan plan{.mode = SampleMode::kPicked, .pick = [&](const MediaInfo& info) -> Result<FramePick> {
                    ++asked;
                    seen = info;
                    return FramePick{.indices = {*info.frames - 1}};
                  }};
  const Decoded decoded = Decode(Clip("h264.mp4", kBFrames), plan);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(seen.kind, MediaKind::kVideo);
  EXPECT_EQ(seen.width, 160);
  EXPECT_NEAR(seen.fps.value_or(0), 25, 0.01);
  ASSERT_EQ(decoded.frames.size(), 1u);
  EXPECT_EQ(decoded.frames[0].index, 49);
}

TEST_F(PickedTest, AnErrorOfThePickEndsIt) {
  SamplePlan plan{.mode = SampleMode::kPicked, .pick = [](const MediaInfo&) -> Result<FramePick> {
                    return Fail(ErrorCode::kUndecodable, "has too few frames");
                  }};
  auto stream = Open(Clip("h264.mp4", kBFrames), plan);
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().code, ErrorCode::kUndecodable);
  EXPECT_EQ(stream.error().message, "has too few frames");
}

TEST_F(PickedTest, PicksOutOfRangeAreRefused) {
  EXPECT_THAT(ErrorOfPick({.step = -1}).message, HasSubstr("step"));
  EXPECT_THAT(ErrorOfPick({.step = FramePick::kMaxIndex + 1}).message, HasSubstr("step"));
  EXPECT_THAT(ErrorOfPick({.indices = {5, 4}}).message, HasSubstr("frame 4 is picked after frame 5"));
  EXPECT_THAT(ErrorOfPick({.indices = {4, 4}}).message, HasSubstr("rising"));
  EXPECT_THAT(ErrorOfPick({.indices = {-1, 4}}).message, HasSubstr("-1"));
  EXPECT_THAT(ErrorOfPick({.indices = {FramePick::kMaxIndex + 1}}).message, HasSubstr("4294967296"));
  EXPECT_THAT(ErrorOfPick({.indices = std::vector<std::int64_t>(FramePick::kMaxIndices + 1)}).message,
              HasSubstr("4097 frames"));
  EXPECT_EQ(ErrorOfPick({.step = -1}).code, ErrorCode::kBadRequest);
}

TEST_F(PickedTest, AModeWithoutItsFunctionIsRefused) {
  const auto path = Clip("h264.mp4", kBFrames);
  EXPECT_EQ(Open(path, {.mode = SampleMode::kPicked}).error().code, ErrorCode::kBadRequest);
  SamplePlan plan = Picking({});
  plan.mode = SampleMode::kFps;
  EXPECT_EQ(Open(path, plan).error().code, ErrorCode::kBadRequest);
}

TEST_F(PickedTest, AStillMayStayAsItIsStored) {
  const auto path = Make("turned.jpg", "-i IN -vf scale=64:48 OUT");
  std::string bytes = BytesOf(path);
  const std::string exif(
      "\xFF\xE1\0\x22"
      "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
      36);
  bytes.insert(2, exif);
  const auto turned = Write("exif.jpg", bytes);
  EXPECT_EQ(Decode(turned).info.height, 64);
  const Decoded stored = Decode(turned, {.turn = false});
  EXPECT_EQ(stored.info.width, 64);
  EXPECT_EQ(stored.info.height, 48);
  EXPECT_TRUE(Same(stored.frames.at(0).bgr, Decode(path).frames.at(0).bgr));
}

}  // namespace
}  // namespace unmask
