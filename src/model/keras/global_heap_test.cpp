// SPDX-License-Identifier: Apache-2.0
#include "model/keras/global_heap.hpp"

#include <cstdint>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "model/keras/hdf5_file.hpp"

namespace unmask::keras {
namespace {

std::string Number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string Object(std::uint16_t index, std::uint64_t size, std::size_t stored) {
  return Number(index, 2) + Number(1, 2) + Number(0, 4) + Number(size, 8) + std::string(stored, 'x');
}

/// A superblock's first bytes, something else, and a heap of these objects.
std::string FileWith(const std::string& objects, int version = 0, int length = 8) {
  std::string file = "\x89HDF\r\n\x1a\n" + std::string(40, '\0');
  file[8] = static_cast<char>(version);
  file[version < 2 ? 14 : 10] = static_cast<char>(length);
  return file + "GCOL" + Number(1, 4) + Number(16 + objects.size(), 8) + objects;
}

TEST(GlobalHeap, OfAGoodFileIsAccepted) {
  for (const int version : {0, 2, 3})
    EXPECT_NO_THROW(
        RefuseEndlessHeaps(FileWith(Object(1, 5, 8) + Object(2, 16, 16) + Object(0, 40, 24), version)));
  EXPECT_NO_THROW(RefuseEndlessHeaps(FileWith("")));
  EXPECT_NO_THROW(RefuseEndlessHeaps(FileWith(Object(1, 0, 0) + "GCOL")));
}

TEST(GlobalHeap, WhoseSizesLeadNowhereIsRefused) {
  for (const std::uint64_t size : {~std::uint64_t{0} - 15, ~std::uint64_t{0} - 31, std::uint64_t{1} << 40})
    EXPECT_THROW(RefuseEndlessHeaps(FileWith(Object(1, 5, 8) + Object(2, size, 8))), BadFile) << size;
  EXPECT_THROW(RefuseEndlessHeaps(FileWith(Object(0, 0, 8))), BadFile);
}

TEST(GlobalHeap, OfOtherLengthsIsRefused) {
  EXPECT_THROW(RefuseEndlessHeaps(FileWith("", 0, 4)), BadFile);
  EXPECT_THROW(RefuseEndlessHeaps(FileWith("", 3, 16)), BadFile);
  EXPECT_THROW(RefuseEndlessHeaps("\x89HDF\r\n\x1a\n"), BadFile);
}

TEST(GlobalHeap, ThatTheFuzzerFoundEndsAtOnce) {
  const auto file = ReadSmallFile(UNMASK_SOURCE_DIR "/fuzz/corpus/hdf5/endless_heap.h5").value();
  EXPECT_THROW(Hdf5File::FromBytes(file), BadFile);
}

}  // namespace
}  // namespace unmask::keras
