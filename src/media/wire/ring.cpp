// SPDX-License-Identifier: Apache-2.0
#include "media/wire/ring.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace unmask::wire {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kPage = 4096;
constexpr int kMaxSide = 65535;

constexpr std::size_t RoundUp(std::size_t value, std::size_t unit) {
  return (value + unit - 1) / unit * unit;
}

Result<std::uint8_t*> Map(int fd, std::size_t bytes) {
  void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED)
    return Fail(ErrorCode::kInternal,
                fmt::format("cannot map {} bytes of shared memory: {}", bytes, std::strerror(errno)));
  return static_cast<std::uint8_t*>(base);
}

}  // namespace

std::optional<RingLayout> LayOutRing(int width, int height, int slots) {
  if (width < 1 || height < 1 || slots < 1 || width > kMaxSide || height > kMaxSide || slots > 64) return {};
  RingLayout layout{width, height, slots};
  layout.stride = RoundUp(static_cast<std::size_t>(width) * 3, kCacheLine);
  // One row more than the picture: libswscale's vector code may write a little past the end of the last one.
  layout.slot_bytes = RoundUp(layout.stride * (static_cast<std::size_t>(height) + 1), kPage);
  return layout;
}

Result<Ring> Ring::Create(const RingLayout& layout) {
  UniqueFd fd(::memfd_create("unmask-frames", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(layout.total())) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return Fail(ErrorCode::kInternal,
                fmt::format("cannot create shared memory for frames: {}", std::strerror(errno)));
  auto base = Map(fd.get(), layout.total());
  if (!base) return tl::unexpected(base.error());
  return Ring(std::move(fd), layout, *base);
}

Result<Ring> Ring::Attach(UniqueFd fd, const RingLayout& layout) {
  // Not fstat: libc makes it a system call that the decoder's sandbox refuses.
  const off_t size = ::lseek(fd.get(), 0, SEEK_END);
  if (size < 0 || static_cast<std::size_t>(size) < layout.total())
    return Fail(ErrorCode::kInternal, "the shared memory for frames is too small");
  auto base = Map(fd.get(), layout.total());
  if (!base) return tl::unexpected(base.error());
  return Ring(std::move(fd), layout, *base);
}

Ring::Ring(Ring&& other) noexcept
    : fd_(std::move(other.fd_)), layout_(other.layout_), base_(std::exchange(other.base_, nullptr)) {}

Ring::~Ring() {
  if (base_) ::munmap(base_, layout_.total());
}

}  // namespace unmask::wire
