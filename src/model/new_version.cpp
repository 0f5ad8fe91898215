// SPDX-License-Identifier: Apache-2.0
#include "model/new_version.hpp"

#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <fmt/format.h>

namespace unmask {
namespace {

namespace fs = std::filesystem;

int NextVersion(const fs::path& model) {
  int highest = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(model, error)) {
    const std::string name = entry.path().filename().string();
    int version = 0;
    const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), version);
    if (failed == std::errc() && end == name.data() + name.size()) highest = std::max(highest, version);
  }
  return highest + 1;
}

}  // namespace

Result<void> CheckModelName(const std::string& name) {
  const bool good = !name.empty() && name.size() <= 64 && name[0] != '.' &&
                    std::all_of(name.begin(), name.end(), [](unsigned char c) {
                      return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
                    });
  if (good) return {};
  return Fail(ErrorCode::kBadRequest, fmt::format("'{}' is no name for a model", name),
              "use letters, digits, '-', '_' and '.', 64 at most");
}

Result<NewVersion> NewVersion::Begin(const fs::path& models, const std::string& name, int version) {
  if (auto good = CheckModelName(name); !good) return tl::unexpected(good.error());
  const fs::path model = models / name;
  if (version < 1) version = NextVersion(model);
  if (fs::exists(model / std::to_string(version)))
    return Fail(ErrorCode::kConflict, fmt::format("{}:{} exists already", name, version),
                "a version never changes: leave --version out for the next one");
  std::error_code error;
  const bool fresh = !fs::exists(model);
  fs::create_directories(model, error);
  std::string pattern = (model / ".new-XXXXXX").string();
  if (error || ::mkdtemp(pattern.data()) == nullptr)
    return Fail(ErrorCode::kUnreadable,
                fmt::format("{} cannot be written: {}", model.string(),
                            error ? error.message() : std::strerror(errno)),
                "choose a repository that you may write with --models");
  return NewVersion(model, pattern, version, fresh);
}

NewVersion::NewVersion(NewVersion&& other) noexcept
    : model_(std::move(other.model_)),
      folder_(std::exchange(other.folder_, {})),
      version_(other.version_),
      fresh_(other.fresh_) {}

NewVersion::~NewVersion() {
  if (folder_.empty()) return;
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
  if (fresh_) fs::remove(model_, ignored);  // only when it is empty
}

Result<fs::path> NewVersion::Publish() {
  const fs::path target = model_ / std::to_string(version_);
  ::chmod(folder_.c_str(), 0755);
  std::error_code error;
  fs::rename(folder_, target, error);  // a folder that is not empty is not replaced
  if (error)
    return Fail(ErrorCode::kConflict, fmt::format("{} cannot be made: {}", target.string(), error.message()),
                "see `unmask model list`");
  folder_.clear();
  return target;
}

}  // namespace unmask
