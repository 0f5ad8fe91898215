// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/image_header.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace unmask::decoder {
namespace {

using namespace std::string_literals;

std::optional<ImageHeader> Read(Kind kind, std::string_view bytes) {
  return ReadImageHeader(kind, {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

// An EXIF block with nothing but the orientation.
std::string Exif(int orientation, bool big_endian) {
  if (big_endian)
    return "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s + static_cast<char>(orientation) + "\0\0"s;
  return "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"s + static_cast<char>(orientation) + "\0\0\0"s;
}

std::string JpegSegment(char marker, const std::string& content) {
  const std::size_t length = content.size() + 2;
  return "\xFF"s + marker + static_cast<char>(length >> 8) + static_cast<char>(length & 255) + content;
}

const std::string kJpegFrame = JpegSegment('\xC0', "\x08\x01\x02\x03\x04\x03"s + std::string(9, '\0'));

std::string PngChunk(const std::string& name, const std::string& content) {
  std::string chunk(4, '\0');
  chunk[3] = static_cast<char>(content.size());
  return chunk + name + content + "crc!";
}

void ExpectSize(const std::optional<ImageHeader>& header, int width, int height) {
  ASSERT_TRUE(header);
  EXPECT_EQ(header->width, width);
  EXPECT_EQ(header->height, height);
}

TEST(ImageHeader, JpegSizeComesFromTheFrameHeader) {
  ExpectSize(Read(Kind::kJpeg, "\xFF\xD8"s + JpegSegment('\xE0', "JFIF") + kJpegFrame), 0x304, 0x102);
  ExpectSize(Read(Kind::kJpeg, "\xFF\xD8"s + JpegSegment('\xC4', "huffman") + "\xFF\xFF"s + kJpegFrame),
             0x304, 0x102);
}

TEST(ImageHeader, JpegOrientationComesFromExifInEitherByteOrder) {
  for (const bool big_endian : {false, true}) {
    const auto header =
        Read(Kind::kJpeg, "\xFF\xD8"s + JpegSegment('\xE1', "Exif\0\0"s + Exif(6, big_endian)) + kJpegFrame);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->orientation, Orientation::kTurnRight);
  }
}

TEST(ImageHeader, JpegWithoutAFrameHeaderIsRefused) {
  EXPECT_FALSE(Read(Kind::kJpeg, "\xFF\xD8\xFF\xD9"s));
  EXPECT_FALSE(Read(Kind::kJpeg, "\xFF\xD8"s + JpegSegment('\xDA', "scan") + kJpegFrame));
  EXPECT_FALSE(Read(Kind::kJpeg, "\xFF\xD8\xFF\xE0\0\x01"s + kJpegFrame))
      << "a segment shorter than its length";
}

TEST(ImageHeader, SaysWhetherPixelsAreStoredAsEntriesOfATable) {
  const auto png = [](const char* depth_and_type) {
    const auto header = "\0\0\0\x04\0\0\0\x04"s + std::string(depth_and_type, 2) + "\0\0\0"s;
    return Read(Kind::kPng, "\x89PNG\r\n\x1A\n"s + PngChunk("IHDR", header))->palette;
  };
  EXPECT_TRUE(png("\x08\x03"));
  EXPECT_TRUE(png("\x01\x00"));
  EXPECT_FALSE(png("\x08\x02"));
  EXPECT_FALSE(png("\x10\x00"));
}

TEST(ImageHeader, PngSizeAndOrientation) {
  const std::string start = "\x89PNG\r\n\x1A\n"s + PngChunk("IHDR", "\0\0\xEA\x60\0\0\0\x05\x08\x02\0\0\0"s);
  ExpectSize(Read(Kind::kPng, start), 60000, 5);
  EXPECT_EQ(Read(Kind::kPng, start + PngChunk("eXIf", Exif(3, true)) + PngChunk("IDAT", ""))->orientation,
            Orientation::kUpsideDown);
  EXPECT_EQ(Read(Kind::kPng, start + PngChunk("IDAT", "") + PngChunk("eXIf", Exif(3, true)))->orientation,
            Orientation::kUpright);
}

TEST(ImageHeader, WebpSizeInItsThreeForms) {
  ExpectSize(Read(Kind::kWebp, "RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9D\x01\x2A\x40\x01\xF0\x00"s), 320, 240);
  ExpectSize(Read(Kind::kWebp, "RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2F\x3F\xC1\x3B\0\0"s), 320, 240);
  ExpectSize(Read(Kind::kWebp, "RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\x3F\x01\0\xEF\0\0"s), 320, 240);
}

TEST(ImageHeader, WebpOrientationComesFromItsExifChunk) {
  const std::string exif = Exif(8, false);
  const auto header = Read(Kind::kWebp, "RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\x08\0\0\0\x3F\x01\0\xEF\0\0"s +
                                            "EXIF"s + static_cast<char>(exif.size()) + "\0\0\0"s + exif);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->orientation, Orientation::kTurnLeft);
}

TEST(ImageHeader, GifAndBmpSizes) {
  ExpectSize(Read(Kind::kGif, "GIF89a\x40\x01\xF0\0"s), 320, 240);
  const std::string bmp = "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"s;
  ExpectSize(Read(Kind::kBmp, bmp + "\x40\x01\0\0\xF0\0\0\0"s), 320, 240);
  ExpectSize(Read(Kind::kBmp, bmp + "\x40\x01\0\0\x10\xFF\xFF\xFF"s), 320, 240);
  ExpectSize(Read(Kind::kBmp, "BM\0\0\0\0\0\0\0\0\x1A\0\0\0\x0C\0\0\0\x40\x01\xF0\0"s), 320, 240);
}

TEST(ImageHeader, BmpWithImpossibleSizesIsRefused) {
  const std::string bmp = "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"s;
  EXPECT_FALSE(Read(Kind::kBmp, bmp + "\xFF\xFF\xFF\xFF\xF0\0\0\0"s)) << "negative width";
  EXPECT_FALSE(Read(Kind::kBmp, bmp + "\x40\x01\0\0\0\0\0\x80"s)) << "a height that has no positive";
  EXPECT_FALSE(Read(Kind::kBmp, bmp + "\0\0\0\0\xF0\0\0\0"s)) << "no pixels";
}

TEST(ImageHeader, BrokenExifIsUpright) {
  const auto orientation = [](std::string_view exif) {
    return ReadExifOrientation({reinterpret_cast<const unsigned char*>(exif.data()), exif.size()});
  };
  const std::string whole = Exif(6, false);
  EXPECT_EQ(orientation(whole), Orientation::kTurnRight);
  for (std::size_t size = 0; size < 19; ++size)
    EXPECT_EQ(orientation(whole.substr(0, size)), Orientation::kUpright) << size;
  EXPECT_EQ(orientation("II*\0\xFF\xFF\xFF\xFF"s), Orientation::kUpright) << "a directory beyond the end";
  EXPECT_EQ(orientation(Exif(42, true)), Orientation::kUpright);
}

TEST(ImageHeader, AnyBytesGiveAnAnswer) {
  std::mt19937 random(3);
  const std::string seeds[] = {
      "\xFF\xD8"s + JpegSegment('\xE1', "Exif\0\0"s + Exif(6, true)) + kJpegFrame,
      "\x89PNG\r\n\x1A\n"s + PngChunk("IHDR", std::string(13, 1)) + PngChunk("eXIf", Exif(1, true)),
      "RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\x08\0\0\0\x3F\x01\0\xEF\0\0EXIF\x20\0\0\0"s + Exif(2, false)};
  for (int round = 0; round < 30000; ++round) {
    std::string bytes = seeds[round % 3];
    for (int change = 0; change < 3; ++change) bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % (bytes.size() + 1));
    for (const Kind kind : {Kind::kJpeg, Kind::kPng, Kind::kWebp, Kind::kGif, Kind::kBmp}) {
      const auto header = Read(kind, bytes);
      EXPECT_TRUE(!header || (header->width > 0 && header->height > 0));
    }
  }
}

}  // namespace
}  // namespace unmask::decoder
