// SPDX-License-Identifier: Apache-2.0
#include "model/keras/global_heap.hpp"

#include <cstdint>
#include <cstring>

#include <fmt/format.h>

#include "model/keras/weight_file.hpp"

namespace unmask::keras {
namespace {

// HDF5 File Format Specification 3.0: II.A (superblock), III.E (global heap). Numbers are little-endian.
constexpr std::string_view kHeap = "GCOL\x01";
constexpr std::size_t kHeader = 16;  // of a heap, and of each object, with lengths of 8 bytes

template <typename Number>
Number At(std::string_view content, std::size_t place) {
  Number number;
  std::memcpy(&number, content.data() + place, sizeof number);
  return number;
}

void CheckLengths(std::string_view content) {
  constexpr std::size_t kVersion = 8;
  if (content.size() < kHeader) throw BadFile("it is no complete HDF5 file");
  const std::size_t place = content[kVersion] < 2 ? 14 : 10;
  if (content[place] != 8)
    throw BadFile(fmt::format("it states lengths in {} bytes (expected 8)", int{content[place]}));
}

/// What the library adds to an object's place to find the next one; may wrap around.
std::uint64_t StepOver(std::uint16_t index, std::uint64_t size) {
  return index == 0 ? size : kHeader + ((size + 7) & ~std::uint64_t{7});
}

}  // namespace

void RefuseEndlessHeaps(std::string_view content) {
  CheckLengths(content);
  for (std::size_t heap = content.find(kHeap); heap != std::string_view::npos;
       heap = content.find(kHeap, heap + 1)) {
    if (content.size() - heap < kHeader) return;
    const auto claimed = At<std::uint64_t>(content, heap + 8);
    const std::size_t end = claimed < content.size() - heap ? heap + claimed : content.size();
    for (std::size_t object = heap + kHeader; object + kHeader <= end;) {
      const auto size = At<std::uint64_t>(content, object + 8);
      const std::uint64_t step = StepOver(At<std::uint16_t>(content, object), size);
      if (step == 0 || step > content.size())
        throw BadFile(fmt::format("its heap at byte {} holds an object of {} bytes (the file has {})", heap,
                                  size, content.size()),
                      "the file is damaged or hostile: save the model again");
      object += step;
    }
  }
}

}  // namespace unmask::keras
