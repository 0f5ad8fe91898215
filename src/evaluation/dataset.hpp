// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "unmask/error.hpp"

namespace unmask {

/// One labelled file of an evaluation.
struct Sample {
  std::string name;                ///< what reports call it: the path below the folder, archive or CSV
  bool manipulated = false;        ///< its label: fake
  std::string group;               ///< figures are given for each group; may be empty
  std::string cluster;             ///< the bootstrap draws whole clusters; may be empty: the file alone
  std::filesystem::path file;      ///< the file, or the archive that holds it
  std::string member;              ///< its name within the archive; empty: not in an archive
  std::vector<std::string> cells;  ///< of DatasetRequest::cells, from a CSV
};

/// Files that are not evaluated, counted by reason, each with a few examples.
class Skips {
 public:
  static constexpr std::size_t kExamples = 5;

  struct Example {
    std::string name;
    std::string detail;  ///< may be empty
  };
  struct Kind {
    std::string reason;  ///< a stable code
    std::size_t count = 0;
    std::vector<Example> examples;
  };

  void Add(const std::string& reason, const std::string& name, const std::string& detail = {});

  const std::vector<Kind>& kinds() const { return kinds_; }  ///< in order of appearance
  std::size_t total() const;
  bool empty() const { return kinds_.empty(); }

 private:
  std::vector<Kind> kinds_;
};

/// Where labelled files come from, and which of them are wanted.
struct DatasetRequest {
  /// Folders, tar archives and CSV files. In a folder or archive the label is the nearest folder named "real"
  /// or "fake" above a file, the split the folder above that. A CSV has the columns path and label, and may
  /// have split, group and cluster; its paths are relative to itself.
  std::vector<std::filesystem::path> paths;

  std::string split;          ///< only files of this split; empty: all
  std::optional<bool> label;  ///< the label of files that have none: true for fake

  /// A CSV that says more about the files: it is joined by its first column of path, file and id to a file's
  /// path, its last part, or that without its extension. It may give label, split, group and cluster, and
  /// files that it does not name are left out. Empty: none.
  std::filesystem::path list;
  std::string group_column = "group";
  std::string cluster_column = "cluster";

  /// Only CSV files are accepted, with at least the first of these columns, and samples carry the cells of
  /// all of them (empty where a column is missing). Empty: any path, no cells.
  std::vector<std::string> cells;

  int limit = 0;  ///< most files, evenly spread over the classes and over each class; 0: all
};

struct Dataset {
  std::vector<Sample> samples;  ///< files of one archive stand together, in its order
  Skips skipped;                ///< could not be taken: something is wrong with them
  Skips left_out;               ///< were not asked for: other_split, not_listed, limit, hidden, table_of_set
  std::vector<std::string> notes;  ///< sentences that a reader of the figures should know
};

/// Finds the files. Fails with kNotFound, kUnreadable or kUnsupportedMedia when a path leads to nothing, and
/// with kBadRequest when no file has a label or a CSV lacks a column. Reasons in `skipped`: bad_line,
/// no_label, label_conflict, unsafe_name, not_a_file, duplicate, broken_archive.
Result<Dataset> FindSamples(const DatasetRequest& request);

/// "real" and "0" give false, "fake", "manipulated" and "1" true, in any case; anything else nothing.
std::optional<bool> ParseLabel(std::string_view word);

}  // namespace unmask
