// SPDX-License-Identifier: Apache-2.0
#include "model/repository.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "model/ensemble.hpp"
#include "model/rollout.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

std::optional<int> ParseVersion(std::string_view text) {
  int version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < 1) return std::nullopt;
  return version;
}

std::vector<fs::path> Subfolders(const fs::path& folder) {
  std::vector<fs::path> result;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_directory(error)) result.push_back(entry.path());
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<int> VersionsIn(const fs::path& model) {
  std::vector<int> versions;
  std::error_code error;
  for (const auto& folder : Subfolders(model))
    if (const auto version = ParseVersion(folder.filename().string());
        version && folder.filename() == std::to_string(*version) && fs::exists(folder / "model.json", error))
      versions.push_back(*version);
  std::sort(versions.begin(), versions.end());
  return versions;
}

/// `root` is the repository, which the file must not lead out of.
Result<void> CheckInside(const fs::path& root, const fs::path& file) {
  std::error_code error;
  const fs::path base = fs::canonical(root, error);
  const fs::path real = error ? fs::path() : fs::canonical(file, error);
  if (error) return {};  // absent or unreadable: who opens it says so
  const auto [end, _] = std::mismatch(base.begin(), base.end(), real.begin(), real.end());
  if (end == base.end()) return {};
  return Fail(ErrorCode::kInternal,
              fmt::format("{} is a link out of the repository, to {}", file.string(), real.string()),
              "copy the file itself into the repository");
}

/// Names, sizes and times of the files in a folder, not in depth.
std::string SignatureOf(const fs::path& folder) {
  std::vector<std::string> lines;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    struct stat info {};
    if (::stat(entry.path().c_str(), &info) != 0) continue;
    lines.push_back(fmt::format("{}:{}:{}:{}.{:09}", entry.path().filename().string(), info.st_ino,
                                info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec));
  }
  std::sort(lines.begin(), lines.end());
  return fmt::format("{}", fmt::join(lines, "\n"));
}

/// Without the members of an ensemble.
Result<ModelCard> ReadOneCard(const fs::path& folder) {
  if (auto inside = CheckInside(folder.parent_path().parent_path(), folder / "model.json"); !inside)
    return tl::unexpected(inside.error());
  auto text = ReadSmallFile(folder / "model.json", 1 << 20);
  if (!text)
    return Fail(text.error().code,
                fmt::format("{}: {}", (folder / "model.json").string(), text.error().message));
  auto card = ParseModelCard(*text);
  if (!card)
    return Fail(card.error().code, fmt::format("{}: {}", folder.string(), card.error().message),
                card.error().hint);
  card->folder = folder;
  if (folder.parent_path().filename() != card->name || folder.filename() != std::to_string(card->version))
    return Fail(ErrorCode::kInternal,
                fmt::format("{} holds the card of {}:{} (expected its own name and version)", folder.string(),
                            card->name, card->version));
  return card;
}

fs::path FolderOf(const fs::path& root, const EnsembleMember& member) {
  return root / member.name / std::to_string(member.version);
}

Result<ModelCard> ReadCard(const fs::path& folder) {
  auto card = ReadOneCard(folder);
  if (!card || !card->ensemble) return card;
  const auto resolved = ResolveMembers(*card, [&](const EnsembleMember& member) {
    return ReadOneCard(FolderOf(folder.parent_path().parent_path(), member));
  });
  if (!resolved) return tl::unexpected(resolved.error());
  return card;
}

/// Of an ensemble the members' files, too: it cannot be loaded without them.
std::string SignatureOfVersion(const fs::path& root, const fs::path& folder) {
  std::string signature = SignatureOf(folder);
  if (const auto card = ReadOneCard(folder); card && card->ensemble)
    for (const EnsembleMember& member : card->ensemble->members)
      signature += "\n" + SignatureOf(FolderOf(root, member));
  return signature;
}

Result<void> CheckRoot(const fs::path& root) {
  if (fs::is_directory(root)) return {};
  return Fail(ErrorCode::kNotFound, fmt::format("no model repository at {}", root.string()),
              "give another folder with --models");
}

