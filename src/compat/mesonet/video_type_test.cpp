// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/video_type.hpp"

#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

using std::string_literals::operator""s;

bool IsVideo(const std::string& type, const std::string& bytes) {
  auto media = PrivateFile::Create(testing::TempDir());
  EXPECT_TRUE(media->Append(bytes));
  return IsVideoUpload({.media = std::move(*media), .filename = "a.mp4", .content_type = type});
}

const std::string kMp4 =
    "\0\0\0\x20"
    "ftypisom\0\0\x02\0"s;

TEST(VideoType, KnowsVideosByTheirFirstBytes) {
  EXPECT_TRUE(LooksLikeVideo(kMp4));
  EXPECT_TRUE(
      LooksLikeVideo("\0\0\0\x08"
                     "wide\0\0\0\0mdat"s));
  EXPECT_TRUE(LooksLikeVideo("\x1a\x45\xdf\xa3\x9f\x42\x86\x81"));
  EXPECT_TRUE(LooksLikeVideo("RIFF\x24\0\0\0AVI LIST"s));
  EXPECT_TRUE(LooksLikeVideo("FLV\x01\x05"));
  EXPECT_TRUE(LooksLikeVideo("OggS"));
  EXPECT_TRUE(LooksLikeVideo("\0\0\x01\xba"s));
  EXPECT_TRUE(LooksLikeVideo("G" + std::string(187, '\0') + "G"));
}

TEST(VideoType, TakesNothingElseForAVideo) {
  EXPECT_FALSE(LooksLikeVideo(""));
  EXPECT_FALSE(LooksLikeVideo("\x89PNG\r\n\x1a\n"));
  EXPECT_FALSE(LooksLikeVideo("\xff\xd8\xff\xe0"));
  EXPECT_FALSE(LooksLikeVideo("RIFF\x24\0\0\0WEBPVP8 "s));
  EXPECT_FALSE(
      LooksLikeVideo("\0\0\0\x20"
                     "ftypavif\0\0\0\0"s));
  EXPECT_FALSE(
      LooksLikeVideo("\0\0\0\x20"
                     "ftypheic\0\0\0\0"s));
  EXPECT_FALSE(LooksLikeVideo("GIF89a"));
  EXPECT_FALSE(LooksLikeVideo("Good morning"));
}

TEST(VideoType, GoesByTheStatedTypeAndOnlyWithoutOneByTheBytes) {
  EXPECT_TRUE(IsVideo("video/mp4", "whatever"));
  EXPECT_TRUE(IsVideo("application/octet-stream", kMp4));
  EXPECT_TRUE(IsVideo("", kMp4));
  EXPECT_FALSE(IsVideo("application/octet-stream", "whatever"));
  EXPECT_FALSE(IsVideo("", ""));
  EXPECT_FALSE(IsVideo("image/png", kMp4));
  EXPECT_FALSE(IsVideo("VIDEO/mp4", kMp4)) << "as the original, which compares exactly";
}

}  // namespace
}  // namespace unmask::compat
