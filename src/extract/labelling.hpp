// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "extract/extractor.hpp"
#include "extract/face_row.hpp"
#include "extract/names.hpp"
#include "extract/splits.hpp"

namespace unmask {

/// What a data set's user decides of its sources.
struct Labelling {
  std::string label;  ///< of all sources: "real" or "fake"; empty: LabelOfPath()
  GroupBy group_by = GroupBy::kSource;
  std::vector<SplitShare> splits = {{"all", 1}};
  std::uint64_t seed = 0;  ///< another one divides the groups otherwise

  /// The facts of a source that the user calls `name`.
  SourceFacts Describe(const std::string& name, const std::string& sha256) const;
};

/// "geometric_mean" and so on, as model.json calls it.
std::string_view SideName(CropRule::SideOf side);

/// All options that shape a data set, as FaceSet::Options::settings wants them. `model` is NAME:VERSION of
/// the model whose crop rule is used, empty when it is none.
std::string SettingsJson(const CutOptions& cut, const Labelling& labelling, const std::string& model,
                         const std::string& detector);

}  // namespace unmask
