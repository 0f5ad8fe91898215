// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/sniff.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace unmask::decoder {
namespace {

using namespace std::string_literals;

Sniffed SniffText(std::string_view bytes) {
  return Sniff({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

TEST(Sniff, KnowsEachAcceptedKind) {
  EXPECT_EQ(SniffText("\xFF\xD8\xFF\xE0"s).kind, Kind::kJpeg);
  EXPECT_EQ(SniffText("\x89PNG\r\n\x1A\n"s).kind, Kind::kPng);
  EXPECT_EQ(SniffText("GIF89a"s).kind, Kind::kGif);
  EXPECT_EQ(SniffText("GIF87a"s).kind, Kind::kGif);
  EXPECT_EQ(SniffText("RIFF\1\2\3\4WEBPVP8 "s).kind, Kind::kWebp);
  EXPECT_EQ(SniffText("RIFF\1\2\3\4AVI LIST"s).kind, Kind::kAvi);
  EXPECT_EQ(SniffText("BM\x36\x10\0\0\0\0\0\0"s).kind, Kind::kBmp);
  EXPECT_EQ(SniffText("\0\0\0\x20"s + "ftypisom"s).kind, Kind::kMp4);
  EXPECT_EQ(SniffText("\0\0\0\x14"s + "ftypqt  "s).kind, Kind::kMov);
  EXPECT_EQ(SniffText("\0\0\0\x08"s + "wide\0\0\0\0mdat"s).kind, Kind::kMov);
  EXPECT_EQ(SniffText("\x1A\x45\xDF\xA3\x9F\x42\x86\x81\x01\x42\x82\x84webm"s).kind, Kind::kWebm);
  EXPECT_EQ(SniffText("\x1A\x45\xDF\xA3\xA3\x42\x82\x88matroska"s).kind, Kind::kMatroska);
}

TEST(Sniff, RefusesWhatWouldMakeADemuxerOpenOtherFiles) {
  EXPECT_EQ(SniffText("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n").kind, Kind::kUnknown);
  EXPECT_EQ(SniffText("#EXTM3U\n").hint, "hls");
  EXPECT_EQ(SniffText("ffconcat version 1.0\nfile /etc/passwd\n").kind, Kind::kUnknown);
  EXPECT_EQ(SniffText("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n").kind, Kind::kUnknown);
  EXPECT_EQ(SniffText("<?xml version=\"1.0\"?><MPD></MPD>").kind, Kind::kUnknown);
  EXPECT_EQ(SniffText("<svg xmlns=\"http://www.w3.org/2000/svg\"/>").hint, "text");
  EXPECT_EQ(SniffText("\n\n  ftypisom #EXTM3U").kind, Kind::kUnknown)
      << "text with a box's name in its place";
}

TEST(Sniff, TellsPicturesFromVideosByTheirBrand) {
  const auto brand = [](const std::string& major, const std::string& others = "") {
    return SniffText("\0\0\0"s + static_cast<char>(16 + others.size()) + "ftyp" + major + "\0\0\0\0"s +
                     others + "avif");  // what follows the box is none of its brands
  };
  for (const char* heif : {"heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "mif2", "msf1"})
    EXPECT_EQ(brand(heif).kind, Kind::kHeif) << heif;
  EXPECT_EQ(brand("avif", "mif1").kind, Kind::kAvif);
  EXPECT_EQ(brand("avis", "msf1").kind, Kind::kAvif);
  EXPECT_EQ(brand("mif1", "miafavif").kind, Kind::kAvif);
  EXPECT_EQ(brand("mif1", "miafheic").kind, Kind::kHeif);
  EXPECT_EQ(brand("heic", "mif1avif").kind, Kind::kHeif);
  EXPECT_EQ(brand("isom", "avif").kind, Kind::kMp4);
}

TEST(Sniff, NamesPicturesThatNobodyReads) {
  EXPECT_EQ(SniffText("II*\0\x08\0\0\0"s).hint, "tiff");
  EXPECT_EQ(SniffText("MM\0*\0\0\0\x08"s).hint, "tiff");
  EXPECT_EQ(SniffText("MMXXVI, a text").hint, "text");
  EXPECT_EQ(SniffText("\0\0\0\x0CJXL \r\n\x87\n\0\0\0\x14"s + "ftypjxl ").hint, "jxl");
  EXPECT_EQ(SniffText("\xFF\x0A\x01"s).hint, "jxl");
  EXPECT_EQ(SniffText("\0\0\0\x0CjP  \r\n\x87\n\0\0\0\x14"s + "ftypjp2 ").hint, "jpeg2000");
  EXPECT_EQ(SniffText("\xFF\x4F\xFF\x51"s).hint, "jpeg2000");
}

TEST(Sniff, ShortInputIsUnknown) {
  const std::string whole = "\0\0\0\x20"s + "ftyp"s;
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(SniffText(whole.substr(0, size)).kind, Kind::kUnknown);
}

TEST(Sniff, AnyBytesGiveAnAnswer) {
  std::mt19937 random(2);
  std::vector<unsigned char> bytes(kSniffBytes);
  for (int round = 0; round < 5000; ++round) {
    for (auto& byte : bytes) byte = static_cast<unsigned char>(random());
    if (round % 2) {
      const std::string_view ebml = "\x1A\x45\xDF\xA3";
      std::copy(ebml.begin(), ebml.end(), bytes.begin());
    }
    const auto sniffed = Sniff(std::span(bytes).first(random() % bytes.size()));
    EXPECT_FALSE(KindName(sniffed.kind).empty());
  }
}

}  // namespace
}  // namespace unmask::decoder
