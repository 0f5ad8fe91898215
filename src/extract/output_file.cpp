// SPDX-License-Identifier: Apache-2.0
#include "extract/output_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/file.hpp"

namespace unmask {
namespace {

tl::unexpected<Error> CannotWrite(const std::filesystem::path& path) {
  return Fail(ErrorCode::kInternal, fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)),
              "free some disk space, check the permissions or choose another place with --output");
}

}  // namespace

Result<OutputFile> OutputFile::Open(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!fd) return CannotWrite(path);
  const auto size = FileSize(fd.get());
  if (!size) return tl::unexpected(size.error());
  return OutputFile(std::move(fd), path, *size);
}

Result<void> OutputFile::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return CannotWrite(path_);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    size_ += static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<void> OutputFile::CutTo(std::uint64_t size) {
  if (size > size_)
    return Fail(ErrorCode::kConflict,
                fmt::format("expected at least {} bytes in {}, found {}", size, path_.string(), size_),
                "the set was changed by hand; begin again with --overwrite");
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return CannotWrite(path_);
  size_ = size;
  return {};
}

bool OutputFile::Lock() const { return ::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0; }

}  // namespace unmask
