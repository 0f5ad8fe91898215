// SPDX-License-Identifier: Apache-2.0
#include "model/compiled_cache.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include <spdlog/spdlog.h>

#include "base/file.hpp"
#include "base/hash.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxEntries = 16;
constexpr const char* kSuffix = ".compiled";

std::string HashOf(std::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Finish();
}

bool IsOurs(const fs::path& folder) {
  struct stat status {};
  return ::lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
         (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

void KeepNewest(const fs::path& folder) {
  std::error_code error;
  std::vector<std::pair<fs::file_time_type, fs::path>> entries;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == kSuffix) entries.emplace_back(entry.last_write_time(error), entry.path());
  std::sort(entries.rbegin(), entries.rend());
  for (std::size_t i = kMaxEntries; i < entries.size(); ++i) fs::remove(entries[i].second, error);
}

}  // namespace

fs::path CompiledCache::FileOf(std::string_view key) const { return folder_ / (HashOf(key) + kSuffix); }

std::optional<CompiledCache::Entry> CompiledCache::Read(std::string_view key) const {
  if (folder_.empty() || !IsOurs(folder_)) return std::nullopt;
  auto file = MappedFile::Open(FileOf(key));
  if (!file || file->bytes().size() < kHeader) return std::nullopt;
  if (HashOf(file->bytes().substr(kHeader)) != file->bytes().substr(0, kHeader)) {
    spdlog::warn("{} is damaged and is made anew", FileOf(key).string());
    return std::nullopt;
  }
  return Entry(std::move(*file));
}

void CompiledCache::Write(std::string_view key, std::string_view content) const {
  if (folder_.empty()) return;
  std::error_code error;
  if (!fs::exists(folder_, error)) {
    fs::create_directories(folder_.parent_path(), error);
    ::mkdir(folder_.c_str(), S_IRWXU);
  }
  if (!IsOurs(folder_)) {
    spdlog::debug("compiled networks are not kept: {} is not a folder that only this user may write",
                  folder_.string());
    return;
  }
  const std::string bytes = HashOf(content).append(content);
  if (const auto written = WriteFileAtomically(FileOf(key), bytes); !written)
    spdlog::debug("compiled networks are not kept: {}", written.error().message);
  KeepNewest(folder_);
}

fs::path DefaultCacheFolder() {
  const auto absolute = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && value[0] == '/' ? fs::path(value) : fs::path();
  };
  if (const fs::path cache = absolute("XDG_CACHE_HOME"); !cache.empty()) return cache / "unmask";
  if (const fs::path home = absolute("HOME"); !home.empty()) return home / ".cache" / "unmask";
  return {};
}

}  // namespace unmask
