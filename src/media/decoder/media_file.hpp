// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "base/fd.hpp"
#include "media/decoder/libav.hpp"
#include "media/decoder/sniff.hpp"

namespace unmask::decoder {

/// The media's bytes. Reads by offset, never by the descriptor's position, which other decoders may share.
class MediaFile {
 public:
  MediaFile(UniqueFd fd, std::uint64_t size) : fd_(std::move(fd)), size_(size) {}

  std::uint64_t size() const { return size_; }

  /// Reads up to `out.size()` bytes at `offset`; fewer only at the end. Throws GiveUp when the disk fails.
  std::size_t ReadAt(std::uint64_t offset, std::span<unsigned char> out) const;

  Sniffed Sniff() const;

  /// The whole file as memory, for as long as this object lives. Pages are read when they are touched.
  std::span<const unsigned char> Map();

  /// For libavformat: reads and seeks in this file, which must outlive it. Keeps a position of its own.
  InputContext MakeInput();

 private:
  static int Read(void* self, std::uint8_t* buffer, int size);
  static std::int64_t Seek(void* self, std::int64_t offset, int whence);

  UniqueFd fd_;
  std::uint64_t size_;
  std::uint64_t position_ = 0;
};

}  // namespace unmask::decoder
