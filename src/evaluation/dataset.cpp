// SPDX-License-Identifier: Apache-2.0
#include "evaluation/dataset.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "base/file.hpp"
#include "evaluation/archive.hpp"
#include "evaluation/csv_reader.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxCsvBytes = std::uint64_t{1} << 30;

/// True for the tables that `unmask faces extract` writes beside a set's crops.
bool IsTableOfSet(const fs::path& below) {
  return below == "faces.csv" || below == "sources.csv" || below == "extract.json";
}

/// What a path or a list says of a file.
struct Facts {
  std::optional<bool> label;
  std::string split;
  std::string group;
  std::string cluster;
};

/// "val/fake/a.jpg": label fake, split val.
Facts FactsOfPath(const fs::path& path) {
  Facts facts;
  const fs::path folders = path.parent_path();
  std::vector<std::string> parts;
  for (const fs::path& part : folders) parts.push_back(part.string());
  for (std::size_t i = parts.size(); i-- > 0 && !facts.label;) {
    if (parts[i] != "real" && parts[i] != "fake") continue;
    facts.label = parts[i] == "fake";
    if (i > 0) facts.split = parts[i - 1];
  }
  return facts;
}

Result<CsvTable> ReadTable(const fs::path& file) {
  const auto text = ReadSmallFile(file, kMaxCsvBytes);
  if (!text) {
    Error error = text.error();
    error.message = fmt::format("{}: {}", file.string(), error.message);
    return tl::unexpected(error);
  }
  return CsvTable(*text);
}

Facts FactsOfRow(const CsvTable& table, const CsvRow& row, const DatasetRequest& request) {
  return {.label = ParseLabel(table.Cell(row, "label")),
          .split = std::string(table.Cell(row, "split")),
          .group = std::string(table.Cell(row, request.group_column)),
          .cluster = std::string(table.Cell(row, request.cluster_column))};
}

/// The file of DatasetRequest::list.
class Listing {
 public:
  static Result<Listing> Read(const DatasetRequest& request, Skips& skipped) {
    Listing listing;
    if (request.list.empty()) return listing;
    auto table = ReadTable(request.list);
    if (!table) return tl::unexpected(table.error());
    listing.given_ = true;
    const auto refuse = [&](const std::string& expected) {
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("{}: expected {}, found the columns {}", request.list.string(), expected,
                              fmt::join(table->columns(), ", ")),
                  "correct the first line of the file, which names the columns");
    };
    std::string key;
    for (const char* column : {"path", "file", "id"})
      if (key.empty() && table->Has(column)) key = column;
    if (key.empty()) return refuse("a column path, file or id");
    for (const auto& [column, standard] :
         {std::pair(request.group_column, "group"), std::pair(request.cluster_column, "cluster")})
      if (column != standard && !table->Has(column)) return refuse(fmt::format("a column {}", column));
    for (const CsvRow& row : table->rows()) {
      const std::string where = fmt::format("{}:{}", request.list.filename().string(), row.line);
      if (!row.error.empty()) {
        skipped.Add("bad_line", where, row.error);
        continue;
      }
      Facts facts = FactsOfRow(*table, row, request);
      if (table->Has("label") && !facts.label) {
        skipped.Add("bad_line", where, fmt::format("unknown label '{}'", table->Cell(row, "label")));
        continue;
      }
      if (request.split.empty() || facts.split.empty() || facts.split == request.split) ++listing.wanted_;
      const auto [at, added] = listing.rows_.emplace(table->Cell(row, key), std::move(facts));
      if (!added) skipped.Add("bad_line", where, fmt::format("'{}' is listed twice", at->first));
    }
    return listing;
  }

  bool given() const { return given_; }
  std::size_t wanted() const { return wanted_; }  ///< rows of the wanted split

  const Facts* Find(const fs::path& path) const {
    for (const std::string& key : {path.string(), path.filename().string(), path.stem().string()})
      if (const auto found = rows_.find(key); found != rows_.end()) return &found->second;
    return nullptr;
  }

 private:
  bool given_ = false;
  std::map<std::string, Facts, std::less<>> rows_;
  std::size_t wanted_ = 0;
};

/// Finds the files of all paths.
class Finder {
 public:
  Finder(const DatasetRequest& request, Listing listing, Dataset& dataset)
      : request_(request), listing_(std::move(listing)), dataset_(dataset) {}

  Result<void> AddPath(const fs::path& path) {
    std::error_code error;
    const auto status = fs::status(path, error);
    if (!fs::exists(status))
      return Fail(ErrorCode::kNotFound, fmt::format("{}: no such file or folder", path.string()),
                  "check the path");
    const std::string extension = path.extension().string();
    const bool csv = extension == ".csv" || extension == ".CSV" || !request_.cells.empty();
    if (!fs::is_directory(status)) return csv ? AddCsv(path) : AddArchive(path);
    if (request_.cells.empty()) return AddFolder(path);
    return Fail(ErrorCode::kBadRequest, fmt::format("{}: is a folder, expected a CSV file", path.string()),
                "name files with the columns path, label and score");
  }

