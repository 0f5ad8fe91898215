// SPDX-License-Identifier: Apache-2.0
//
// Videos through the real unmask-decoder, compared with what the ffmpeg program makes of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/test_clips.hpp"

namespace unmask {
namespace {

class VideoTest : public MediaTest {
 protected:
  // Every sampled frame is bit for bit the one that a full decode gives at its index.
  void ExpectExact(const std::filesystem::path& path, const SamplePlan& plan = {.fps = 7}) {
    const Decoded decoded = Decode(path, plan);
    const auto reference = Reference(path, decoded.info.width, decoded.info.height);
    ASSERT_FALSE(decoded.frames.empty());
    for (const Frame& frame : decoded.frames) {
      ASSERT_LT(static_cast<std::size_t>(frame.index), reference.size());
      EXPECT_TRUE(Same(frame.bgr, reference[static_cast<std::size_t>(frame.index)]))
          << path.filename() << " frame " << frame.index << " at " << frame.time;
      EXPECT_NEAR(frame.time, static_cast<double>(frame.index) / 25, 0.002);
    }
    EXPECT_EQ(decoded.summary.decode_errors, 0);
    EXPECT_FALSE(decoded.summary.truncated);
    EXPECT_EQ(decoded.info.frames, static_cast<std::int64_t>(reference.size()));
    EXPECT_NEAR(decoded.info.fps.value_or(0), 25, 0.2);
  }
};

constexpr const char* kX264 = "-c:v libx264 -g 20 -bf 3 -preset veryfast";

TEST_F(VideoTest, H264WithBFramesIsExactInEveryContainer) {
  for (const char* name : {"h264.mp4", "h264.mov", "h264.mkv"}) ExpectExact(Clip(name, kX264));
}

TEST_F(VideoTest, EveryAcceptedCodecIsExact) {
  ExpectExact(Clip("hevc.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=3"));
  ExpectExact(
      Clip("vp8.webm", "-c:v libvpx -deadline realtime -cpu-used 8 -auto-alt-ref 1 -lag-in-frames 10"));
  ExpectExact(Clip("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"));
  ExpectExact(Clip("av1.mp4", "-c:v libsvtav1 -preset 12", 1));
  ExpectExact(Clip("mpeg4.mp4", "-c:v mpeg4 -q:v 4 -bf 2"));
  ExpectExact(Clip("mjpeg.mov", "-c:v mjpeg -q:v 4"));
}

TEST_F(VideoTest, ContainerAndCodecAreNamed) {
  const auto names = [&](const std::filesystem::path& path) {
    const auto info = Open(path).value()->info();
    EXPECT_EQ(info.kind, MediaKind::kVideo);
    return info.container + " " + info.codec;
  };
  EXPECT_EQ(names(Clip("h264.mp4", kX264)), "mp4 h264");
  EXPECT_EQ(names(Clip("h264.mov", kX264)), "mov h264");
  EXPECT_EQ(names(Clip("h264.mkv", kX264)), "matroska h264");
  EXPECT_EQ(names(Clip("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8")), "webm vp9");
  EXPECT_EQ(names(Clip("av1.mp4", "-c:v libsvtav1 -preset 12", 1)), "mp4 av1");
  EXPECT_EQ(names(Clip("mpeg4.avi", "-c:v mpeg4 -q:v 4 -bf 2")), "avi mpeg4");
}

TEST_F(VideoTest, AviWithoutPresentationTimesIsExact) {
  ExpectExact(Clip("mpeg4.avi", "-c:v mpeg4 -q:v 4 -bf 2"));
  ExpectExact(Clip("h264.avi", kX264));
  ExpectExact(Clip("mjpeg.avi", "-c:v mjpeg -q:v 4"));
  ExpectExact(Clip("mjpeg.avi", "-c:v mjpeg -q:v 4"), {.mode = SampleMode::kKeyframes, .fps = 7});
}

TEST_F(VideoTest, SamplesAreTheFirstReferenceFramesAtOrAfterTheirTimes) {
  const Decoded decoded = Decode(Clip("h264.mp4", kX264), {.fps = 5});
  ASSERT_EQ(decoded.frames.size(), 10u);
  for (std::size_t k = 0; k < decoded.frames.size(); ++k) {
    EXPECT_GE(decoded.frames[k].time, static_cast<double>(k) * 0.2 - 0.001);
    EXPECT_LT(decoded.frames[k].time, static_cast<double>(k) * 0.2 + 0.16);
  }
  EXPECT_EQ(decoded.frames[0].index, 0);
  EXPECT_TRUE(decoded.frames[0].key);
  EXPECT_EQ(decoded.summary.used_fps, 5);
  EXPECT_LT(decoded.summary.frames_decoded, 50) << "decoded frames that no other frame needs";
}

TEST_F(VideoTest, EveryFrameComesWhenAskedForWithoutBFrames) {
  const Decoded decoded =
      Decode(Clip("allref.mp4", "-c:v libx264 -bf 0 -g 100 -preset veryfast"), {.fps = 60});
  ASSERT_EQ(decoded.frames.size(), 50u);
  for (std::size_t i = 0; i < 50; ++i) EXPECT_EQ(decoded.frames[i].index, static_cast<std::int64_t>(i));
  EXPECT_EQ(decoded.summary.frames_decoded, 50);
}

TEST_F(VideoTest, MaxFramesSpreadOverTheWholeClip) {
  for (const char* name : {"long.mp4", "long.mkv"}) {
    const Decoded decoded = Decode(Clip(name, kX264, 10, "64x48"), {.fps = 5, .max_frames = 8});
    EXPECT_EQ(decoded.frames.size(), 8u);
    EXPECT_NEAR(decoded.summary.used_fps, 0.8, 0.01);
    EXPECT_GT(decoded.frames.back().time, 8.7);
  }
}

TEST_F(VideoTest, AHeaderThatLiesAboutTheDurationCutsNothingOff) {
  const auto honest = Clip("long.mkv", kX264, 10, "64x48");
  std::string bytes = BytesOf(honest);
  const std::size_t at = bytes.find("\x44\x89\x88");  // Segment/Info/Duration, 8 bytes
  ASSERT_NE(at, std::string::npos);
  const std::string half_a_second("\x40\x7F\x40\0\0\0\0\0", 8);  // 500.0 milliseconds
  bytes.replace(at + 3, 8, half_a_second);
  const Decoded decoded = Decode(Write("lying.mkv", bytes), {.fps = 5, .max_frames = 8});
  EXPECT_NEAR(decoded.info.duration.value_or(0), 10, 0.1);
  EXPECT_GT(decoded.frames.back().time, 8.7);
}

TEST_F(VideoTest, FragmentsAreMeasuredByTheirPackets) {
  const auto path =
      Clip("fragments.mp4", std::string(kX264) + " -movflags frag_keyframe+empty_moov", 4, "64x48");
  const Decoded decoded = Decode(path);
  EXPECT_NEAR(decoded.info.duration.value_or(0), 4, 0.05);
  EXPECT_EQ(decoded.frames.size(), 8u);
  ExpectExact(path);
}

TEST_F(VideoTest, KeyframesModeGivesKeyFramesAlone) {
  const auto h264 = Clip("long.mp4", kX264, 10, "64x48");
  const auto vp9 = Clip("longvp9.webm", "-c:v libvpx-vp9 -g 20 -deadline realtime -cpu-used 8", 4, "64x48");
  const auto av1 = Clip("longav1.mkv", "-c:v libsvtav1 -g 16 -preset 12", 2, "128x96");
  for (const auto& path : {h264, vp9, av1}) {
    const SamplePlan plan{.mode = SampleMode::kKeyframes, .fps = 50, .max_frames = 100};
    const Decoded decoded = Decode(path, plan);
    EXPECT_GT(decoded.frames.size(), 2u) << path;
    EXPECT_LT(decoded.frames.size(), 16u) << path;
    EXPECT_EQ(decoded.summary.frames_decoded, static_cast<std::int64_t>(decoded.frames.size()));
    EXPECT_EQ(decoded.summary.decode_errors, 0);
    for (const Frame& frame : decoded.frames) EXPECT_TRUE(frame.key);
    ExpectExact(path, plan);
  }
}

TEST_F(VideoTest, KeyframesAreSampledAtMostAtTheRate) {
  const Decoded decoded =
      Decode(Clip("long.mp4", kX264, 10, "64x48"), {.mode = SampleMode::kKeyframes, .fps = 0.5});
  EXPECT_THAT(decoded.frames.size(), testing::AllOf(testing::Ge(4u), testing::Le(5u)));
}

TEST_F(VideoTest, SparseSamplesAreTheOnesThatADecodeWithoutJumpsGives) {
  const auto clips = {
      Clip("gop.mp4", "-c:v libx264 -g 12 -bf 3 -preset veryfast", 6, "64x48"),
      Clip("open.mp4", "-c:v libx264 -g 12 -bf 3 -x264-params open-gop=1:b-pyramid=normal -preset fast", 6,
           "64x48"),
      Clip("open.mkv",
           "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=12:open-gop=1:bframes=3", 6,
           "64x48"),
      Clip("gop.webm", "-c:v libvpx-vp9 -g 12 -deadline realtime -cpu-used 8", 6, "64x48"),
      Clip("gopvp8.webm",
           "-c:v libvpx -g 12 -deadline realtime -cpu-used 8 -auto-alt-ref 1 -lag-in-frames 10", 6, "64x48"),
      Clip("gopav1.mkv", "-c:v libsvtav1 -g 12 -preset 12", 4, "64x64"),
      Clip("gop.avi", "-c:v mjpeg", 6, "64x48"),
      Clip("gop.mkv", "-c:v libx264 -g 12 -bf 3 -preset veryfast", 6, "64x48")};
  for (const auto& path : clips) {
    const Decoded all = Decode(path, {.fps = 60, .max_frames = 4000});
    for (const double fps : {0.31, 0.7, 1.0, 1.9}) {
      const Decoded sparse = Decode(path, {.fps = fps});
      std::size_t at = 0;
      for (double k = 0; k / fps < *all.info.duration; ++k) {
        const auto expected = std::find_if(all.frames.begin(), all.frames.end(),
                                           [&](const Frame& frame) { return frame.time > k / fps - 0.0005; });
        if (expected == all.frames.end()) break;
        ASSERT_LT(at, sparse.frames.size()) << path << " " << fps;
        EXPECT_EQ(sparse.frames[at].index, expected->index) << path << " " << fps << " sample " << k;
        EXPECT_TRUE(Same(sparse.frames[at].bgr, expected->bgr)) << path << " " << fps << " sample " << k;
        ++at;
      }
      EXPECT_EQ(at, sparse.frames.size()) << path << " " << fps;
      EXPECT_EQ(sparse.summary.decode_errors, 0) << path;
      if (fps < 1) {
        EXPECT_LT(sparse.summary.frames_decoded, all.summary.frames_decoded * 3 / 4)
            << path << " jumped nowhere";
      }
    }
  }
}

TEST_F(VideoTest, VariableFrameRateKeepsItsTimes) {
  // Frames 0, 1, 2, 10, 11, 12, 20, ... of 25 a second.
  const auto path = Make("vfr.mkv",
                         "-loop 1 -framerate 25 -i IN -t 4 -vf \"zoompan=z=1.3:x='4*on':d=1:s=64x48:fps=25,"
                         "select='lt(mod(n,10),3)',format=yuv420p\" -vsync vfr -c:v libx264 -bf 0 OUT");
  const Decoded decoded = Decode(path, {.fps = 50});
  ASSERT_EQ(decoded.frames.size(), 30u);
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_NEAR(decoded.frames[i].time, static_cast<double>(i / 3 * 10 + i % 3) / 25, 0.002) << i;
    EXPECT_EQ(decoded.frames[i].index, static_cast<std::int64_t>(i));
  }
}

TEST_F(VideoTest, TimesCountFromTheStreamsStart) {
  const auto path =
      Make("late.mkv", "-itsoffset 100 -i " + Clip("h264.mkv", kX264).string() + " -c copy -copyts OUT");
  const Decoded decoded = Decode(path, {.fps = 5});
  ASSERT_EQ(decoded.frames.size(), 10u);
  EXPECT_EQ(decoded.frames[0].time, 0);
  EXPECT_NEAR(decoded.info.duration.value_or(0), 2, 0.05);
}

TEST_F(VideoTest, RotationIsUndone) {
  const auto plain = Clip("allref.mp4", "-c:v libx264 -bf 0 -g 100 -preset veryfast");
  for (const int degrees : {90, 180, 270}) {
    const auto path =
        Make(fmt::format("rotated{}.mp4", degrees),
             fmt::format("-i {} -c copy -metadata:s:v:0 rotate={} OUT", plain.string(), degrees));
    const Decoded decoded = Decode(path);
    EXPECT_EQ(decoded.info.width, degrees == 180 ? 160 : 120);
    EXPECT_EQ(decoded.info.height, degrees == 180 ? 120 : 160);
    const auto reference = Reference(path, decoded.info.width, decoded.info.height);
    ASSERT_FALSE(decoded.frames.empty());
    for (const Frame& frame : decoded.frames)
      // ffmpeg turns before it converts, which moves chroma by half a sample.
      EXPECT_LT(MeanDifference(frame.bgr, reference[static_cast<std::size_t>(frame.index)]), 3) << degrees;
  }
}

TEST_F(VideoTest, PixelsBecomeSquare) {
  const auto wide = Clip("wide.mp4", std::string(kX264) + " -aspect 16:9", 1, "160x120");
  EXPECT_EQ(Decode(wide).info.width, 213);
  EXPECT_EQ(Decode(wide).info.height, 120);
  const auto tall = Clip("tall.mp4", std::string(kX264) + " -aspect 1:1", 1, "160x120");
  EXPECT_EQ(Decode(tall).info.width, 160);
  EXPECT_EQ(Decode(tall).info.height, 160);
}

TEST_F(VideoTest, OddSizesAndTenBitsAreConvertedLikeFfmpegDoes) {
  ExpectExact(Make("odd.mkv",
                   "-loop 1 -framerate 25 -i IN -t 1 -vf \"zoompan=z=1.3:x='4*on':d=1:s=161x121:fps=25,"
                   "format=yuv444p\" -c:v libx264 -bf 0 OUT"));
  ExpectExact(Make("ten.mp4",
                   "-loop 1 -framerate 25 -i IN -t 1 -vf \"zoompan=z=1.3:x='4*on':d=1:s=160x120:fps=25,"
                   "format=yuv420p10le\" -c:v libx265 -preset ultrafast -x265-params log-level=none OUT"));
}

TEST_F(VideoTest, ColoursFollowTheStreamsOwnFields) {
  for (const char* matrix : {"bt709", "smpte170m"}) {
    for (const char* range : {"tv", "pc"}) {
      const auto path =
          Make(fmt::format("colour-{}-{}.mp4", matrix, range),
               fmt::format(
                   "-loop 1 -framerate 25 -i IN -t 1 -vf \"scale=160:120:out_color_matrix={}:"
                   "out_range={},setsar=1,format=yuv420p\" -color_range {} -colorspace {} -c:v libx264 OUT",
                   matrix, range, range, matrix));
      ExpectExact(path);
      const Decoded decoded = Decode(path);
      const auto original = Make("small.png", "-i IN -vf scale=160:120 OUT");
      EXPECT_LT(MeanDifference(decoded.frames.at(0).bgr, Decode(original).frames.at(0).bgr), 4)
          << matrix << range;
    }
  }
}

TEST_F(VideoTest, TheVideoIsChosenAmongManyStreams) {
  const auto clip = Clip("h264.mp4", kX264).string();
  const auto path =
      Make("many.mkv", "-f lavfi -i sine=d=2 -f lavfi -i color=s=32x32:d=2:r=25 -i " + clip +
                           " -map 0 -map 1 -map 2 -disposition:v:1 default -disposition:v:0 0 -c:a aac "
                           "-c:v libx264 -pix_fmt yuv420p OUT");
  EXPECT_EQ(Decode(path).info.width, 160);
}

TEST_F(VideoTest, ACoverPictureIsNotTheVideo) {
  const auto path =
      Make("song.m4a",
           "-f lavfi -i sine=d=1 -i IN -map 0 -map 1 -c:a aac -c:v mjpeg -disposition:v attached_pic OUT");
  EXPECT_EQ(ErrorOf(path).message, "has no video stream");
}

TEST_F(VideoTest, BrokenPartsAreCountedAndTheRestIsShown) {
  const auto path = Clip("hurt.mp4", "-c:v libx264 -g 5 -bf 0 -preset veryfast -movflags faststart", 4);
  std::string bytes = BytesOf(path);
  for (std::size_t at = bytes.size() / 2; at < bytes.size() / 2 + 1500; at += 3) bytes[at] = '\x55';
  const Decoded decoded = Decode(Write("broken.mp4", bytes), {.fps = 25});
  EXPECT_GT(decoded.frames.size(), 70u);
  EXPECT_GT(decoded.summary.decode_errors, 0);
  EXPECT_FALSE(decoded.summary.truncated);
}

TEST_F(VideoTest, AVideoThatEndsEarlyGivesWhatItHas) {
  const auto index_first =
      BytesOf(Clip("hurt.mp4", "-c:v libx264 -g 5 -bf 0 -preset veryfast -movflags faststart", 4));
  const auto matroska = BytesOf(Clip("long.mkv", kX264, 10, "64x48"));
  const auto avi = BytesOf(Clip("mjpeg.avi", "-c:v mjpeg -q:v 4"));
  for (const auto& path : {Write("cut.mp4", index_first.substr(0, index_first.size() / 2)),
                           Write("cut.mkv", matroska.substr(0, matroska.size() / 2)),
                           Write("cut.avi", avi.substr(0, avi.size() / 2))}) {
    const Decoded decoded = Decode(path, {.fps = 5});
    EXPECT_GT(decoded.frames.size(), 2u) << path;
    EXPECT_TRUE(decoded.summary.truncated) << path;
  }
}

TEST_F(VideoTest, ConcurrentStreamsOfOneFileDoNotDisturbEachOther) {
  const auto path = Clip("h264.mp4", kX264);
  const UniqueFd file = OpenForReading(path).value();
  // Descriptors of one open file share its position.
  auto first = FrameStream::Open(*pool_, UniqueFd(::dup(file.get())), {.fps = 5}).value();
  auto second = FrameStream::Open(*pool_, UniqueFd(::dup(file.get())), {.fps = 5}).value();
  int frames = 0;
  for (;;) {
    auto a = first->Next().value();
    auto b = second->Next().value();
    ASSERT_EQ(a.has_value(), b.has_value());
    if (!a) break;
    EXPECT_TRUE(Same(a->bgr, b->bgr));
    ++frames;
  }
  EXPECT_EQ(frames, 10);
}

TEST_F(VideoTest, AnotherSizeInMidStreamIsScaledToTheFirst) {
  const auto raw = [](const std::string& name, const std::string& size) {
    return BytesOf(Clip(name, "-c:v libx264 -bf 0 -f h264", 1, size));
  };
  const auto both = Write("both.h264", raw("small.h264", "160x120") + raw("large.h264", "320x240"));
  const auto path = Make("sizes.mkv", "-fflags +genpts -r 25 -f h264 -i " + both.string() + " -c copy OUT");
  const Decoded decoded = Decode(path, {.fps = 5});
  EXPECT_EQ(decoded.frames.size(), 10u);
  EXPECT_EQ(decoded.info.width, 160);
  for (const Frame& frame : decoded.frames) EXPECT_EQ(frame.bgr.size(), cv::Size(160, 120));
  EXPECT_LT(MeanDifference(decoded.frames[0].bgr, decoded.frames[5].bgr), 8)
      << "the same picture, but larger";
}

TEST_F(VideoTest, RepeatsBitForBit) {
  const auto path = Clip("hevc.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=3");
  const Decoded a = Decode(path);
  const Decoded b = Decode(path);
  ASSERT_EQ(a.frames.size(), b.frames.size());
  for (std::size_t i = 0; i < a.frames.size(); ++i) {
    EXPECT_TRUE(Same(a.frames[i].bgr, b.frames[i].bgr));
    EXPECT_EQ(a.frames[i].time, b.frames[i].time);
  }
}

}  // namespace
}  // namespace unmask
