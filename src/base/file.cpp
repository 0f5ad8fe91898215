// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

namespace unmask {
namespace {

std::string Reason(int error) { return std::strerror(error); }

Result<void> WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return Fail(ErrorCode::kInternal, fmt::format("cannot write: {}", Reason(errno)),
                  "free some disk space or choose another folder");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

Result<UniqueFd> OpenForReading(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR)
      return Fail(ErrorCode::kNotFound, "no such file", "check the path");
    return Fail(ErrorCode::kUnreadable, fmt::format("cannot be opened: {}", Reason(errno)),
                errno == EACCES ? "check the file's permissions" : "");
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return Fail(ErrorCode::kUnreadable, Reason(errno));
  if (S_ISDIR(info.st_mode)) return Fail(ErrorCode::kUnreadable, "is a folder, expected a file");
  if (!S_ISREG(info.st_mode))
    return Fail(ErrorCode::kUnreadable, "is not a regular file", "copy it to a file first");
  return fd;
}

Result<std::uint64_t> FileSize(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return Fail(ErrorCode::kUnreadable, Reason(errno));
  return static_cast<std::uint64_t>(info.st_size);
}

Result<MappedFile> MappedFile::Open(const std::filesystem::path& path) {
  auto fd = OpenForReading(path);
  if (!fd) return tl::unexpected(fd.error());
  const auto size = FileSize(fd->get());
  if (!size) return tl::unexpected(size.error());
  if (*size == 0) return Fail(ErrorCode::kUnreadable, "is empty");
  void* address = ::mmap(nullptr, *size, PROT_READ, MAP_PRIVATE, fd->get(), 0);
  if (address == MAP_FAILED)
    return Fail(ErrorCode::kUnreadable, fmt::format("cannot be mapped: {}", Reason(errno)));
  return MappedFile({static_cast<const char*>(address), static_cast<std::size_t>(*size)});
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

Result<std::string> ReadSmallFile(const std::filesystem::path& path, std::uint64_t limit) {
  auto fd = OpenForReading(path);
  if (!fd) return tl::unexpected(fd.error());
  std::string content;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(fd->get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Fail(ErrorCode::kUnreadable, fmt::format("cannot be read: {}", Reason(errno)));
    if (n == 0) return content;
    content.append(buffer, static_cast<std::size_t>(n));
    if (content.size() > limit)
      return Fail(ErrorCode::kTooLarge,
                  fmt::format("is larger than the {} bytes that are expected at most", limit));
  }
}

Result<void> WriteFileAtomically(const std::filesystem::path& path, std::string_view content) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::string temporary = (folder / ".unmask-XXXXXX").string();
  UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd)
    return Fail(ErrorCode::kUnreadable,
                fmt::format("cannot write into {}: {}", folder.string(), Reason(errno)),
                "choose another place with --output");
  auto written = WriteAll(fd.get(), content);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (written && (::fchmod(fd.get(), 0666 & ~mask) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0))
    written = Fail(ErrorCode::kUnreadable, fmt::format("cannot write {}: {}", path.string(), Reason(errno)));
  if (!written) ::unlink(temporary.c_str());
  return written;
}

Result<PrivateFile> PrivateFile::Create(const std::filesystem::path& folder) {
  int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {  // a file system without O_TMPFILE
    std::string name = (folder / "unmask-XXXXXX").string();
    fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0)
      return Fail(ErrorCode::kInternal,
                  fmt::format("cannot create a file in {}: {}", folder.string(), Reason(errno)),
                  "choose a writable folder with --data");
    ::unlink(name.c_str());
  }
  return PrivateFile(UniqueFd(fd));
}

Result<PrivateFile> PrivateFile::InMemory() {
  const int fd = ::memfd_create("unmask", MFD_CLOEXEC);
  if (fd < 0) return Fail(ErrorCode::kInternal, fmt::format("no file in memory: {}", Reason(errno)));
  return PrivateFile(UniqueFd(fd));
}

Result<void> PrivateFile::Append(std::span<const char> bytes) {
  auto written = WriteAll(fd_.get(), {bytes.data(), bytes.size()});
  if (written) size_ += bytes.size();
  return written;
}

std::filesystem::path PrivateFile::path() const { return fmt::format("/proc/self/fd/{}", fd_.get()); }

}  // namespace unmask
