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
  std::span<const unsigned char> Map() const;

 private:
  UniqueFd fd_;
  std::uint64_t size_;
};

/// A media file as libavformat reads it, with a position of its own. Not movable: libavformat points to it.
class MediaInput {
 public:
  explicit MediaInput(const MediaFile& file);
  MediaInput(const MediaInput&) = delete;
  MediaInput& operator=(const MediaInput&) = delete;

  AVIOContext* context() const { return context_.get(); }

 private:
  static int Read(void* self, std::uint8_t* buffer, int size);
  static std::int64_t Seek(void* self, std::int64_t offset, int whence);

  const MediaFile& file_;
  std::uint64_t position_ = 0;
  InputContext context_;
};

}  // namespace unmask::decoder
