// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>

#include "extract/face_set.hpp"
#include "extract/labelling.hpp"
#include "feedback/store.hpp"

namespace unmask {

/// What became of a folder of feedback. Contents are media by their bytes: the same file sent twice is one.
struct ExportCounts {
  std::size_t records = 0;        ///< feedback that could be read
  std::size_t damaged = 0;        ///< lines that could not
  std::size_t contents = 0;       ///< that somebody said something about
  std::size_t superseded = 0;     ///< feedback that decides nothing, because later one speaks of the same
  std::size_t conflicts = 0;      ///< contents of which both real and fake was said; the latest counts
  std::size_t unsure = 0;         ///< contents left out wholly or in part: the latest says unsure
  std::size_t without_faces = 0;  ///< contents left out: nobody gave their faces, or they were withdrawn
  std::size_t twice = 0;          ///< faces left out: a later analysis of the same content gave its own
  std::size_t other_crop = 0;     ///< faces left out: cut by another rule than `crop`
  std::size_t unreadable = 0;     ///< people left out: their faces are damaged
};

/// Adds the kept faces that people labelled to a set, in the form that `unmask faces extract` writes: a group
/// is one content, so that a set is split by content. The latest feedback that speaks of a person counts, be
/// it of the whole or of that person; feedback on the whole speaks of all analyses of that content. Reads the
/// folder only. Fails as FaceSet::Add() does; what is wrong with a person's faces is counted.
Result<ExportCounts> ExportFeedback(const std::filesystem::path& folder, const FeedbackLog& log,
                                    const CropRule& crop, const Labelling& labelling, FaceSet& set);

}  // namespace unmask