  Result<void> Finish() {
    if (dataset_.samples.empty()) return NothingFound();
    for (const bool manipulated : {false, true})
      if (Count(manipulated) == 0)
        dataset_.notes.push_back(
            fmt::format("No file is labelled {}: figures that need both classes are null.",
                        manipulated ? "fake" : "real"));
    if (listing_.given() && listing_.wanted() > seen_in_list_)
      dataset_.notes.push_back(fmt::format("{} of {} rows of the list have no file here.",
                                           listing_.wanted() - seen_in_list_, listing_.wanted()));
    ApplyLimit();
    return {};
  }

 private:
  Result<void> AddFolder(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> files;
    bool real = false;
    bool fake = false;
    fs::recursive_directory_iterator entry(folder, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      std::error_code ignored;
      if (name.starts_with('.')) {
        if (entry->is_directory(ignored)) entry.disable_recursion_pending();
        dataset_.left_out.Add("hidden", Below(entry->path(), folder).string());
      } else if (entry->is_directory(ignored)) {
        real = real || name == "real";
        fake = fake || name == "fake";
      } else if (entry->is_regular_file(ignored)) {
        files.push_back(entry->path());
      } else {
        dataset_.skipped.Add("not_a_file", Below(entry->path(), folder).string());
      }
    }
    if (error)
      return Fail(ErrorCode::kUnreadable,
                  fmt::format("{}: the folder cannot be read: {}", folder.string(), error.message()),
                  "check the folder's permissions");
    for (const auto& [there, name] : {std::pair(real, "real"), std::pair(fake, "fake")})
      if (!there && !request_.label && !listing_.given())
        dataset_.notes.push_back(fmt::format("{} has no folder {}/.", folder.string(), name));
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      const fs::path below = Below(file, folder);
      AddFound({.name = below.string(), .file = file}, below);
    }
    return {};
  }

  static fs::path Below(const fs::path& path, const fs::path& folder) {
    return path.lexically_relative(folder);
  }

  Result<void> AddCsv(const fs::path& file) {
    auto table = ReadTable(file);
    if (!table) return tl::unexpected(table.error());
    std::vector<std::string> required = {"path", "label"};
    if (!request_.cells.empty()) required.push_back(request_.cells.front());
    for (const std::string& column : required)
      if (!table->Has(column))
        return Fail(ErrorCode::kBadRequest,
                    fmt::format("{}: expected a column {}, found {}", file.string(), column,
                                fmt::join(table->columns(), ", ")),
                    fmt::format("begin the file with a line that names its columns, e.g. {}",
                                fmt::join(required, ",")));
    for (const CsvRow& row : table->rows()) {
      const std::string where = fmt::format("{}:{}", file.filename().string(), row.line);
      if (!row.error.empty()) {
        dataset_.skipped.Add("bad_line", where, row.error);
        continue;
      }
      const Facts facts = FactsOfRow(*table, row, request_);
      const std::string path(table->Cell(row, "path"));
      if (path.empty() || path.find('\0') != std::string::npos) {
        dataset_.skipped.Add("bad_line", where, "no path");
      } else if (!facts.label) {
        dataset_.skipped.Add(
            "bad_line", where,
            fmt::format("unknown label '{}' (expected real or fake)", table->Cell(row, "label")));
      } else {
        Sample sample{.name = path, .file = file.parent_path() / path};
        for (const std::string& column : request_.cells) sample.cells.emplace_back(table->Cell(row, column));
        Add(std::move(sample), path, facts);
      }
    }
    return {};
  }

  Result<void> AddArchive(const fs::path& file) {
    auto reader = ArchiveReader::Open(file);
    if (!reader) {
      Error error = reader.error();
      error.message = fmt::format("{}: {}", file.string(), error.message);
      return tl::unexpected(error);
    }
    std::set<std::string> names;
    for (;;) {
      auto entry = reader->Next();
      if (!entry) {
        dataset_.skipped.Add("broken_archive", file.string(), entry.error().message);
        return {};
      }
      if (!*entry) return {};
      const ArchiveEntry& found = **entry;
      switch (found.kind) {
        case ArchiveEntryKind::kFolder:
          break;
        case ArchiveEntryKind::kUnsafeName:
          dataset_.skipped.Add("unsafe_name", found.name, "absolute, empty, or with a part ..");
          break;
        case ArchiveEntryKind::kOther:
          dataset_.skipped.Add("not_a_file", found.name, "a link or device");
          break;
        case ArchiveEntryKind::kFile:
          if (names.insert(found.name).second)
            AddFound({.name = found.name, .file = file, .member = found.name}, found.name);
          else
            dataset_.skipped.Add("duplicate", found.name, "the name occurs twice in the archive");
      }
    }
  }

  /// A file of a folder or archive, by its path below that.
  void AddFound(Sample sample, const fs::path& below) {
    if (IsTableOfSet(below))
      dataset_.left_out.Add("table_of_set", sample.name, "written by unmask faces extract");
    else
      Add(std::move(sample), below, FactsOfPath(below));
  }

  void Add(Sample sample, const fs::path& path, Facts facts) {
    if (listing_.given()) {
      const Facts* listed = listing_.Find(path);
      if (listed == nullptr) {
        dataset_.left_out.Add("not_listed", sample.name);
        return;
      }
      if (facts.label && listed->label && *facts.label != *listed->label) {
        dataset_.skipped.Add("label_conflict", sample.name, "the list gives another label");
        return;
      }
      if (listed->label) facts.label = listed->label;
      if (!listed->split.empty()) facts.split = listed->split;
      if (!listed->group.empty()) facts.group = listed->group;
      if (!listed->cluster.empty()) facts.cluster = listed->cluster;
    }
    if (!request_.split.empty() && facts.split != request_.split) {
      dataset_.left_out.Add("other_split", sample.name, facts.split.empty() ? "no split" : facts.split);
      return;
    }
    if (listing_.given()) ++seen_in_list_;
    if (!facts.label) facts.label = request_.label;
    if (!facts.label) {
      dataset_.skipped.Add("no_label", sample.name, "neither below a folder real/ or fake/ nor listed");
      return;
    }
    sample.manipulated = *facts.label;
    sample.group = std::move(facts.group);
    sample.cluster = std::move(facts.cluster);
    dataset_.samples.push_back(std::move(sample));
  }

  std::size_t Count(bool manipulated) const {
    return static_cast<std::size_t>(
        std::count_if(dataset_.samples.begin(), dataset_.samples.end(),
                      [&](const Sample& sample) { return sample.manipulated == manipulated; }));
  }

  void ApplyLimit() {
    const std::size_t found = dataset_.samples.size();
    const auto limit = static_cast<std::size_t>(std::max(0, request_.limit));
    if (limit == 0 || limit >= found) return;
    const std::size_t fakes = Count(true);
    const std::size_t reals = found - fakes;
    std::size_t take_fakes = std::min(fakes, limit / 2);
    const std::size_t take_reals = std::min(reals, limit - take_fakes);
    take_fakes = std::min(fakes, limit - take_reals);  // what a small class leaves goes to the other

    std::vector<Sample> kept;
    std::size_t seen[2] = {};
    for (Sample& sample : dataset_.samples) {
      const std::size_t count = sample.manipulated ? fakes : reals;
      const std::size_t take = sample.manipulated ? take_fakes : take_reals;
      const std::size_t i = seen[sample.manipulated]++;
      if (i * take / count != (i + 1) * take / count)
        kept.push_back(std::move(sample));
      else
        dataset_.left_out.Add("limit", sample.name);
    }
    dataset_.samples = std::move(kept);
    dataset_.notes.push_back(
        fmt::format("Limited to {} real and {} fake of {} and {} files, evenly spread over each class.",
                    take_reals, take_fakes, reals, fakes));
  }

  Result<void> NothingFound() const {
    std::string found;
    for (const Skips* skips : {&dataset_.skipped, &dataset_.left_out})
      for (const Skips::Kind& kind : skips->kinds())
        found += fmt::format("{}{} {} (e.g. {})", found.empty() ? "" : ", ", kind.count, kind.reason,
                             kind.examples.front().name);
    return Fail(ErrorCode::kBadRequest,
                fmt::format("no labelled file to evaluate{}", found.empty() ? "" : "; found " + found),
                "name a folder with real/ and fake/, a tar archive of SPLIT/LABEL/NAME, or a CSV "
                "with the columns path and label");
  }

  const DatasetRequest& request_;
  Listing listing_;
  Dataset& dataset_;
  std::size_t seen_in_list_ = 0;
};

}  // namespace

void Skips::Add(const std::string& reason, const std::string& name, const std::string& detail) {
  auto kind = std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& k) { return k.reason == reason; });
  if (kind == kinds_.end()) kind = kinds_.insert(kinds_.end(), Kind{.reason = reason});
  ++kind->count;
  if (kind->examples.size() < kExamples) kind->examples.push_back({name, detail});
}

std::size_t Skips::total() const {
  std::size_t sum = 0;
  for (const Kind& kind : kinds_) sum += kind.count;
  return sum;
}

std::optional<bool> ParseLabel(std::string_view word) {
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "real" || lower == "0") return false;
  if (lower == "fake" || lower == "manipulated" || lower == "1") return true;
  return std::nullopt;
}

Result<Dataset> FindSamples(const DatasetRequest& request) {
  Dataset dataset;
  auto listing = Listing::Read(request, dataset.skipped);
  if (!listing) return tl::unexpected(listing.error());
  Finder finder(request, std::move(*listing), dataset);
  for (const fs::path& path : request.paths)
    if (auto added = finder.AddPath(path); !added) return tl::unexpected(added.error());
  if (auto finished = finder.Finish(); !finished) return tl::unexpected(finished.error());
  return dataset;
}

}  // namespace unmask
