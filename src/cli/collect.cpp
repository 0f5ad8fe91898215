// SPDX-License-Identifier: Apache-2.0
#include "cli/collect.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace unmask {
namespace {

namespace fs = std::filesystem;

/// What nobody means when they name a folder of media. Anything else is tried: a picture may have any name.
const std::set<std::string, std::less<>>& OtherExtensions() {
  static const std::set<std::string, std::less<>> kExtensions = {
      ".7z",    ".a",       ".aac",    ".ass", ".bak",  ".bin",  ".bz2",  ".c",       ".cfg",    ".conf",
      ".cpp",   ".css",     ".csv",    ".db",  ".dll",  ".doc",  ".docx", ".exe",     ".flac",   ".go",
      ".gz",    ".h",       ".hpp",    ".htm", ".html", ".ini",  ".iso",  ".jar",     ".java",   ".js",
      ".json",  ".jsonl",   ".lock",   ".log", ".m3u",  ".m4a",  ".md",   ".md5",     ".mp3",    ".nfo",
      ".o",     ".odp",     ".ods",    ".odt", ".onnx", ".opus", ".otf",  ".parquet", ".part",   ".pdf",
      ".ppt",   ".pptx",    ".pt",     ".pth", ".py",   ".rar",  ".rs",   ".rst",     ".sh",     ".sha256",
      ".so",    ".sql",     ".sqlite", ".srt", ".sub",  ".sum",  ".tar",  ".tex",     ".tflite", ".tmp",
      ".toml",  ".torrent", ".tsv",    ".ttf", ".txt",  ".url",  ".vtt",  ".wav",     ".wma",    ".woff",
      ".woff2", ".xls",     ".xlsx",   ".xml", ".xz",   ".yaml", ".yml",  ".zip",     ".zst"};
  return kExtensions;
}

bool IsObviouslyNoMedia(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return OtherExtensions().contains(extension);
}

class Collector {
 public:
  explicit Collector(Inputs& inputs) : inputs_(inputs) {}

  void AddFolder(const fs::path& folder) {
    struct stat info {};
    if (::stat(folder.c_str(), &info) == 0 && !visited_.emplace(info.st_dev, info.st_ino).second) return;

    std::error_code error;
    std::vector<fs::path> entries;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
      entries.push_back(entry->path());
    if (error) {
      inputs_.files.push_back(
          {folder, folder.string(),
           Error{ErrorCode::kUnreadable, fmt::format("the folder cannot be read: {}", error.message()),
                 "check the folder's permissions", ""}});
      return;
    }
    std::sort(entries.begin(), entries.end());
    for (const fs::path& entry : entries) AddEntry(entry);
  }

 private:
  void AddEntry(const fs::path& entry) {
    if (entry.filename().native().starts_with('.')) {
      ++inputs_.hidden;
      return;
    }
    std::error_code ignored;
    if (fs::is_directory(entry, ignored)) {
      AddFolder(entry);
    } else if (IsObviouslyNoMedia(entry)) {
      ++inputs_.skipped;
    } else {
      inputs_.files.push_back({entry, entry.string(), std::nullopt});
    }
  }

  Inputs& inputs_;
  std::set<std::pair<dev_t, ino_t>> visited_;
};

}  // namespace

Inputs CollectInputs(const std::vector<std::string>& paths) {
  Inputs inputs;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      inputs.files.push_back({path, path, std::nullopt});
      continue;
    }
    const std::size_t before = inputs.files.size();
    Collector(inputs).AddFolder(path);
    if (inputs.files.size() == before)
      inputs.files.push_back({path, path,
                              Error{ErrorCode::kNotFound, "the folder holds no pictures or videos",
                                    "name a folder or file with media", ""}});
  }
  return inputs;
}

std::string DescribeSkipped(const Inputs& inputs) {
  std::string text;
  if (inputs.skipped > 0)
    text = fmt::format("{} {} no picture or video by {} extension", inputs.skipped,
                       inputs.skipped == 1 ? "file that is" : "files that are",
                       inputs.skipped == 1 ? "its" : "their");
  if (inputs.hidden > 0)
    text += fmt::format("{}{} hidden {}", text.empty() ? "" : " and ", inputs.hidden,
                        inputs.hidden == 1 ? "entry" : "entries");
  return text;
}

}  // namespace unmask