Result<void> VerifyFiles(const ModelCard& card, const std::map<std::string, std::string>& files) {
  for (const auto& [name, expected] : files) {
    if (auto inside = CheckInside(card.folder.parent_path().parent_path(), card.folder / name); !inside)
      return inside;
    auto fd = OpenForReading(card.folder / name);
    if (!fd)
      return Fail(ErrorCode::kInternal,
                  fmt::format("{}: {}", (card.folder / name).string(), fd.error().message),
                  "restore the file");
    auto found = Sha256OfFile(fd->get());
    if (!found) return tl::unexpected(found.error());
    if (*found != expected)
      return Fail(
          ErrorCode::kInternal,
          fmt::format("{} has the sha256 {} (expected {})", (card.folder / name).string(), *found, expected),
          "the file was changed or damaged: restore it");
  }
  return {};
}

}  // namespace

Result<std::vector<ModelCard>> ModelRepository::List() const {
  if (auto root = CheckRoot(root_); !root) return tl::unexpected(root.error());
  std::vector<ModelCard> cards;
  for (const auto& model : Subfolders(root_))
    for (const int version : VersionsIn(model))
      if (auto card = ReadCard(model / std::to_string(version))) cards.push_back(std::move(*card));
  return cards;
}

Result<ModelCard> ModelRepository::Find(std::string_view name) const {
  if (auto root = CheckRoot(root_); !root) return tl::unexpected(root.error());
  const auto mark = name.find_first_of(":@");
  const std::string model(name.substr(0, mark));
  std::vector<std::string> known;
  for (const auto& folder : Subfolders(root_)) known.push_back(folder.filename().string());
  if (std::find(known.begin(), known.end(), model) == known.end())
    return Fail(ErrorCode::kNotFound,
                fmt::format("no model '{}' (there is: {})", model, fmt::join(known, ", ")),
                "see `unmask model list`");
  const auto versions = VersionsIn(root_ / model);
  if (versions.empty()) return Fail(ErrorCode::kNotFound, fmt::format("model '{}' has no version", model));
  std::optional<int> wanted;
  if (mark == std::string_view::npos || name[mark] == '@') {
    const auto labels = RolloutFiles(root_ / model).Read();
    if (!labels) return tl::unexpected(labels.error());
    const auto label = mark == std::string_view::npos ? "stable" : name.substr(mark + 1);
    if (label != "stable" && label != "canary")
      return Fail(ErrorCode::kNotFound,
                  fmt::format("there is no label '{}' (expected stable or canary)", label),
                  "see `unmask model labels`");
    wanted = label == "stable" ? labels->stable : labels->canary;
    if (!wanted && mark != std::string_view::npos)
      return Fail(ErrorCode::kNotFound, fmt::format("no version of '{}' is labelled {}", model, label),
                  "see `unmask model labels`");
    if (!wanted) wanted = versions.back();
  } else {
    wanted = ParseVersion(name.substr(mark + 1));
  }
  if (!wanted || std::find(versions.begin(), versions.end(), *wanted) == versions.end())
    return Fail(ErrorCode::kNotFound,
                fmt::format("model '{}' has no version '{}' (there is: {})", model,
                            wanted ? std::to_string(*wanted) : std::string(name.substr(mark + 1)),
                            fmt::join(versions, ", ")),
                "see `unmask model list`");
  return ReadCard(root_ / model / std::to_string(*wanted));
}

Result<std::vector<VersionFolder>> ModelRepository::Versions(const std::string& name) const {
  const fs::path folder = root_ / name;
  std::error_code error;
  const fs::directory_iterator probe(folder, error);
  if (error)
    return Fail(error == std::errc::no_such_file_or_directory ? ErrorCode::kNotFound : ErrorCode::kUnreadable,
                fmt::format("{} cannot be read: {}", folder.string(), error.message()), "restore the folder");
  std::vector<VersionFolder> versions;
  for (const int version : VersionsIn(folder))
    versions.push_back({version, SignatureOfVersion(root_, folder / std::to_string(version))});
  return versions;
}

Result<ModelCard> ModelRepository::Card(const std::string& name, int version) const {
  return ReadCard(root_ / name / std::to_string(version));
}

Result<void> ModelRepository::Verify(const ModelCard& card) {
  for (const ModelCard& member : card.members)
    if (auto verified = Verify(member); !verified) return verified;
  return VerifyFiles(card, card.files);
}

Result<void> ModelRepository::VerifyNetwork(const ModelCard& card) {
  auto files = card.files;
  const std::string weights = fs::path(card.network_file).replace_extension(".bin").string();
  std::erase_if(files,
                [&](const auto& file) { return file.first != card.network_file && file.first != weights; });
  return VerifyFiles(card, files);
}
}  // namespace unmask
