// SPDX-License-Identifier: Apache-2.0
#include "model/repository.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.hpp"
#include "base/hash.hpp"

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

std::vector<int> Versions(const fs::path& model) {
  std::vector<int> versions;
  for (const auto& folder : Subfolders(model))
    if (const auto version = ParseVersion(folder.filename().string());
        version && fs::exists(folder / "model.json"))
      versions.push_back(*version);
  std::sort(versions.begin(), versions.end());
  return versions;
}

Result<ModelCard> ReadCard(const fs::path& folder) {
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

Result<void> CheckRoot(const fs::path& root) {
  if (fs::is_directory(root)) return {};
  return Fail(ErrorCode::kNotFound, fmt::format("no model repository at {}", root.string()),
              "give another folder with --models");
}

Result<void> VerifyFiles(const ModelCard& card, const std::map<std::string, std::string>& files) {
  for (const auto& [name, expected] : files) {
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
    for (const int version : Versions(model))
      if (auto card = ReadCard(model / std::to_string(version))) cards.push_back(std::move(*card));
  return cards;
}

Result<ModelCard> ModelRepository::Find(std::string_view name) const {
  if (auto root = CheckRoot(root_); !root) return tl::unexpected(root.error());
  const auto colon = name.find(':');
  const std::string model(name.substr(0, colon));
  std::vector<std::string> known;
  for (const auto& folder : Subfolders(root_)) known.push_back(folder.filename().string());
  if (std::find(known.begin(), known.end(), model) == known.end())
    return Fail(ErrorCode::kNotFound,
                fmt::format("no model '{}' (there is: {})", model, fmt::join(known, ", ")),
                "see `unmask model list`");
  const auto versions = Versions(root_ / model);
  if (versions.empty()) return Fail(ErrorCode::kNotFound, fmt::format("model '{}' has no version", model));
  int version = versions.back();
  if (colon != std::string_view::npos) {
    const auto wanted = ParseVersion(name.substr(colon + 1));
    if (!wanted || std::find(versions.begin(), versions.end(), *wanted) == versions.end())
      return Fail(ErrorCode::kNotFound,
                  fmt::format("model '{}' has no version '{}' (there is: {})", model, name.substr(colon + 1),
                              fmt::join(versions, ", ")),
                  "see `unmask model list`");
    version = *wanted;
  }
  return ReadCard(root_ / model / std::to_string(version));
}

Result<void> ModelRepository::Verify(const ModelCard& card) { return VerifyFiles(card, card.files); }

Result<void> ModelRepository::VerifyNetwork(const ModelCard& card) {
  auto files = card.files;
  const std::string weights = fs::path(card.network_file).replace_extension(".bin").string();
  std::erase_if(files,
                [&](const auto& file) { return file.first != card.network_file && file.first != weights; });
  return VerifyFiles(card, files);
}
}  // namespace unmask
