// SPDX-License-Identifier: Apache-2.0
#include "base/append_log.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string>

#include <fmt/format.h>

namespace unmask {
namespace {

tl::unexpected<Error> CannotWrite(const std::filesystem::path& path, int error) {
  return Fail(ErrorCode::kUnreadable,
              fmt::format("{} cannot be written: {}", path.string(), std::strerror(error)),
              error == ENOSPC ? "free some disk space" : "check who owns it and its permissions");
}

}  // namespace

Result<AppendLog> AppendLog::Open(const std::filesystem::path& path, mode_t mode) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return CannotWrite(path, errno);
  if (!S_ISREG(info.st_mode)) return CannotWrite(path, EINVAL);
  while (::flock(fd.get(), LOCK_EX) != 0)
    if (errno != EINTR) return CannotWrite(path, errno);
  return AppendLog(path, std::move(fd));
}

Result<void> AppendLog::Append(std::string_view line) {
  const auto before = size();
  if (!before) return tl::unexpected(before.error());
  before_ = static_cast<off_t>(*before);
  std::string text = std::string(line) + "\n";
  char last = '\n';
  if (before_ > 0 && ::pread(fd_.get(), &last, 1, before_ - 1) == 1 && last != '\n') text.insert(0, "\n");
  const ssize_t written = ::write(fd_.get(), text.data(), text.size());
  if (written == static_cast<ssize_t>(text.size()) && ::fsync(fd_.get()) == 0) return {};
  const int error = written < 0 || written == static_cast<ssize_t>(text.size()) ? errno : ENOSPC;
  TakeBack();
  return CannotWrite(path_, error);
}

void AppendLog::TakeBack() {
  if (::ftruncate(fd_.get(), before_) != 0) return;
}

Result<std::uint64_t> AppendLog::size() const {
  struct stat info {};
  if (::fstat(fd_.get(), &info) != 0) return CannotWrite(path_, errno);
  return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace unmask
