// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/media_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>

#include "media/decoder/output.hpp"

namespace unmask::decoder {
namespace {

constexpr int kInputBuffer = 256 << 10;

}  // namespace

std::size_t MediaFile::ReadAt(std::uint64_t offset, std::span<unsigned char> out) const {
  std::size_t done = 0;
  while (done < out.size() && offset + done < size_) {
    const std::size_t want =
        static_cast<std::size_t>(std::min<std::uint64_t>(out.size() - done, size_ - offset - done));
    const ssize_t n = ::pread(fd_.get(), out.data() + done, want, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw GiveUp{wire::FailureReason::kUnreadable, {}};
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

Sniffed MediaFile::Sniff() const {
  std::array<unsigned char, kSniffBytes> head;
  const std::size_t size = ReadAt(0, head);
  return decoder::Sniff(std::span(head).first(size));
}

std::span<const unsigned char> MediaFile::Map() const {
  void* base = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd_.get(), 0);
  if (base == MAP_FAILED) throw std::bad_alloc();
  return {static_cast<const unsigned char*>(base), static_cast<std::size_t>(size_)};
}

MediaInput::MediaInput(const MediaFile& file) : file_(file) {
  auto* buffer = static_cast<unsigned char*>(av_malloc(kInputBuffer));
  if (!buffer) throw std::bad_alloc();
  context_.reset(avio_alloc_context(buffer, kInputBuffer, 0, this, &Read, nullptr, &Seek));
  if (!context_) throw std::bad_alloc();
}

// C++ exceptions must not cross libavformat, so a failing disk becomes an error number.
int MediaInput::Read(void* self, std::uint8_t* buffer, int size) {
  auto& input = *static_cast<MediaInput*>(self);
  try {
    const std::size_t n = input.file_.ReadAt(input.position_, {buffer, static_cast<std::size_t>(size)});
    input.position_ += n;
    return n == 0 ? AVERROR_EOF : static_cast<int>(n);
  } catch (const GiveUp&) {
    return AVERROR(EIO);
  }
}

std::int64_t MediaInput::Seek(void* self, std::int64_t offset, int whence) {
  auto& input = *static_cast<MediaInput*>(self);
  if (whence & AVSEEK_SIZE) return static_cast<std::int64_t>(input.file_.size());
  whence &= ~AVSEEK_FORCE;
  if (whence == SEEK_CUR) offset += static_cast<std::int64_t>(input.position_);
  if (whence == SEEK_END) offset += static_cast<std::int64_t>(input.file_.size());
  if (offset < 0) return AVERROR(EINVAL);
  input.position_ = static_cast<std::uint64_t>(offset);
  return offset;
}

}  // namespace unmask::decoder
