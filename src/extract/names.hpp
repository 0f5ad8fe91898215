// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace unmask {

/// How a data set calls its files.

inline constexpr std::string_view kReal = "real";
inline constexpr std::string_view kFake = "fake";
inline constexpr std::string_view kUnlabelled = "unlabelled";  ///< the folder of faces without a label

/// What may never be divided between two splits.
enum class GroupBy {
  kSource,  ///< one file, by its content
  kFolder,  ///< the files of one folder, e.g. of one person
  kName     ///< files whose paths differ by extension and label only: real/012.mp4 and fake/012.mp4
};

/// "source", "folder" or "name".
std::string_view GroupByName(GroupBy by);

/// "real" or "fake": the name of the nearest folder above the file that is called so. Empty when none is.
std::string LabelOfPath(const std::filesystem::path& path);

/// The group of a file: for kSource the first 16 digits of its sha256, else a path, without its label
/// folders and without "./" and the like, so that a real and the fakes of it can share a group. Paths are
/// taken as they are written: a/b and /home/a/b are two groups.
std::string GroupOf(GroupBy by, const std::filesystem::path& path, std::string_view sha256);

/// The name of a face, unique to source, track and frame: "0123456789abcdef-t01-f000135".
std::string FaceId(std::string_view sha256, int track, std::int64_t frame);

/// SPLIT/LABEL/ID.EXTENSION
std::string FacePath(std::string_view split, std::string_view label, std::string_view id,
                     std::string_view extension);

}  // namespace unmask
