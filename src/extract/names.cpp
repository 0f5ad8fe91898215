// SPDX-License-Identifier: Apache-2.0
#include "extract/names.hpp"

#include <fmt/format.h>

namespace unmask {
namespace {

constexpr std::size_t kIdDigits = 16;  // 64 bits of the hash: no two of a billion sources meet by chance

bool IsLabel(const std::filesystem::path& folder) { return folder == kReal || folder == kFake; }

}  // namespace

std::string_view GroupByName(GroupBy by) {
  switch (by) {
    case GroupBy::kSource:
      return "source";
    case GroupBy::kFolder:
      return "folder";
    case GroupBy::kName:
      return "name";
  }
  return "source";
}

std::string LabelOfPath(const std::filesystem::path& path) {
  std::string label;
  for (const auto& folder : path.lexically_normal().parent_path())
    if (IsLabel(folder)) label = folder.string();
  return label;
}

std::string GroupOf(GroupBy by, const std::filesystem::path& path, std::string_view sha256) {
  if (by == GroupBy::kSource) return std::string(sha256.substr(0, kIdDigits));
  const auto normal = path.lexically_normal();
  std::filesystem::path group;
  for (const auto& folder : normal.parent_path())
    if (!IsLabel(folder)) group /= folder;
  if (by == GroupBy::kName) group /= normal.stem();
  return group.empty() ? "." : group.string();
}

std::string FaceId(std::string_view sha256, int track, std::int64_t frame) {
  return fmt::format("{}-t{:02}-f{:06}", sha256.substr(0, kIdDigits), track, frame);
}

std::string FacePath(std::string_view split, std::string_view label, std::string_view id,
                     std::string_view extension) {
  return fmt::format("{}/{}/{}.{}", split, label.empty() ? kUnlabelled : label, id, extension);
}

}  // namespace unmask
