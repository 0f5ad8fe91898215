// SPDX-License-Identifier: Apache-2.0
#include "evaluation/archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace unmask {
namespace {

constexpr std::size_t kBlock = 64 << 10;

struct FreeArchive {
  void operator()(::archive* p) const { ::archive_read_free(p); }
};

std::string WhyOf(::archive* reader) {
  const char* text = ::archive_error_string(reader);
  return text == nullptr ? "unknown error" : text;
}

bool IsUnsafe(std::string_view name) {
  if (name.empty() || name.front() == '/') return true;
  while (!name.empty()) {
    const std::string_view part = name.substr(0, name.find('/'));
    if (part == "..") return true;
    name.remove_prefix(std::min(name.size(), part.size() + 1));
  }
  return false;
}

ArchiveEntry ToEntry(::archive_entry* found) {
  ArchiveEntry entry;
  const char* name = ::archive_entry_pathname(found);
  entry.name = name == nullptr ? "" : name;
  while (entry.name.starts_with("./")) entry.name.erase(0, 2);
  entry.bytes = static_cast<std::uint64_t>(std::max<la_int64_t>(0, ::archive_entry_size(found)));
  const auto type = ::archive_entry_filetype(found);
  if (type == AE_IFDIR)
    entry.kind = ArchiveEntryKind::kFolder;
  else if (IsUnsafe(entry.name))
    entry.kind = ArchiveEntryKind::kUnsafeName;
  else if (type != AE_IFREG || ::archive_entry_hardlink(found) != nullptr)
    entry.kind = ArchiveEntryKind::kOther;
  return entry;
}

}  // namespace

struct ArchiveReader::State {
  UniqueFd file;
  std::unique_ptr<::archive, FreeArchive> reader;
};

ArchiveReader::ArchiveReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;
ArchiveReader& ArchiveReader::operator=(ArchiveReader&&) noexcept = default;
ArchiveReader::~ArchiveReader() = default;

Result<ArchiveReader> ArchiveReader::Open(const std::filesystem::path& file) {
  auto fd = OpenForReading(file);
  if (!fd) return tl::unexpected(fd.error());
  auto state = std::make_unique<State>();
  state->file = std::move(*fd);
  state->reader.reset(::archive_read_new());
  ::archive* reader = state->reader.get();
  // By name: "all" would also start programs for rare compressions.
  ::archive_read_support_format_tar(reader);
  ::archive_read_support_filter_gzip(reader);
  ::archive_read_support_filter_bzip2(reader);
  ::archive_read_support_filter_xz(reader);
  ::archive_read_support_filter_zstd(reader);
  if (::archive_read_open_fd(reader, state->file.get(), kBlock) != ARCHIVE_OK)
    return Fail(ErrorCode::kUnsupportedMedia, fmt::format("is no tar archive: {}", WhyOf(reader)),
                "name a folder, a tar archive or a .csv file");
  return ArchiveReader(std::move(state));
}

Result<std::optional<ArchiveEntry>> ArchiveReader::Next() {
  ::archive_entry* found = nullptr;
  const int status = ::archive_read_next_header(state_->reader.get(), &found);
  if (status == ARCHIVE_EOF) return std::nullopt;
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
    return Fail(ErrorCode::kUndecodable,
                fmt::format("the archive is broken: {}", WhyOf(state_->reader.get())),
                "make it again, or copy it again if it was cut short");
  return ToEntry(found);
}

Result<PrivateFile> ArchiveReader::Extract(const std::filesystem::path& folder, std::uint64_t limit) {
  auto file = PrivateFile::Create(folder);
  if (!file) return file;
  std::array<char, kBlock> block;
  for (;;) {
    const la_ssize_t n = ::archive_read_data(state_->reader.get(), block.data(), block.size());
    if (n == 0) return file;
    if (n < 0)
      return Fail(ErrorCode::kUndecodable,
                  fmt::format("the archive is broken: {}", WhyOf(state_->reader.get())),
                  "make it again, or copy it again if it was cut short");
    if (file->size() + static_cast<std::uint64_t>(n) > limit)
      return Fail(ErrorCode::kTooLarge, fmt::format("has more than {} bytes", limit));
    if (auto written = file->Append({block.data(), static_cast<std::size_t>(n)}); !written)
      return tl::unexpected(written.error());
  }
}

}  // namespace unmask
