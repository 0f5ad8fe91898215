// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/container.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace unmask::decoder {
namespace {

using namespace std::string_literals;

Structure Read(Kind kind, const std::string& bytes) {
  UniqueFd fd(::memfd_create("test", MFD_CLOEXEC));
  EXPECT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return ReadStructure(MediaFile(std::move(fd), bytes.size()), kind);
}

std::string Box(const std::string& name, std::size_t content) {
  const std::size_t size = content + 8;
  return "\0\0"s + static_cast<char>(size >> 8) + static_cast<char>(size & 255) + name +
         std::string(content, 'x');
}

TEST(Structure, AWholeMp4IsWhole) {
  const auto structure = Read(Kind::kMp4, Box("ftyp", 16) + Box("moov", 100) + Box("mdat", 1000));
  EXPECT_FALSE(structure.truncated);
  EXPECT_FALSE(structure.no_index);
}

TEST(Structure, AnMp4ThatEndsInItsDataIsTruncatedAndMayLackItsIndex) {
  const std::string index_first = Box("ftyp", 16) + Box("moov", 100) + Box("mdat", 1000);
  const auto cut = Read(Kind::kMp4, index_first.substr(0, 500));
  EXPECT_TRUE(cut.truncated);
  EXPECT_FALSE(cut.no_index);
  const std::string index_last = Box("ftyp", 16) + Box("mdat", 1000) + Box("moov", 100);
  EXPECT_TRUE(Read(Kind::kMp4, index_last.substr(0, 500)).no_index);
  EXPECT_TRUE(Read(Kind::kMp4, index_last.substr(0, index_last.size() - 5)).no_index);
}

TEST(Structure, MatroskaAndAviTellTheirSize) {
  const std::string segment = "\x1A\x45\xDF\xA3\x84webm\x18\x53\x80\x67"s;
  EXPECT_FALSE(Read(Kind::kMatroska, segment + "\x85"
                                               "12345")
                   .truncated);
  EXPECT_TRUE(Read(Kind::kMatroska, segment + "\x85"
                                              "1234")
                  .truncated);
  EXPECT_FALSE(Read(Kind::kMatroska, segment + "\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
                                               "1234")
                   .truncated)
      << "unknown size";
  EXPECT_FALSE(Read(Kind::kAvi, "RIFF\x08\0\0\0AVI LIST"s).truncated);
  EXPECT_TRUE(Read(Kind::kAvi, "RIFF\x09\0\0\0AVI LIST"s).truncated);
}

TEST(Structure, BoxesOfNonsenseSizesEndTheWalk) {
  EXPECT_FALSE(Read(Kind::kMp4, "\0\0\0\x01moov\0\0\0\0\0\0\0\0"s).truncated);
  EXPECT_TRUE(Read(Kind::kMp4, "\0\0\0\x01moov\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s).no_index);
  const auto endless = Read(Kind::kMp4, "\0\0\0\0mdat"s);
  EXPECT_FALSE(endless.truncated) << "zero means to the end of the file";
  EXPECT_TRUE(endless.no_index);
}

TEST(Structure, AnyBytesGiveAnAnswer) {
  std::mt19937 random(4);
  for (int round = 0; round < 300; ++round) {
    std::string bytes(random() % 200, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    for (const Kind kind : {Kind::kMp4, Kind::kMatroska, Kind::kAvi}) Read(kind, bytes);
  }
}

}  // namespace
}  // namespace unmask::decoder
