// SPDX-License-Identifier: Apache-2.0
//
// Pictures, and files that are none, through the real unmask-decoder.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/test_clips.hpp"

namespace unmask {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

class StillTest : public MediaTest {
 protected:
  cv::Mat Pixels(const std::filesystem::path& path) {
    const Decoded decoded = Decode(path);
    return decoded.frames.empty() ? cv::Mat(1, 1, CV_8UC3) : decoded.frames[0].bgr;
  }

  // A JPEG with an EXIF block that says how it must be turned.
  std::filesystem::path Turned(const std::string& name, int orientation) {
    std::string bytes = BytesOf(Make("small.jpg", "-i IN -vf scale=96:64 -q:v 2 OUT"));
    const std::string exif = "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s +
                             static_cast<char>(orientation) + "\0\0\0\0\0\0"s;
    bytes.insert(2, "\xFF\xE1\0"s + static_cast<char>(exif.size() + 2) + exif);
    return Write(name, bytes);
  }
};

TEST_F(StillTest, EveryKindGivesTheSamePicture) {
  const cv::Mat png = Pixels(Portrait());
  EXPECT_TRUE(Same(png, Reference(Portrait(), 512, 512).at(0)));
  struct Case {
    const char* name;
    const char* kind;
    const char* options;
    double difference;
  };
  for (const Case& c : {Case{"a.jpg", "jpeg", "-q:v 1", 4},
                        {"progressive.jpg", "jpeg", "-q:v 1 -huffman 0", 4},
                        {"a.bmp", "bmp", "", 0},
                        {"a.gif", "gif", "", 16},
                        {"lossless.webp", "webp", "-lossless 1", 0},
                        {"lossy.webp", "webp", "-quality 95", 4}}) {
    const Decoded decoded = Decode(Make(c.name, "-i IN "s + c.options + " OUT"));
    EXPECT_EQ(decoded.info.kind, MediaKind::kImage);
    EXPECT_EQ(decoded.info.container, c.kind);
    EXPECT_EQ(decoded.info.codec, c.kind);
    EXPECT_FALSE(decoded.info.duration);
    EXPECT_EQ(decoded.summary.frames_decoded, 1);
    EXPECT_EQ(decoded.summary.decode_errors, 0) << c.name;
    EXPECT_FALSE(decoded.summary.truncated);
    EXPECT_EQ(decoded.summary.decoder_version.substr(0, 3), "59.");
    ASSERT_EQ(decoded.frames.size(), 1u);
    EXPECT_EQ(decoded.frames[0].time, 0);
    EXPECT_LE(MeanDifference(decoded.frames[0].bgr, png), c.difference) << c.name;
  }
}

TEST_F(StillTest, UnusualPixelsBecomeBgr) {
  const cv::Mat portrait = Pixels(Portrait());
  for (const char* format : {"gray", "gray16be", "rgb48be", "rgba", "pal8", "monob", "ya8", "rgba64be"}) {
    const auto path = Make("pixels-"s + format + ".png", "-i IN -pix_fmt "s + format + " OUT");
    const cv::Mat pixels = Pixels(path);
    ASSERT_EQ(pixels.size(), portrait.size()) << format;
    if (std::string(format).starts_with("rgb")) {
      EXPECT_LE(MeanDifference(pixels, portrait), 1) << format;
    }
  }
  EXPECT_EQ(Pixels(Make("gray.jpg", "-i IN -pix_fmt gray OUT")).size(), portrait.size());
  EXPECT_EQ(Pixels(Make("444.jpg", "-i IN -pix_fmt yuvj444p OUT")).size(), portrait.size());
  EXPECT_LE(MeanDifference(Pixels(Make("alpha.webp", "-i IN -pix_fmt bgra -lossless 1 OUT")), portrait), 0);
}

TEST_F(StillTest, RowsMayBePadded) {
  const cv::Mat odd = Pixels(Make("odd.png", "-i IN -vf scale=33:21 OUT"));
  EXPECT_EQ(odd.size(), cv::Size(33, 21));
}

TEST_F(StillTest, AnInterlacedPngIsWhole) {
  // ffmpeg's encoder writes it with -pred and no interlacing, so this one is Adam7 by hand: 1 x 1 pixel.
  const std::string png =
      "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\1\xE7\x50\xC8\xA8"
      "\0\0\0\x0CIDAT\x78\x9C\x63\xF8\xCF\xC0\0\0\3\1\1\0\xC9\xFE\x92\xEF\0\0\0\0IEND\xAE\x42\x60\x82"s;
  auto stream = Open(Write("adam7.png", png));
  ASSERT_TRUE(stream) << stream.error().message;
  EXPECT_EQ((*stream)->info().width, 1);
}

TEST_F(StillTest, ExifOrientationIsUndone) {
  const cv::Mat upright = Pixels(Turned("turned1.jpg", 1));
  ASSERT_EQ(upright.size(), cv::Size(96, 64));
  cv::Mat half;
  cv::flip(upright, half, -1);
  EXPECT_TRUE(Same(Pixels(Turned("turned3.jpg", 3)), half));
  for (const auto& [orientation, flip] : {std::pair(6, 1), {8, 0}}) {
    const Decoded turned = Decode(Turned("turned" + std::to_string(orientation) + ".jpg", orientation));
    EXPECT_EQ(turned.info.width, 64);
    EXPECT_EQ(turned.info.height, 96);
    cv::Mat expected;
    cv::transpose(upright, expected);
    cv::flip(expected, expected, flip);
    EXPECT_TRUE(Same(turned.frames.at(0).bgr, expected)) << orientation;
  }
}

TEST_F(StillTest, OfAnAnimationTheFirstFrameIsTaken) {
  const std::string two_frames = "-i IN -vf \"loop=3:1,scale=64:64,negate=enable='gt(n,0)'\" ";
  const cv::Mat first = Pixels(Make("first.png", "-i IN -vf scale=64:64 OUT"));
  EXPECT_LT(MeanDifference(Pixels(Make("animated.gif", two_frames + "OUT")), first), 16);
  EXPECT_LT(MeanDifference(Pixels(Make("animated.webp", two_frames + "-lossless 1 OUT")), first), 3);
}

TEST_F(StillTest, ATruncatedPictureShowsWhatIsThereAndSaysSo) {
  const cv::Mat whole = Pixels(Portrait());
  const std::string jpeg = BytesOf(Make("a.jpg", "-i IN -q:v 1 OUT"));
  const std::string webp = BytesOf(Make("lossy.webp", "-i IN -quality 95 OUT"));
  const std::string png = BytesOf(Portrait());
  for (const auto& path :
       {Write("cut.jpg", jpeg.substr(0, jpeg.size() / 2)), Write("cut.png", png.substr(0, png.size() / 2)),
        Write("cut.webp", webp.substr(0, webp.size() / 2))}) {
    const Decoded decoded = Decode(path);
    EXPECT_TRUE(decoded.summary.truncated) << path;
    EXPECT_GT(decoded.summary.decode_errors, 0) << path;
    ASSERT_EQ(decoded.frames.size(), 1u);
    EXPECT_LT(MeanDifference(decoded.frames[0].bgr.rowRange(0, 150), whole.rowRange(0, 150)), 6) << path;
  }
}

TEST_F(StillTest, APictureWithoutAnyRowIsUndecodable) {
  for (const char* name : {"a.jpg", "lossy.webp", "a.gif", "a.bmp"}) {
    const std::string bytes = BytesOf(Make(name, "-i IN OUT"));
    const Error error = ErrorOf(Write("stump-"s + name, bytes.substr(0, 60)));
    EXPECT_EQ(error.code, ErrorCode::kUndecodable) << name;
    EXPECT_THAT(error.message, HasSubstr("is not a valid")) << name;
  }
}

TEST_F(StillTest, APixelBombIsRefusedByItsHeader) {
  const std::string ihdr = "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR"s;
  const Error wide = ErrorOf(Write("wide.png", ihdr + "\0\0\xEA\x60\0\0\xEA\x60\x08\2\0\0\0"s + "crc!"));
  EXPECT_EQ(wide.code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(wide.limit, "max_side");
  const Error many = ErrorOf(Write("many.png", ihdr + "\0\0\x3E\x80\0\0\x3E\x80\x08\2\0\0\0"s + "crc!"));
  EXPECT_EQ(many.limit, "max_pixels");
  EXPECT_THAT(many.message, HasSubstr("256000000"));
}

TEST_F(StillTest, WhatIsNoMediaIsRefusedWithTheAcceptedKinds) {
  const std::string kinds[] = {"hello, world\n",
                               "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
                               "ffconcat version 1.0\nfile /etc/passwd\n",
                               "v=0\r\nc=IN IP4 127.0.0.1\r\n",
                               "<svg xmlns='http://www.w3.org/2000/svg'/>",
                               "%PDF-1.7",
                               "OggS\0\2"s,
                               std::string(100, '\0')};
  for (const std::string& bytes : kinds) {
    const Error error = ErrorOf(Write("disguise.mp4", bytes));
    EXPECT_EQ(error.code, ErrorCode::kUnsupportedMedia) << bytes;
    EXPECT_THAT(error.message, HasSubstr("accepted: jpeg, png")) << bytes;
  }
}

TEST_F(StillTest, EmptyAndTooLargeFilesNeverReachADecoder) {
  const Error empty = ErrorOf(Write("empty.mp4", ""));
  EXPECT_EQ(empty.code, ErrorCode::kUndecodable);
  EXPECT_EQ(empty.message, "is empty");
  pool_ = MakePool({.max_bytes = 10});
  const Error large = ErrorOf(Portrait());
  EXPECT_EQ(large.code, ErrorCode::kTooLarge);
  EXPECT_EQ(large.limit, "max_bytes");
}

TEST_F(StillTest, VideosWithoutPicturesAreToldApart) {
  EXPECT_EQ(ErrorOf(Make("audio.mp4", "-f lavfi -i sine=d=1 -c:a aac OUT")).message, "has no video stream");
  const std::string clip = BytesOf(Clip("index_last.mp4", "-c:v libx264 -preset ultrafast"));
  EXPECT_EQ(ErrorOf(Write("no_index.mp4", clip.substr(0, clip.size() / 2))).message,
            "ends before its index (truncated?)");
  for (const char* codec : {"magicyuv", "ffv1"}) {
    const Error error = ErrorOf(Clip(codec + ".mkv"s, "-c:v "s + codec, 0.2));
    EXPECT_EQ(error.code, ErrorCode::kUnsupportedMedia);
    EXPECT_THAT(error.message, HasSubstr("video codec '"s + codec + "' is not accepted"));
  }
  std::string nothing = BytesOf(Clip("blank.mkv", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8", 0.2));
  for (std::size_t at = 500; at < nothing.size(); ++at) nothing[at] = '\x11';
  EXPECT_EQ(ErrorOf(Write("nothing.mkv", nothing)).code, ErrorCode::kUndecodable);
}

TEST_F(StillTest, LimitsOfVideosAreNamed) {
  const auto clip = Clip("index_last.mp4", "-c:v libx264 -preset ultrafast");
  pool_ = MakePool({.max_pixels = 1000});
  EXPECT_EQ(ErrorOf(clip).limit, "max_pixels");
  pool_ = MakePool({.max_side = 100});
  EXPECT_EQ(ErrorOf(clip).limit, "max_side");
  pool_ = MakePool({.max_duration = 1});
  EXPECT_EQ(ErrorOf(clip).limit, "max_duration");
  pool_ = MakePool({.max_streams = 1});
  const auto two = Make("two.mp4", "-f lavfi -i sine=d=1 -i " + clip.string() + " -c:v copy -c:a aac OUT");
  EXPECT_EQ(ErrorOf(two).limit, "max_streams");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(StillTest, TooLittleMemoryIsALimitAndNoCrash) {
  pool_ = MakePool({.decoder_memory = std::uint64_t{400} << 20});
  const auto path = Make("big.bmp", "-f lavfi -i testsrc=s=7000x7000:d=0.1 -frames:v 1 OUT");
  const Error error = ErrorOf(path);
  EXPECT_EQ(error.code, ErrorCode::kLimitExceeded) << error.message;
  EXPECT_EQ(error.limit, "decoder_memory");
}
#endif

}  // namespace
}  // namespace unmask
