// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "extract/face_row.hpp"
#include "extract/output_file.hpp"

namespace unmask {

/// What to do with an output that is there already.
enum class Existing {
  kRefuse,     ///< kConflict unless it is an empty folder
  kResume,     ///< go on with an unfinished set, or add to a folder; a new one is begun if there is none
  kOverwrite,  ///< remove the set that is there; a folder with anything that is no set is left alone
};

/// A data set of faces on the disk: SPLIT/LABEL/ID.jpg, faces.csv with a line a face, sources.csv with a line
/// a source that is complete, extract.json with the options; in a folder or, when the output's name ends in
/// ".tar", in an archive.
///
/// Sources are added whole. A source counts once its line is in sources.csv, which comes last and says how
/// long the other files are then. So a run that is killed at any point can be resumed: what lies behind is
/// removed, and the source is taken again. An archive grows in the folder OUTPUT.part/ and gets its name in
/// the end: OUTPUT is absent or complete. A second run on the same output is refused while one is going on.
/// (After a loss of power the files may be less complete than sources.csv says.) Not thread-safe.
class FaceSet {
 public:
  struct Options {
    std::filesystem::path output;
    Existing existing = Existing::kRefuse;
    /// A JSON object: all options that shape the faces. A set that was begun with other ones is not resumed.
    std::string settings;
    std::string detector;  ///< FaceDetector::name()
    CropFormat format = CropFormat::kJpeg;
  };

  /// A source that is in the set.
  struct Known {
    std::string label;
    bool earlier = false;  ///< it was there when the set was opened
  };

  /// What the set holds.
  struct Counts {
    std::size_t sources = 0;
    std::size_t sources_without_faces = 0;
    std::size_t faces = 0;
    std::map<std::string, std::map<std::string, std::size_t>> by_split_and_label;
  };

  /// kConflict when the output is there and may not be touched or does not fit; kBadRequest when it cannot be
  /// made.
  static Result<std::unique_ptr<FaceSet>> Open(Options options);

  /// Where to keep what is not finished: on the same disk.
  const std::filesystem::path& folder() const { return folder_; }

  /// The source with this content, if it is in the set.
  const Known* Find(const std::string& sha256) const;

  /// Adds a source that is not in the set and all of its faces; one whose people have different labels is
  /// added once for each label. After an error the set must not be used.
  Result<void> Add(const SourceFacts& facts, const CutSource& source);

  /// Ends the set. Call it once, when all sources were added; otherwise it stays unfinished.
  Result<void> Finish();

  /// Removes a set that holds no source, so that nothing is in the way of the next run. The last call.
  void Discard();

  const Counts& counts() const { return counts_; }

 private:
  explicit FaceSet(Options options);

  Result<void> Prepare();
  Result<void> Begin();
  Result<void> CheckSettings();
  Result<void> ReadSources();
  Result<void> DropUnfinished(std::uint64_t rows_end, std::uint64_t crops_end);
  Result<void> WriteSettings(bool complete);
  Result<void> PutFile(const std::string& path, const std::string& content);
  Result<void> PutInArchive(const std::filesystem::path& file);
  void Count(const std::string& split, const std::string& label, std::size_t faces);

  Options options_;
  bool archive_;
  std::filesystem::path folder_;
  std::optional<OutputFile> rows_;
  std::optional<OutputFile> sources_;
  std::optional<OutputFile> crops_;  ///< the archive
  std::map<std::string, Known> known_;
  Counts counts_;
};

}  // namespace unmask
