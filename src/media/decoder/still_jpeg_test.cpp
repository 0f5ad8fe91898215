// SPDX-License-Identifier: Apache-2.0

// libjpeg's header needs stdio before it.
// clang-format off
#include <cstdio>
#include <jpeglib.h>
// clang-format on

#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "media/decoder/still.hpp"

namespace unmask::decoder {
namespace {

// A JPEG of 16 x 16 pixels of one colour, given as it is stored.
std::vector<unsigned char> EncodeCmyk(const std::vector<unsigned char>& cmyk, bool adobe) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = info.image_height = 16;
  info.input_components = 4;
  info.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  info.write_Adobe_marker = adobe;
  jpeg_start_compress(&info, TRUE);
  std::vector<unsigned char> row;
  for (int x = 0; x < 16; ++x) row.insert(row.end(), cmyk.begin(), cmyk.end());
  unsigned char* rows[] = {row.data()};
  for (int y = 0; y < 16; ++y) jpeg_write_scanlines(&info, rows, 1);
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::vector<unsigned char> file(bytes, bytes + size);
  std::free(bytes);
  return file;
}

std::vector<int> FirstPixel(const std::vector<unsigned char>& file) {
  std::vector<std::uint8_t> pixels(16 * 16 * 3);
  const StillResult result = DecodeJpeg(file, {pixels.data(), 16, 16, 16 * 3});
  EXPECT_TRUE(result.any);
  EXPECT_EQ(result.errors, 0);
  return {pixels[0], pixels[1], pixels[2]};
}

void ExpectNear(const std::vector<int>& found, const std::vector<int>& expected) {
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(found[i], expected[i], 3) << i;
}

TEST(DecodeJpeg, CmykAsAdobeStoresItIsInverted) {
  // Full cyan takes red away; stored inverted, its value is 0.
  ExpectNear(FirstPixel(EncodeCmyk({0, 255, 255, 255}, true)), {255, 255, 0});
  ExpectNear(FirstPixel(EncodeCmyk({255, 255, 255, 0}, true)), {0, 0, 0});
}

TEST(DecodeJpeg, CmykWithoutAdobesMarkIsNot) {
  ExpectNear(FirstPixel(EncodeCmyk({255, 0, 0, 0}, false)), {255, 255, 0});
  ExpectNear(FirstPixel(EncodeCmyk({0, 0, 255, 128}, false)), {0, 127, 127});
}

TEST(DecodeJpeg, AnotherSizeThanAnnouncedGivesNothing) {
  std::vector<std::uint8_t> pixels(8 * 8 * 3);
  EXPECT_FALSE(DecodeJpeg(EncodeCmyk({0, 0, 0, 0}, true), {pixels.data(), 8, 8, 8 * 3}).any);
}

TEST(DecodeJpeg, EveryCutOfAFileIsSurvived) {
  const auto file = EncodeCmyk({10, 20, 30, 40}, true);
  std::vector<std::uint8_t> pixels(16 * 16 * 3);
  for (std::size_t size = 0; size < file.size(); ++size) {
    const auto result = DecodeJpeg(std::span(file).first(size), {pixels.data(), 16, 16, 16 * 3});
    EXPECT_TRUE(result.errors > 0 || size + 2 >= file.size()) << size;
  }
}

}  // namespace
}  // namespace unmask::decoder
